# SPDX-License-Identifier: GPL-2.0-or-later
"""Build objects of a kernel tree in one configuration, and collect the warnings for each.

make decides what has to be rebuilt. A work tree that moves from commit to commit keeps its output
folder, so that each commit costs only what it changes.
"""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from patchgen.errors import ToolError, UsageError
from patchgen.git_environment import program_environment
from patchgen.kernel.built_files import find_built
from patchgen.kernel.configs import BuildConfig
from patchgen.kernel.dotconfig import DotConfig, parse_dotconfig
from patchgen.kernel.machine_code import read_functions
from patchgen.kernel.make_errors import find_machine_error, find_make_error
from patchgen.model.build import BuildFailure, BuiltObject
from patchgen.process import run

# The programs that a build runs, and their Debian packages.
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
_DIAGNOSTIC = re.compile(
    r"^(?P<file>[^:\s]+)(?::\d+)*: (?P<level>warning|error|fatal error): (?P<text>.*)$"
)
# "kvm.o: warning: objtool: kvm_init()+0x12: ...": the offset changes with everything before it.
_OFFSET = re.compile(r"\+0x[0-9a-f]+")

# Also for the prerequisites of objects: make rebuilds what was built with other flags.
_WARNINGS = "W=1"
_VARIABLE = re.compile(r"[A-Za-z_]\w*", re.ASCII)
# They determine the output folder, the architecture and the printed warnings.
_RESERVED_VARIABLES = frozenset(
    ("ARCH", "C", "KBUILD_OUTPUT", "KCONFIG_ALLCONFIG", "LOCALVERSION", "M", "MAKEFLAGS", "O", "W")
)


def check_build_tools() -> None:
    """Raise ToolError that names all missing programs that a build needs."""
    missing = [name for name in BUILD_PROGRAMS if shutil.which(name) is None]
    if missing:
        packages = dict.fromkeys(BUILD_PROGRAMS[name] for name in missing)
        raise ToolError(
            f"not installed, but needed to build: {', '.join(missing)}",
            code="program-missing",
            hint=f"apt-get install {' '.join(packages)}",
            alternatives={"skip": "skip the build check"},
        )


def read_compiler_versions(
    variables: Sequence[str] = (), prefixes: Sequence[str] = ()
) -> list[str]:
    """Return the first line of each compiler's --version, without duplicates.

    The compilers are the one that make's `variables` ("NAME=VALUE") select, and one for each of the
    `prefixes` of cross compilers.
    """
    values = dict(text.split("=", 1) for text in variables)
    commands = [_find_compiler(values)]
    commands += [_find_compiler({"CROSS_COMPILE": prefix, **values}) for prefix in prefixes]
    outputs = (run([*command, "--version"]).stdout for command in commands)
    texts = (output.decode("utf-8", "replace").partition("\n")[0] for output in outputs)
    return list(dict.fromkeys(texts))


def _find_compiler(values: Mapping[str, str]) -> list[str]:
    """Return the command of the compiler that make's variables select.

    Documentation/kbuild/kbuild.rst (CROSS_COMPILE, CC) and llvm.rst (LLVM).
    """
    llvm = values.get("LLVM", "")
    name = f"{values.get('CROSS_COMPILE', '')}gcc"
    if llvm:
        name = f"{llvm}clang" if llvm.endswith("/") else f"clang{llvm if llvm[0] == '-' else ''}"
    return (values.get("CC") or name).split()


def check_make_variables(variables: Sequence[str]) -> None:
    """Raise UsageError for a text that is not a NAME=VALUE, or for a variable that verify sets."""
    for text in variables:
        name, equals, _ = text.partition("=")
        if not equals or not _VARIABLE.fullmatch(name):
            raise UsageError(
                f"{text!r}: expected NAME=VALUE",
                code="make-variable",
                parameters=("make_variables",),
            )
        if name in _RESERVED_VARIABLES:
            raise UsageError(
                f"{text!r}: verify sets {name} itself",
                code="make-variable",
                parameters=("make_variables",),
            )


class BuildError(Exception):
    """make failed. `failure` has the first error and the path of the log."""

    def __init__(self, failure: BuildFailure):
        super().__init__(failure.error)
        self.failure = failure


@dataclass
class Builder:
    """A source tree, an output folder and a configuration.

    `jobs` is make's -j. `sparse` also runs the checker of that name. `variables` are "NAME=VALUE"
    for make's command line.
    """

    source: Path
    output: Path
    config: BuildConfig
    jobs: int = 1
    sparse: bool = False
    variables: Sequence[str] = ()
    _warnings: dict[str, Counter[str]] = field(default_factory=dict)

    def configure(self, log: Path) -> None:
        """Write .config, check that it has the required options, and make what all objects need.

        Raises BuildError if the tree cannot be configured that way, or make fails; OSError if the
        machine is the cause.
        """
        config = self.config
        self.output.mkdir(parents=True, exist_ok=True)
        dot_config = self.output / ".config"
        if config.file is not None:
            shutil.copyfile(config.file, dot_config)
        elif not dot_config.is_file():
            self._make(log, config.target)
        args = [arg for option in (*config.on, *config.if_available) for arg in ("-e", option)]
        args += [arg for option in config.off for arg in ("-d", option)]
        if args:
            run(["bash", str(self.source / "scripts/config"), "--file", str(dot_config), *args])
        self._make(log, "olddefconfig")
        self._check_config(log)
        self._make(log, _WARNINGS, "prepare", "scripts")

    def link(self, fragment: Path, log: Path) -> None:
        """Configure the smallest kernel with the options of a fragment, and make its vmlinux.

        Raises as `configure` does.
        """
        self.output.mkdir(parents=True, exist_ok=True)
        self._make(log, f"KCONFIG_ALLCONFIG={fragment}", self.config.target)
        self._check_config(log)
        self._make(log, "vmlinux")

    def _check_config(self, log: Path) -> None:
        """Raise BuildError if .config does not have the options that define the configuration."""
        config = self.config
        options = self._read_config().options
        unmet = [option for option in config.on if options.get(f"CONFIG_{option}") != "y"]
        unmet += [f"!{option}" for option in config.off if options.get(f"CONFIG_{option}") == "y"]
        if unmet:
            text = f"kconfig does not set {', '.join(unmet)}, which {config.name} requires"
            raise BuildError(
                BuildFailure(text, hint="choose other configurations", parameter="configs", log=log)
            )

    def find_objects(self, files: Iterable[PurePosixPath]) -> list[str]:
        """Return the objects that this configuration builds from these files, sorted."""
        sources = [file for file in files if file.suffix in (".c", ".S")]
        if not sources:
            return []
        built = find_built(self._read_config(), self._read_makefile, map(str, sources), sources)
        return sorted({str(file.with_suffix(".o")) for file in sources} & built.objects)

    def _read_config(self) -> DotConfig:
        return parse_dotconfig((self.output / ".config").read_text("utf-8", "surrogateescape"))

    def _read_makefile(self, path: str) -> str | None:
        file = self.source / path
        return file.read_text("utf-8", "replace") if file.is_file() else None

    def build(self, targets: Sequence[str], log: Path) -> dict[str, BuiltObject]:
        """Build objects (or folders, with a trailing `/`) with W=1 and return the results.

        Raises BuildError, with make's complete output in `log`.
        """
        if not targets:
            log.write_text("nothing to build\n")
            return {}
        args = [_WARNINGS, *(["C=1"] if self.sparse else []), *targets]
        self._note_warnings(self._make(log, *args))
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
        args = [f"{self.config.compiler}nm", option, "--format=just-symbols", *objects]
        output = run(args, cwd=self.output).stdout.decode("utf-8", "replace")
        return {name for name in output.split() if not name.endswith(":")}

    def _list_objects(self, targets: Sequence[str]) -> list[PurePosixPath]:
        objects = []
        for target in targets:
            if target.endswith("/"):
                paths = sorted((self.output / target).rglob("*.o"))
                objects += [PurePosixPath(path.relative_to(self.output)) for path in paths]
            elif (self.output / target).is_file():
                objects.append(PurePosixPath(target))
        return list(dict.fromkeys(objects))

    def _note_warnings(self, output: str) -> None:
        """Record the warnings of each object that was built; other objects keep theirs."""
        current = ""
        built: set[str] = set()
        for line in output.splitlines():
            if match := _STEP.match(line):
                target = match["target"].removeprefix(f"{self.source}/")
                current = re.sub(r"\.[cS]$", ".o", target)
                if current not in built:
                    built.add(current)
                    self._warnings[current] = Counter()
            elif match := _DIAGNOSTIC.match(line):
                file = os.path.normpath(match["file"].removeprefix(f"{self.source}/"))
                text = _OFFSET.sub("", match["text"])
                self._warnings.setdefault(current, Counter())[f"{file}: {text}"] += 1

    def _make(self, log: Path, *args: str) -> str:
        """Run make and return its output. The log has the complete output of its last run."""
        completed = run(
            [
                "make",
                f"-j{self.jobs}",
                # Print the output of one target together, so that a warning can be assigned.
                "--output-sync=target",
                f"--directory={self.source}",
                f"O={self.output}",
                f"ARCH={self.config.arch}",
                "LOCALVERSION=",
                *self._choose_compiler(),
                *self.variables,
                *args,
            ],
            env=self._make_environment(),
            ok=None,
            merge_stderr=True,
        )
        output = completed.stdout.decode("utf-8", "replace")
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(f"$ make {' '.join([*self.variables, *args])}\n{output}")
        if completed.returncode != 0:
            if (error := find_machine_error(output)) is not None:
                raise error
            raise BuildError(replace(find_make_error(output, str(self.source)), log=log))
        return output

    def _choose_compiler(self) -> list[str]:
        prefix = self.config.compiler
        return [f"CROSS_COMPILE={prefix}"] if prefix else []

    def _make_environment(self) -> dict[str, str]:
        # An enclosing make or build sets variables that are not meant for this one.
        foreign = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ARCH", "CROSS_COMPILE")
        env = {
            name: value
            for name, value in program_environment().items()
            if name not in foreign and not name.startswith("KBUILD_")
        }
        # Files that a killed gcc leaves in TMPDIR are removed with the output.
        env["TMPDIR"] = str(self.output)
        # The kernel's Makefile unsets LC_ALL.
        return env | dict.fromkeys(("LC_ALL", "LANG", "LC_CTYPE", "LC_MESSAGES"), "C")
