"""Build objects of a kernel tree in one configuration, and tell what was said of each.

make is the judge of what has to be built again; a work tree that moves from commit to commit keeps
its output folder, so that each commit costs what it changes.
"""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from patchgen.errors import BaseError, ToolError
from patchgen.git_environment import program_environment
from patchgen.kernel.configs import BuildConfig
from patchgen.kernel.machine_code import read_functions
from patchgen.kernel.makefiles import Makefiles
from patchgen.model.build import BuildFailure, BuiltObject
from patchgen.process import run

# What a build runs, and Debian's package for it.
BUILD_PROGRAMS = {
    "make": "make",
    "gcc": "gcc",
    "ld": "binutils",
    "objdump": "binutils",
    "flex": "flex",
    "bison": "bison",
    "bc": "bc",
}
# kbuild's line for each step, "  CC      arch/x86/kernel/kvm.o", with or without [M].
_STEP = re.compile(r"^  [A-Z][A-Z0-9_+-]*(?: \[[MR]\])? +(?P<target>\S+)$")
_SAID = re.compile(
    r"^(?P<file>[^:\s]+)(?::\d+)*: (?P<level>warning|error|fatal error): (?P<text>.*)$"
)
# "kvm.o: warning: objtool: kvm_init()+0x12: ...": the offset changes with everything before it.
_OFFSET = re.compile(r"\+0x[0-9a-f]+")


def check_build_tools() -> None:
    """Raise ToolError that names every program that a build needs and that is not there."""
    missing = [name for name in BUILD_PROGRAMS if shutil.which(name) is None]
    if missing:
        packages = dict.fromkeys(BUILD_PROGRAMS[name] for name in missing)
        raise ToolError(
            f"not installed, but needed to build: {', '.join(missing)}",
            hint=f"apt-get install {' '.join(packages)}",
            alternatives={"skip": "leave the check build out"},
        )


def compiler_version() -> str:
    """Return the first line of `gcc --version`."""
    return run(["gcc", "--version"]).stdout.decode("utf-8", "replace").partition("\n")[0]


class BuildError(Exception):
    """make failed. `failure` has the first error and the path of the log."""

    def __init__(self, failure: BuildFailure):
        super().__init__(failure.error)
        self.failure = failure


@dataclass
class Builder:
    """A source tree, an output folder and a configuration.

    `jobs` is make's -j. `sparse` runs the checker of that name over what is compiled.
    """

    source: Path
    output: Path
    config: BuildConfig
    jobs: int = 1
    sparse: bool = False
    _warnings: dict[str, Counter[str]] = field(default_factory=dict)

    def configure(self, log: Path) -> None:
        """Write .config, check that it says what was asked for, and make what all objects need.

        Raises BaseError where the tree cannot be configured that way, BuildError where make fails.
        """
        config = self.config
        self.output.mkdir(parents=True, exist_ok=True)
        dot_config = self.output / ".config"
        if config.file is not None:
            shutil.copyfile(config.file, dot_config)
        elif not dot_config.is_file():
            self._make(log, config.target)
        words = [w for o in (*config.on, *config.if_known) for w in ("-e", o)]
        words += [w for o in config.off for w in ("-d", o)]
        if words:
            run(["bash", str(self.source / "scripts/config"), "--file", str(dot_config), *words])
        self._make(log, "olddefconfig")
        self._check_config()
        self._make(log, "prepare", "scripts")

    def link(self, fragment: Path, log: Path) -> None:
        """Configure the least kernel that has the options of a fragment, and make its vmlinux.

        Raises as `configure` does.
        """
        self.output.mkdir(parents=True, exist_ok=True)
        self._make(log, f"KCONFIG_ALLCONFIG={fragment}", self.config.target)
        self._check_config()
        self._make(log, "vmlinux")

    def _check_config(self) -> None:
        """Raise BaseError where .config does not have what the configuration is about."""
        config = self.config
        text = (self.output / ".config").read_text()
        wrong = [o for o in config.on if f"CONFIG_{o}=y\n" not in text]
        wrong += [f"!{o}" for o in config.off if f"CONFIG_{o}=y\n" in text]
        if wrong:
            raise BaseError(
                f"the base cannot be configured as {config.name}: kconfig does not give "
                + ", ".join(wrong),
                alternatives={"configs": "choose other configurations"},
            )

    def find_objects(self, files: Iterable[PurePosixPath]) -> list[str]:
        """Return the objects that this configuration builds of these files."""
        makefiles = Makefiles(self.source, self.output)
        found = [makefiles.find_object(file) for file in files]
        return sorted(str(path) for path in found if path is not None)

    def build(self, targets: Sequence[str], log: Path) -> dict[str, BuiltObject]:
        """Build objects (or folders, with a `/` at their end) with W=1 and return what came of it.

        Raises BuildError, with everything that make said in `log`.
        """
        if not targets:
            log.write_text("nothing to build\n")
            return {}
        words = ["W=1", *(["C=1"] if self.sparse else []), *targets]
        self._note_warnings(self._make(log, *words))
        return {
            str(path): BuiltObject(
                tuple(sorted(self._warnings.get(str(path), Counter()).elements())),
                read_functions(self.output / path) if self.config.stable_code else {},
            )
            for path in self._list_objects(targets)
        }

    def find_symbols(self, objects: Sequence[str], option: str) -> set[str]:
        """Return the names that nm(1) lists with --undefined-only or --defined-only."""
        if not objects:
            return set()
        words = ["nm", option, "--format=just-symbols", *objects]
        said = run(words, cwd=self.output).stdout.decode("utf-8", "replace")
        return {name for name in said.split() if not name.endswith(":")}

    def _list_objects(self, targets: Sequence[str]) -> list[PurePosixPath]:
        found = []
        for target in targets:
            if target.endswith("/"):
                paths = sorted((self.output / target).rglob("*.o"))
                found += [PurePosixPath(path.relative_to(self.output)) for path in paths]
            elif (self.output / target).is_file():
                found.append(PurePosixPath(target))
        return list(dict.fromkeys(found))

    def _note_warnings(self, said: str) -> None:
        """Keep the warnings of each object that was built; others keep those they had."""
        current = ""
        built: set[str] = set()
        for line in said.splitlines():
            if match := _STEP.match(line):
                target = match["target"].removeprefix(f"{self.source}/")
                current = re.sub(r"\.[cS]$", ".o", target)
                if current not in built:
                    built.add(current)
                    self._warnings[current] = Counter()
            elif match := _SAID.match(line):
                file = os.path.normpath(match["file"].removeprefix(f"{self.source}/"))
                text = _OFFSET.sub("", match["text"])
                self._warnings.setdefault(current, Counter())[f"{file}: {text}"] += 1

    def _make(self, log: Path, *words: str) -> str:
        """Run make and return what it said. The log holds the whole of its last run."""
        # A make or a build around us has left words there that are not meant for this one.
        foreign = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ARCH", "CROSS_COMPILE")
        env = {
            name: value
            for name, value in program_environment().items()
            if name not in foreign and not name.startswith("KBUILD_")
        }
        done = run(
            [
                "make",
                f"-j{self.jobs}",
                # Keep the output of one target together, so that a warning has an object.
                "--output-sync=target",
                f"--directory={self.source}",
                f"O={self.output}",
                f"ARCH={self.config.arch}",
                "LOCALVERSION=",
                *words,
            ],
            # The kernel's Makefile takes LC_ALL away again. What gcc leaves in TMPDIR when it is
            # killed goes with the output.
            env={
                **env,
                "TMPDIR": str(self.output),
                "LC_ALL": "C",
                "LANG": "C",
                "LC_CTYPE": "C",
                "LC_MESSAGES": "C",
            },
            ok=None,
            merge_stderr=True,
        )
        said = done.stdout.decode("utf-8", "replace")
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(f"$ make {' '.join(words)}\n{said}")
        if done.returncode != 0:
            raise BuildError(BuildFailure(self._first_error(said), log))
        return said

    def _first_error(self, said: str) -> str:
        """Return the compiler's first error, else what make itself complains of."""
        lines = said.splitlines()
        error = r"^\S+:\d+(:\d+)?: (fatal )?error: |: undefined reference to |^error: "
        for pattern in (error, r"^(make.*: )?\*\*\* "):
            for line in lines:
                if re.search(pattern, line):
                    return line.replace(f"{self.source}/", "")
        return lines[-1] if lines else "make said nothing"
