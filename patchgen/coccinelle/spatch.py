# SPDX-License-Identifier: GPL-2.0-or-later
"""The spatch program: its path, its version, and how it is started."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from patchgen.errors import SpecError, ToolError
from patchgen.process import Completed, run

MINIMUM_VERSION = (1, 1, 1)
HINT = "install Coccinelle (Debian: apt-get install coccinelle), or set SPATCH to its path"


@dataclass(frozen=True, slots=True)
class Spatch:
    """An installed spatch of a known version."""

    path: str
    version: str

    def run(
        self,
        *,
        semantic_patch: Path,
        file: Path,
        output: Path,
        definitions: Mapping[str, str],
        macro_file: Path | None,
        timeout_s: int,
    ) -> Completed:
        """Run a semantic patch over one file, with spatch's trace in the result's stdout.

        All paths are in a scratch folder, which is spatch's working directory and its home. spatch
        reads .cocciconfig from the home directory, the working directory and --dir
        (Documentation/dev-tools/coccinelle.rst), so that of the tree is never read. `timeout_s` is
        spatch's own limit for the file. A hard limit follows, because spatch cannot interrupt all
        of its steps.
        """
        argv = [
            self.path,
            "--debug",
            "--no-includes",
            "--no-show-diff",
            "--timeout",
            str(timeout_s),
            *(("--macro-file", macro_file.name) if macro_file else ()),
            "--sp-file",
            semantic_patch.name,
            *(word for name, text in definitions.items() for word in ("-D", f"{name}={text}")),
            "-o",
            output.name,
            file.name,
        ]
        return self._start(argv, file.parent, timeout_s=2 * timeout_s + 5, merge_stderr=True)

    def run_groups(
        self,
        scratch: Path,
        options: Sequence[str],
        *,
        modes: Sequence[str],
        definitions: Mapping[str, str],
        traced: bool,
        in_place: bool,
        timeout_s: int,
    ) -> Completed:
        """Run `patchgen.cocci` in a scratch folder over the files of its folder `tree`.

        `groups` lists them, separated by empty lines: consecutive lines are one group, in which a
        match in one file has an effect on the others. With `in_place` the files are changed, else a
        diff is printed. `traced` turns spatch's trace on.
        """
        argv = [
            self.path,
            *(("--debug",) if traced else ()),
            *options,
            *(("--no-show-diff", "--in-place") if in_place else ()),
            "--timeout",
            str(timeout_s),
            *_python(),
            "--sp-file",
            "../patchgen.cocci",
            *(word for name in modes for word in ("-D", name)),
            *(word for name, text in definitions.items() for word in ("-D", f"{name}={text}")),
            "--file-groups",
            "../groups",
        ]
        return self._start(argv, scratch, inside="tree", timeout_s=3 * timeout_s + 60)

    def ask_needs(
        self, scratch: Path, modes: Sequence[str], definitions: Mapping[str, str]
    ) -> Completed:
        """Let spatch read `patchgen.cocci` in a scratch folder and report the words it needs."""
        argv = [
            self.path,
            "--parse-cocci",
            "--debug-parse-cocci",
            *_python(),
            *(word for name in modes for word in ("-D", name)),
            *(word for name, text in definitions.items() for word in ("-D", f"{name}={text}")),
            "patchgen.cocci",
        ]
        return self._start(argv, scratch, timeout_s=120, merge_stderr=True)

    def _start(
        self,
        argv: Sequence[str],
        scratch: Path,
        *,
        timeout_s: float,
        inside: str = "",
        merge_stderr: bool = False,
    ) -> Completed:
        return run(
            argv,
            cwd=scratch / inside,
            env=_environment(str(scratch)) | {"TMPDIR": str(scratch)},
            ok=None,
            timeout_s=timeout_s,
            merge_stderr=merge_stderr,
        )


def _environment(home: str) -> dict[str, str]:
    """Return spatch's environment; `home` must not contain a .cocciconfig."""
    env = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": home,
        "LC_ALL": "C",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    for name in ("COCCINELLE_HOME", "LD_LIBRARY_PATH"):
        if name in os.environ:
            env[name] = os.environ[name]
    return env


def write_companions(folder: Path, companions: Mapping[str, str]) -> None:
    """Write the files that a semantic patch names into a folder; their names must stay inside it.

    spatch looks for isomorphisms next to the semantic patch. For #include, 1.1.1 looks in its
    working directory, and 1.3.1 in both (parse_cocci.ml). Existing files stay. Raises SpecError for
    a name that cannot be written.
    """
    for name, text in companions.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.write_text(text, encoding="utf-8")
        except OSError as err:
            raise SpecError(f"{name} cannot be included: {err.strerror}") from None


def _python() -> tuple[str, ...]:
    """Return the option that names the system's Python: a shim would cost 300 ms per run."""
    path = Path("/usr/bin/python3")
    return ("--python", str(path)) if path.exists() else ()


@lru_cache
def _ask_version(path: str) -> str:
    # A .cocciconfig in the user's home or in the working directory would change the answer.
    env = _environment(os.devnull)
    return run([path, "--version"], ok=None, cwd=Path("/"), env=env).stdout.decode(
        "utf-8", "replace"
    )


def find_spatch() -> Spatch:
    """Return the spatch named by $SPATCH or found in $PATH.

    Raises ToolError if there is none, or if it is older than MINIMUM_VERSION.
    """
    name = os.environ.get("SPATCH") or "spatch"
    path = shutil.which(name)
    if path is None:
        raise ToolError(f"{name} is not installed", hint=HINT)
    output = _ask_version(path)
    match = re.search(r"spatch version (\d+(?:\.\d+)*)", output)
    if match is None:
        raise ToolError(f"{path} does not identify itself as spatch: {output[:80]!r}", hint=HINT)
    version = match.group(1)
    if tuple(int(part) for part in version.split(".")) < MINIMUM_VERSION:
        minimum = ".".join(map(str, MINIMUM_VERSION))
        raise ToolError(f"{path} is spatch {version}; {minimum} or later is needed", hint=HINT)
    return Spatch(path, version)
