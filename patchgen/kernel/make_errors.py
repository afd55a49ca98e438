# SPDX-License-Identifier: GPL-2.0-or-later
"""The cause of a failed `make`, found in its output.

Make's own last lines only say which recipe failed ("make[2]: *** [x.o] Error 1"). The cause is what
a compiler, the assembler, the linker, kconfig or a script printed before that. `--output-sync`
keeps the output of one recipe together, so that the first error is not the end of another one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# gcc, clang and bison: "file.c:12:3: error: text"; gas: "file.S:12: Error: text".
_AT_LINE = re.compile(
    r"^(?P<where>[^\s:]+:\d+(?:[:.][\d-]+)*): (?:(?:fatal )?error|Error): (?P<text>.*)$"
)
# kconfig and its scripts: "init/Kconfig:12: syntax error", "x/Kconfig:3:error: recursive ...";
# of make, "Makefile:12: *** text.  Stop."
_KCONFIG = re.compile(
    r"^(?P<where>\S*(?:Kconfig|Makefile|Kbuild)[\w.]*:\d+): ?(?!warning)(?:error: )?(?P<text>.*)$"
)
_IN_MAKEFILE = re.compile(
    r"^(?P<where>\S*(?:Makefile|Kbuild)[\w.]*:\d+): \*\*\* (?P<text>.*?)\.?\s*(?:Stop\.)?$"
)
# Programs that name themselves: "gcc: error: ...", "ld: cannot find ...", "error: Cannot generate
# ORC metadata ...", "ERROR: modpost: ...".
_BY_NAME = re.compile(
    r"^(?:\S*\b(?:gcc|cc1|clang|as|ld(?:\.\w+)?|collect2)(?:-[\d.]+)?: )?"
    r"(?P<text>(?:(?:fatal )?error|ERROR|FATAL): .+)$"
)
_LINKER = re.compile(
    r"^(?:\S*\bld(?:\.\w+)?: )?(?P<text>.*(?:undefined reference to |multiple definition of |"
    r"cannot find -l|relocation truncated to fit).*)$"
)
# A recipe ends in "make[1]: *** [Makefile:1: x.o] Error 1"; what make itself lacks has no number.
_RECIPE = re.compile(r"^make(?:\[\d+\])?: \*\*\* \[(?P<target>.*)\] (?:Error \d+|[A-Z].*)$")
_MAKE_LACKS = re.compile(r"^(?:make(?:\[\d+\])?: )?\*\*\* (?P<text>(?!\[).*?)\.?\s*(?:Stop\.)?$")
_DENIED = re.compile(r": \./(?P<path>[^\s:]+): Permission denied$")
# All else that make says in its own name is about a program that it cannot start.
_MAKE = re.compile(r"^make(?:\[\d+\])?: (?:Entering|Leaving|Nothing|\*\*\*|warning)")
_STEP = re.compile(r"^  [A-Z][A-Z0-9_+-]*(?: \[[MR]\])? +\S+$")
_NOTHING = re.compile(r"^[\s~^|+-]*$")
# Headers that the host's programs of a kernel include, and Debian's packages for them.
_HEADERS = {"libelf.h": "libelf-dev", "gelf.h": "libelf-dev", "openssl/": "libssl-dev"}


@dataclass(frozen=True, slots=True)
class MakeError:
    """A cause: the file with its line where one is known, the text, and what to do about it.

    `parameter` names the input that the hint is about, "" for none.
    """

    text: str
    where: str = ""
    hint: str = ""
    parameter: str = ""


def find_make_error(output: str, source: str) -> MakeError:
    """Return the first cause in the output of a make that failed.

    `source` is the folder of the tree; paths are relative to it.
    """
    lines = [line.replace(f"{source}/", "./") for line in output.splitlines()]
    for number, line in enumerate(lines):
        if found := _read_cause(line):
            # kconfig only says that it has no use for what a script printed, which is nothing.
            return _explain_denied(lines[number - 1]) or _explain(found, lines[number:])
    last = _read_last(lines)
    return _explain_denied(last.text) or _explain(last, lines)


def _read_cause(line: str) -> MakeError | None:
    """Return what a line says, where it alone shows that it is an error."""
    for pattern in (_AT_LINE, _IN_MAKEFILE, _BY_NAME, _LINKER, _MAKE_LACKS, _KCONFIG):
        if (match := pattern.match(line)) and (text := match["text"].strip()):
            where = (match.groupdict().get("where") or "").removeprefix("./")
            return MakeError(text.replace(" ./", " "), where)
    return None


def _read_last(lines: Sequence[str]) -> MakeError:
    """Return the last line that the first recipe which failed printed."""
    text, target = "", ""
    for line in lines:
        if match := _RECIPE.match(line):
            target = match["target"]
            break
        if not (_MAKE.match(line) or _STEP.match(line) or _NOTHING.match(line)):
            text = line.strip()
    if text:
        return MakeError(text)
    return MakeError(f"the recipe of {target} failed" if target else "make printed nothing")


def _explain(error: MakeError, rest: Sequence[str]) -> MakeError:
    """Add what to do, and the folder that a sub-make of tools/ does not name."""
    target = next((match["target"] for line in rest if (match := _RECIPE.match(line))), "")
    if "-Werror" in error.text and ("tools/" in target or error.where.startswith("tools/")):
        hint = "the compiler is newer than this tree: WERROR=0 builds its tools all the same"
        return MakeError(error.text, error.where, hint, "make_variables")
    if "-Werror" in error.text:
        hint = "switch CONFIG_WERROR off in the .config"
        return MakeError(error.text, error.where, hint, "configs")
    if "No such file" in error.text:
        for header, package in _HEADERS.items():
            if header in error.text:
                return MakeError(error.text, error.where, f"apt-get install {package}")
    return error


def _explain_denied(line: str) -> MakeError | None:
    match = _DENIED.search(line)
    if match is None:
        return None
    return MakeError(
        "the script has no exec bit in this tree, and make cannot run it",
        match["path"],
        f"`git update-index --chmod=+x {match['path']}`, and commit that",
    )
