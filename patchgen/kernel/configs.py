# SPDX-License-Identifier: GPL-2.0-or-later
"""The configurations of x86 that a series is built in: their names and options."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path

from patchgen.errors import UsageError
from patchgen.kernel.dotconfig import read_dotconfig


@dataclass(frozen=True, slots=True)
class BuildConfig:
    """How to make a .config: a target of kconfig, and options that must differ from it.

    A configuration is refused if kconfig does not set all of `on`, or sets one of `off`. The
    options `if_available` are enabled if the tree has them: a patch of the series may be the one
    that adds them. `file` is the user's .config, used in place of `target`.
    `stable_code` means that functions can be compared between commits: their code contains neither
    line numbers (as the sleeping checks of allmodconfig do) nor addends in instructions (i386).
    """

    name: str
    arch: str
    target: str
    on: tuple[str, ...] = ()
    off: tuple[str, ...] = ()
    if_available: tuple[str, ...] = ()
    file: Path | None = None
    stable_code: bool = True


# -Werror would turn a new warning into an error that hides all others.
_NO_WERROR = ("WERROR",)
_GUEST = ("HYPERVISOR_GUEST", "PARAVIRT", "KVM_GUEST")
# INTEL_TDX_GUEST depends on X86_X2APIC (mainline, arch/x86/Kconfig).
_TDX = ("X86_X2APIC", "INTEL_TDX_GUEST")
CONFIGS = (
    BuildConfig(
        "x86_64",
        "x86_64",
        "x86_64_defconfig",
        (*_GUEST, "AMD_MEM_ENCRYPT"),
        _NO_WERROR,
        if_available=_TDX,
    ),
    BuildConfig(
        "no-amd-mem-encrypt",
        "x86_64",
        "x86_64_defconfig",
        _GUEST,
        ("AMD_MEM_ENCRYPT", *_NO_WERROR),
        if_available=_TDX,
    ),
    BuildConfig(
        "no-paravirt",
        "x86_64",
        "x86_64_defconfig",
        ("AMD_MEM_ENCRYPT",),
        ("PARAVIRT", *_NO_WERROR),
        if_available=_TDX,
    ),
    BuildConfig("i386", "i386", "i386_defconfig", _GUEST, _NO_WERROR, stable_code=False),
    # BTF and the compiler's plugins need programs that building an object does not.
    BuildConfig(
        "allmodconfig",
        "x86_64",
        "allmodconfig",
        off=(*_NO_WERROR, "DEBUG_INFO_BTF", "GCC_PLUGINS"),
        stable_code=False,
    ),
)


def find_config(name: str) -> BuildConfig:
    """Return a configuration by its name, or the user's own .config by a path with a `/`.

    Raises UsageError that lists the known configurations.
    """
    if "/" in name:
        path = Path(name)
        text = read_dotconfig(path)
        if "CONFIG_" not in text:
            raise UsageError(f"{name}: the file has no CONFIG_ option")
        is_32_bit = "CONFIG_X86_32=y\n" in text
        return BuildConfig(
            path.name.lstrip("."),
            "i386" if is_32_bit else "x86_64",
            "olddefconfig",
            file=Path(os.path.realpath(path)),
            stable_code=not is_32_bit,
        )
    for config in CONFIGS:
        if config.name == name:
            return config
    names = [config.name for config in CONFIGS]
    similar = difflib.get_close_matches(name, names, n=1)
    raise UsageError(
        f"unknown configuration {name!r}",
        hint=(f"did you mean {similar[0]}? " if similar else "")
        + f"known: {', '.join(names)}; or the path of a .config, with a /",
        parameters=("configs",),
    )
