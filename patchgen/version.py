# SPDX-License-Identifier: GPL-2.0-or-later
"""The version of this patchgen, from git's tags. pyproject.toml uses it for packages, too.

A release is a tag vMAJOR.MINOR.PATCH. The third commit after v0.1.0 is 0.1.1.dev3+gCOMMIT; without
a tag, all commits count. A checkout reads its version at each start: `pip install --editable` would
record the commit of its installation, and later series would name that one.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache
from pathlib import Path

from patchgen.errors import PatchgenError
from patchgen.git_environment import reading_environment
from patchgen.process import run
from patchgen.resources import find_source_folder

_FIRST_RELEASE = (0, 1, 0)
_DESCRIPTION = re.compile(r"v(\d+)\.(\d+)\.(\d+)(?:-(\d+)-g([0-9a-f]+))?")
_COMMIT_LENGTH = 12


@cache
def find_version() -> str:
    """Return the version, as PEP 440 has it, of the source folder or of the installed package."""
    source_folder = find_source_folder()
    if source_folder is not None:
        return read_source_version(source_folder)
    # The import takes as long as a start of git.
    from importlib.metadata import PackageNotFoundError, version

    with suppress(PackageNotFoundError):
        return version("patchgen")
    return _format_development(_FIRST_RELEASE, 0)


def read_source_version(folder: Path) -> str:
    """Return the version of a checkout, an unpacked sdist or an unpacked `git archive`.

    It is the version of the commit: uncommitted changes do not change it.
    """
    if (folder / ".git").exists():
        with suppress(PatchgenError):
            return _read_checkout(folder)
    sdist = folder / "PKG-INFO"
    if sdist.is_file():
        return _read_fields(sdist)["Version"]
    # In an archive, git has put values in place of the $Format$ (gitattributes(5), export-subst).
    archive = folder / ".git_archival.txt"
    fields = _read_fields(archive) if archive.is_file() else {}
    described = _from_description(fields.get("describe-name", ""))
    return described or _format_development(_FIRST_RELEASE, 0, fields.get("node", ""))


def _read_checkout(folder: Path) -> str:
    """Return the version of a checkout. Raises PatchgenError if git refuses to read it."""
    env = reading_environment()
    argv = ["git", "-C", str(folder), "describe", "--tags", f"--abbrev={_COMMIT_LENGTH}"]
    # Only tags of digits and dots: v0.2.0-rc1 would be described as v0.2.0-rc1-3-gCOMMIT.
    argv += ["--match=v[0-9]*", "--exclude=*[!v.0-9]*"]
    described = _from_description(run(argv, env=env, ok=None).stdout.decode().strip())
    if described:
        return described
    commits = run(["git", "-C", str(folder), "rev-list", "HEAD"], env=env).lines
    return _format_development(_FIRST_RELEASE, len(commits), commits[0])


def _read_fields(path: Path) -> dict[str, str]:
    header = path.read_text("utf-8").partition("\n\n")[0]
    return dict(re.findall(r"^([\w-]+): ([\w.+-]+)$", header, re.MULTILINE))


def _from_description(text: str) -> str:
    """Return the version of an output of `git describe`, "" if it names no release."""
    match = _DESCRIPTION.fullmatch(text)
    if match is None:
        return ""
    major, minor, patch = map(int, match.group(1, 2, 3))
    if match[4] is None:
        return f"{major}.{minor}.{patch}"
    return _format_development((major, minor, patch + 1), int(match[4]), match[5])


def _format_development(release: tuple[int, int, int], distance: int, commit: str = "") -> str:
    """Return the version of a commit that is `distance` commits on the way to a release."""
    local = f"+g{commit[:_COMMIT_LENGTH]}" if commit else ""
    return ".".join(map(str, release)) + f".dev{distance}{local}"
