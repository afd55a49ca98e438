# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the cause of a failed `make` in its output.

Make's own last lines only name the failed recipe ("make[2]: *** [x.o] Error 1"). The cause was
printed before them by a compiler, the assembler, the linker, kconfig or a script. `--output-sync`
keeps the output of each recipe together, so the first error is not mixed with another recipe's.
"""

from __future__ import annotations

import errno
import os
import posixpath
import re
from collections.abc import Sequence
from dataclasses import replace

from patchgen.model.build import BuildFailure

# gcc, clang and bison: "file.c:12:3: error: text"; gas: "file.S:12: Error: text".
_AT_LINE = re.compile(
    r"^(?P<where>[^\s:]+:\d+(?:[:.][\d-]+)*): (?:(?:fatal )?error|Error): (?P<text>.*)$"
)
# kconfig and its scripts: "init/Kconfig:12: syntax error", "x/Kconfig:3:error: recursive ...";
# and make itself: "Makefile:12: *** text.  Stop."
_KCONFIG = re.compile(
    r"^(?P<where>\S*(?:Kconfig|Makefile|Kbuild)[\w.]*:\d+): ?(?!warning)(?:error: )?(?P<text>.*)$"
)
_IN_MAKEFILE = re.compile(
    r"^(?P<where>\S*(?:Makefile|Kbuild)[\w.]*:\d+): \*\*\* (?P<text>.*?)\.?\s*(?:Stop\.)?$"
)
# Programs that print their name: "gcc: error: ...", "ld: cannot find ...", "error: Cannot generate
# ORC metadata ...", "ERROR: modpost: ...".
_BY_NAME = re.compile(
    r"^(?:\S*\b(?:gcc|cc1|clang|as|ld(?:\.\w+)?|collect2)(?:-[\d.]+)?: )?"
    r"(?P<text>(?:(?:fatal )?error|ERROR|FATAL): .+)$"
)
_LINKER = re.compile(
    r"^(?:\S*\bld(?:\.\w+)?: )?(?P<text>.*(?:undefined reference to |multiple definition of |"
    r"cannot find -l|relocation truncated to fit).*)$"
)
# A failed recipe prints "make[1]: *** [Makefile:1: x.o] Error 1"; an error of make itself has no
# number.
_RECIPE = re.compile(r"^make(?:\[\d+\])?: \*\*\* \[(?P<target>.*)\] (?:Error \d+|[A-Z].*)$")
_MAKE_ERROR = re.compile(r"^(?:make(?:\[\d+\])?: )?\*\*\* (?P<text>(?!\[).*?)\.?\s*(?:Stop\.)?$")
# KBUILD_CFLAGS makes these warnings errors in each configuration (5.15: Makefile; 7.1:
# scripts/Makefile.warn).
_ALWAYS_ERROR = re.compile(
    r"-Werror=(?:date-time|designated-init|implicit-function-declaration|implicit-int|"
    r"incompatible-pointer-types|return-type|strict-prototypes)\b"
)
_DENIED = re.compile(r": \./(?P<path>[^\s:]+): Permission denied$")
# Programs print the text of strerror(3) last.
_MACHINE_ERRORS = {
    os.strerror(number): number
    for number in (
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EMFILE,
        errno.ENFILE,
        errno.EAGAIN,
        errno.ENOMEM,
    )
}
_MACHINE_ERROR = re.compile(
    rf": (?:(?P<text>{'|'.join(_MACHINE_ERRORS)})\.?|"
    r"fatal error: Killed signal terminated program \S+)$",
    re.MULTILINE,
)
# Other messages of make itself, except about a program that it cannot start.
_MAKE_NOTE = re.compile(r"^make(?:\[\d+\])?: (?:Entering|Leaving|Nothing|\*\*\*|warning)")
_STEP = re.compile(r"^  [A-Z][A-Z0-9_+-]*(?: \[[MR]\])? +\S+$")
_MARKERS = re.compile(r"^[\s~^|+-]*$")
# Headers that a kernel's host programs include, and Debian's packages for them.
_HEADERS = {"libelf.h": "libelf-dev", "gelf.h": "libelf-dev", "openssl/": "libssl-dev"}


def find_machine_error(output: str) -> OSError | None:
    """Return the error of the machine, such as a full disk, that stopped make; None for others.

    If memory runs out, Linux kills the compiler.
    """
    match = _MACHINE_ERROR.search(output)
    if match is None:
        return None
    number = _MACHINE_ERRORS.get(match["text"] or "", errno.ENOMEM)
    return OSError(number, os.strerror(number))


def find_make_error(output: str, source: str) -> BuildFailure:
    """Return the first cause in the output of a failed make.

    `source` is the folder of the tree; paths are relative to it.
    """
    lines = [line.replace(f"{source}/", "./") for line in output.splitlines()]
    for number, line in enumerate(lines):
        if error := _read_cause(line):
            # kconfig only rejects the empty output of a script; the cause is one line above.
            return _explain_denied(lines[number - 1]) or _explain(error, lines[number:])
    last = _read_last(lines)
    return _explain_denied(last.text) or _explain(last, lines)


def _read_cause(line: str) -> BuildFailure | None:
    """Return the error in a line, None if the line alone does not show one."""
    for pattern in (_AT_LINE, _IN_MAKEFILE, _BY_NAME, _LINKER, _MAKE_ERROR, _KCONFIG):
        if (match := pattern.match(line)) and (text := match["text"].strip()):
            where = match.groupdict().get("where")
            # An include of "../a.h" gives a path with "..".
            place = posixpath.normpath(where) if where else ""
            return BuildFailure(text.replace(" ./", " "), place)
    return None


def _read_last(lines: Sequence[str]) -> BuildFailure:
    """Return the last line that the first failed recipe printed."""
    text, target = "", ""
    for line in lines:
        if match := _RECIPE.match(line):
            target = match["target"]
            break
        if not (_MAKE_NOTE.match(line) or _STEP.match(line) or _MARKERS.match(line)):
            text = line.strip()
    if text:
        return BuildFailure(text)
    return BuildFailure(f"the recipe of {target} failed" if target else "make printed nothing")


def _explain(error: BuildFailure, following: Sequence[str]) -> BuildFailure:
    """Add a hint on what to do."""
    target = next((match["target"] for line in following if (match := _RECIPE.match(line))), "")
    if "-Werror" in error.text and ("tools/" in target or error.where.startswith("tools/")):
        hint = "the compiler is newer than this tree: WERROR=0 builds its tools despite warnings"
        return replace(error, hint=hint, parameter="make_variables")
    if "-Werror" in error.text and not _ALWAYS_ERROR.search(error.text):
        hint = "disable CONFIG_WERROR in the .config"
        return replace(error, hint=hint, parameter="configs")
    if "No such file" in error.text:
        for header, package in _HEADERS.items():
            if header in error.text:
                return replace(error, hint=f"apt-get install {package}")
    return error


def _explain_denied(line: str) -> BuildFailure | None:
    match = _DENIED.search(line)
    if match is None:
        return None
    return BuildFailure(
        "the script has no exec bit in this tree, and make cannot run it",
        match["path"],
        f"`git update-index --chmod=+x {match['path']}`, and commit the change",
    )
