# SPDX-License-Identifier: GPL-2.0-or-later
"""Read a .config: the options that are set, and the architecture that it is for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from patchgen.errors import ErrorPlace, SpecError, UsageError
from patchgen.sourcefolder import read_regular

_HINT = "name a .config, as `make defconfig` writes it"
_PARAMETERS = ("config", "configs", "only_built")
_SET = re.compile(r"(CONFIG_\w+)=(.*)")
_UNSET = re.compile(r"# CONFIG_\w+ is not set")
# kconfig's first comment: "# Linux/x86 6.1.0 Kernel Configuration".
_HEADER = re.compile(r"^# Linux/(\w+) ", re.MULTILINE)
_FOLDERS = {
    "i386": "x86",
    "x86_64": "x86",
    "sparc32": "sparc",
    "sparc64": "sparc",
    "ppc": "powerpc",
}
_ARCHITECTURES = ("x86", "arm64", "arm", "s390", "powerpc", "ppc", "riscv", "mips", "um")


@dataclass(frozen=True, slots=True)
class DotConfig:
    """The options that are set, with their values as written, and the name of a folder of arch/."""

    options: Mapping[str, str]
    architecture: str = "x86"


def read_dotconfig(path: Path) -> str:
    """Return the text of a .config. A string option may contain any bytes, as kconfig copies them.

    Raises UsageError if the file cannot be read or is not regular: reading a FIFO would block, and
    a configuration is small.
    """
    try:
        return read_regular(path).decode("utf-8", "surrogateescape")
    except OSError as err:
        why = f"cannot be read: {err.strerror}"
    except SpecError as err:
        why = err.message
    raise UsageError(
        f"{path}: the configuration {why}", code="dot-config", hint=_HINT, parameters=_PARAMETERS
    )


def load_dotconfig(path: Path) -> DotConfig:
    """Return the options that the user's .config sets.

    Raises UsageError, with the line, for a file that cannot be read or is not a .config.
    """
    text = read_dotconfig(path)
    is_config = False
    for number, line in enumerate(re.split(r"\r?\n", text), 1):
        if _SET.fullmatch(line.strip()) or _UNSET.fullmatch(line.strip()):
            is_config = True
        elif line.strip() and not line.startswith("#"):
            raise UsageError(
                "this line does not belong in a .config",
                code="dot-config",
                place=ErrorPlace(str(path), number, excerpt=line[:200]),
            )
    if not is_config:
        raise UsageError(
            f"{path}: the file has no CONFIG_ option",
            code="dot-config",
            hint=_HINT,
            parameters=_PARAMETERS,
        )
    return parse_dotconfig(text)


def parse_dotconfig(text: str) -> DotConfig:
    """Return the options that the text of a .config sets; other lines are ignored."""
    matches = filter(None, (_SET.fullmatch(line.strip()) for line in text.split("\n")))
    options = {match[1]: match[2] for match in matches}
    return DotConfig(options, _find_architecture(text, options))


def _find_architecture(text: str, options: Mapping[str, str]) -> str:
    header = _HEADER.search(text)
    set_options = (name for name in _ARCHITECTURES if f"CONFIG_{name.upper()}" in options)
    name = header[1] if header else next(set_options, "x86")
    return _FOLDERS.get(name, name)
