# SPDX-License-Identifier: GPL-2.0-or-later
"""The spatch program: its path, its version, and how it is started."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, pairwise
from pathlib import Path

from patchgen.coccinelle.changed_unit import PREFERRED
from patchgen.coccinelle.dead_rules import DeadRule, find_dead_rules, may_iterate
from patchgen.coccinelle.header import read_header
from patchgen.coccinelle.rules import Rule, read_rules
from patchgen.errors import SpecError, ToolError
from patchgen.model.smpl import SemanticPatch
from patchgen.process import Completed, run

MINIMUM_VERSION = (1, 1, 1)
# The names of trust.py's _FILE_NAME are reserved for these.
_PATCH = "patchgen.cocci"
_MACROS = "patchgen-macros.h"
_BUILTIN_MACROS = "patchgen-builtin-macros.h"
_ISOMORPHISMS = "patchgen.iso"
# Memory that OCaml may waste, in percent of the data in use, before it collects garbage (OCaml's
# manual, "ocamlrun"). With the default, 80 in OCaml 4.13, this takes a third of spatch's time. With
# 400, spatch needs a fifth less time, and 65 MB instead of 50 MB for 500 KB of code, 250 MB instead
# of 150 MB for 2 MB. A higher value saves little more, and many processes might run out of memory.
_COLLECTION = "o=400"
HINT = "install Coccinelle (Debian: apt-get install coccinelle), or set SPATCH to its path"


@dataclass(frozen=True, slots=True)
class RunnableSmpl:
    """A semantic patch as it is run over files.

    `options` are options for spatch (the .cocci's own `// Options:`, -I, ...). `modes` are the
    virtual rules that are defined (-D NAME). With `shows_marks` (context mode) lines are marked,
    and nothing is changed. With `locates` the places of hits are determined, which takes spatch
    longer. With `restyles`, changed lines are laid out in the kernel's style. `companions` are
    other files that the semantic patch reads, by the names that it uses, `isomorphisms` the text of
    the file that options name. `headers` are read before each file, and named in the same way.
    `builtin_macros`, unless empty, replace those of spatch. `may_run_code` is set if the user
    trusts it.
    """

    patch: SemanticPatch
    options: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    shows_marks: bool = False
    locates: bool = False
    restyles: bool = False
    companions: Mapping[str, str] = field(default_factory=dict)
    isomorphisms: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    builtin_macros: str = ""
    may_run_code: bool = False

    @property
    def scripts(self) -> tuple[Rule, ...]:
        """The scripts that can run, including those of companions.

        In one mode most cannot: `@script:python depends on report@` does not run in patch mode. So
        their output need not be read, and they keep no state between files.
        """
        virtuals = self.virtuals
        rules = chain.from_iterable(map(read_rules, (self.patch.text, *self.companions.values())))
        return tuple(rule for rule in rules if rule.is_script and rule.may_run(virtuals))

    @property
    def width(self) -> int:
        """The columns that its option --max-width allows, 80 without one."""
        values = self._list_values("--max-width")
        return int(values[-1]) if values and values[-1].isdecimal() else PREFERRED

    @property
    def adds_braces(self) -> bool:
        """Whether a `+` line of a rule has a brace."""
        texts = (self.patch.text, *self.companions.values())
        rules = (rule for rule in chain.from_iterable(map(read_rules, texts)) if not rule.is_script)
        lines = chain.from_iterable(rule.pattern.split("\n") for rule in rules)
        return any(line.startswith("+") and "{" in line for line in lines)

    @property
    def virtuals(self) -> dict[str, bool]:
        """Whether each virtual rule is defined, in this run or by its own options."""
        defined = {*self.modes, *self._list_values("-D")}
        return {name: name in defined for name in read_header(self.patch.text).rules}

    @property
    def definitions(self) -> dict[str, str]:
        """The values of the virtual identifiers that are defined, by its own options or the run."""
        own = (value.partition("=") for value in self._list_values("-D"))
        return {name: value for name, equals, value in own if equals} | {**self.patch.definitions}

    @property
    def dead_rules(self) -> tuple[DeadRule, ...]:
        """The rules that cannot apply in this run."""
        unset = set(read_header(self.patch.text).identifiers) - self.definitions.keys()
        return find_dead_rules(self.patch.text, self.virtuals, unset)

    def restyle(self, before: bytes, after: bytes) -> bytes:
        """Return the new text of a file, in the kernel's style if the program restyles."""
        if not self.restyles or after == before:
            return after
        # The import takes 10 ms, and `apply` does not restyle.
        from patchgen.coccinelle.style import restyle

        return restyle(before, after, self.width, keep_braces=self.adds_braces)

    def _list_values(self, option: str) -> list[str]:
        own_options = read_header(self.patch.text).own_options
        return _list_values((*self.options, *own_options), option)

    def runs(self, language: str) -> bool:
        """Return whether scripts in a language can run."""
        return any(script.language == language for script in self.scripts)


@dataclass(frozen=True, slots=True)
class Spatch:
    """An installed spatch. Two builds of different commits have different versions."""

    path: str
    version: str

    def run(self, program: RunnableSmpl, text: str, scratch: Path, *, timeout_s: int) -> Completed:
        """Run `text`, derived from a semantic patch, over the files in the folder `tree`.

        The file `groups` lists them, separated by empty lines: consecutive lines are one group, in
        which a match in one file has an effect on the others. Both are in a scratch folder, which
        is spatch's home. spatch reads .cocciconfig from the home directory, the working directory
        and --dir (Documentation/dev-tools/coccinelle.rst), so it never reads the kernel's.

        `timeout_s` is spatch's own limit for a file. A hard limit follows, because spatch cannot
        interrupt all of its steps. Raises SpecError for a companion that cannot be written.
        """
        for folder in (scratch, scratch / "tree"):
            _write_companions(folder, program.companions)
        _write_companions(scratch / "tree", program.headers)
        files = (scratch / "groups").read_text(encoding="ascii").split()
        # With groups, another pass gets the text of a file in place of its name (1.1.1).
        is_plain = len(files) == 1 and any(map(may_iterate, program.scripts))
        builtin = program.builtin_macros
        (scratch / _MACROS).write_text(program.patch.macros, encoding="utf-8")
        (scratch / _BUILTIN_MACROS).write_text(builtin, encoding="utf-8")
        return self._start(
            program,
            text,
            scratch,
            # Without a trace if there are OCaml scripts: it would mix with their output.
            *(() if program.runs("ocaml") else ("--debug",)),
            *(("--macro-file-builtins", f"../{_BUILTIN_MACROS}") if builtin else ()),
            *program.options,
            *_name_isomorphisms(program, scratch, ".."),
            *(("--macro-file", f"../{_MACROS}") if program.patch.macros else ()),
            *(() if program.shows_marks else ("--no-show-diff", "--in-place")),
            *("--timeout", str(timeout_s), "--sp-file", f"../{_PATCH}"),
            *(files if is_plain else ("--file-groups", "../groups")),
            inside="tree",
            timeout_s=3 * timeout_s + 60,
        )

    def read_builtin_macros(self) -> str:
        """Return the text of spatch's file of macros; "" if it cannot be read."""
        return _read_builtin_macros(self.path)

    def ask_needs(self, program: RunnableSmpl, text: str, scratch: Path) -> Completed:
        """Let spatch read `text`, derived from a semantic patch, and report the words it needs.

        Raises SpecError for a companion that cannot be written.
        """
        _write_companions(scratch, program.companions)
        isomorphisms = _name_isomorphisms(program, scratch, ".")
        defined = (arg for name in _list_values(program.options, "-D") for arg in ("-D", name))
        options = (*defined, "--parse-cocci", _PATCH, "--debug-parse-cocci", *isomorphisms)
        return self._start(program, text, scratch, *options, timeout_s=120, merge_stderr=True)

    def _start(
        self,
        program: RunnableSmpl,
        text: str,
        scratch: Path,
        *options: str,
        timeout_s: float,
        inside: str = "",
        merge_stderr: bool = False,
    ) -> Completed:
        (scratch / _PATCH).write_text(text, encoding="utf-8")
        values = (f"{name}={value}" for name, value in program.patch.definitions.items())
        definitions = (arg for mode in (*program.modes, *values) for arg in ("-D", mode))
        return run(
            [self.path, *_python(), *definitions, *options],
            cwd=scratch / inside,
            env=_environment(str(scratch)) | {"TMPDIR": str(scratch)},
            ok=None,
            timeout_s=timeout_s,
            merge_stderr=merge_stderr,
        )


def _list_values(options: Sequence[str], name: str) -> list[str]:
    return [value for option, value in pairwise(options) if option == name]


def _environment(home: str) -> dict[str, str]:
    """Return spatch's environment; `home` must not contain a .cocciconfig."""
    env = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": home,
        "LC_ALL": "C",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OCAMLRUNPARAM": _COLLECTION,
    }
    for name in ("COCCINELLE_HOME", "LD_LIBRARY_PATH"):
        if name in os.environ:
            env[name] = os.environ[name]
    return env


def _write_companions(folder: Path, companions: Mapping[str, str]) -> None:
    """Write the files that a semantic patch names into a folder; their names must stay inside it.

    spatch looks for isomorphisms next to the semantic patch. For #include, 1.1.1 looks in its
    working directory, and 1.3.1 in both (parse_cocci.ml). Existing files are not replaced. Raises
    SpecError for a name that cannot be written.
    """
    for name, text in companions.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.write_text(text, encoding="utf-8")
        except OSError as err:
            raise SpecError(
                f"{name} cannot be included: {err.strerror}", code="file-unreadable"
            ) from None


def _name_isomorphisms(program: RunnableSmpl, scratch: Path, folder: str) -> tuple[str, ...]:
    """Write the isomorphisms that options name, and return the option for them.

    It comes after those in the semantic patch (enter.ml), and of several spatch uses the last.
    """
    if not program.isomorphisms:
        return ()
    (scratch / _ISOMORPHISMS).write_text(program.isomorphisms, encoding="utf-8")
    return ("--iso-file", f"{folder}/{_ISOMORPHISMS}")


def _python() -> tuple[str, ...]:
    """Return the option that names the system's Python: a shim would cost 300 ms per run."""
    path = Path("/usr/bin/python3")
    return ("--python", str(path)) if path.exists() else ()


@lru_cache
def _read_builtin_macros(path: str) -> str:
    options = run([path, "--longhelp"], ok=None, cwd=Path("/"), env=_environment(os.devnull)).stdout
    named = re.search(rb"--macro-file-builtins\s+<file> \(default=(.+)\)", options)
    try:
        return Path(os.fsdecode(named[1])).read_text("utf-8", "replace") if named else ""
    except OSError:
        return ""


@lru_cache
def _query_version(path: str) -> str:
    # A .cocciconfig in the user's home or in the working directory would change the answer.
    env = _environment(os.devnull)
    return run([path, "--version"], ok=None, cwd=Path("/"), env=env).stdout.decode(
        "utf-8", "replace"
    )


def find_spatch() -> Spatch:
    """Return the spatch named by $SPATCH or found in $PATH.

    Raises ToolError if there is none, if it is older than MINIMUM_VERSION, or if cp, which spatch
    starts to write a changed file, is not there: spatch ignores that, and the change is lost.
    """
    name = os.environ.get("SPATCH") or "spatch"
    path = shutil.which(name)
    if path is None:
        raise ToolError(f"{name} is not installed", code="program-missing", hint=HINT)
    output = _query_version(path)
    # Between releases, a description of the commit follows the number: 1.3.1-00210-g59ee3d196.
    match = re.search(r"spatch version ((\d+(?:\.\d+)*)\S*)", output)
    if match is None:
        raise ToolError(
            f"{path} does not identify itself as spatch: {output[:80]!r}",
            code="program-version",
            hint=HINT,
        )
    version, number = match.groups()
    if tuple(int(part) for part in number.split(".")) < MINIMUM_VERSION:
        minimum = ".".join(map(str, MINIMUM_VERSION))
        raise ToolError(
            f"{path} is spatch {version}; {minimum} or later is needed",
            code="program-version",
            hint=HINT,
        )
    if shutil.which("cp") is None:
        raise ToolError(
            "cp is not installed; spatch needs it to write a changed file",
            code="program-missing",
            hint="install coreutils, or add the folder of cp to PATH",
        )
    return Spatch(path, version)
