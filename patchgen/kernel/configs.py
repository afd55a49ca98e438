# SPDX-License-Identifier: GPL-2.0-or-later
"""The configurations to build a series in: several of x86, allmodconfig of other architectures."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from patchgen.errors import ToolError, UsageError, find_similar
from patchgen.kernel.dotconfig import read_dotconfig


@dataclass(frozen=True, slots=True)
class BuildConfig:
    """How to make a .config: a target of kconfig, and options that must differ from it.

    A configuration is refused if kconfig does not set all of `on`, or sets one of `off`. The
    options `if_available` are enabled if the tree has them: a patch of the series may be the one
    that adds them. `file` is the user's .config, used in place of `target`.
    `stable_code` means that functions can be compared between commits: their code contains neither
    line numbers (as the sleeping checks of allmodconfig do) nor addends in instructions (i386).
    `compiler` is the prefix of a cross compiler's programs, "" for those of this machine.
    """

    name: str
    arch: str
    target: str
    on: tuple[str, ...] = ()
    off: tuple[str, ...] = ()
    if_available: tuple[str, ...] = ()
    file: Path | None = None
    stable_code: bool = True
    compiler: str = ""


# -Werror would turn a new warning into an error that hides all others.
_NO_WERROR = ("WERROR",)
_GUEST = ("HYPERVISOR_GUEST", "PARAVIRT", "KVM_GUEST")
# INTEL_TDX_GUEST depends on X86_X2APIC (mainline, arch/x86/Kconfig).
_TDX = ("X86_X2APIC", "INTEL_TDX_GUEST")
_ALLMODCONFIG = BuildConfig(
    "allmodconfig",
    "x86_64",
    "allmodconfig",
    # BTF and the compiler's plugins need programs that building an object does not.
    off=(*_NO_WERROR, "DEBUG_INFO_BTF", "GCC_PLUGINS"),
    stable_code=False,
)
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
    _ALLMODCONFIG,
)
# The prefixes of Debian's cross compilers (packages gcc-TRIPLET) for the folders of arch/. If there
# are several for an architecture, this is the one for allmodconfig.
_CROSS_COMPILERS = {
    "alpha": "alpha-linux-gnu-",
    "arm": "arm-linux-gnueabihf-",
    "arm64": "aarch64-linux-gnu-",
    "loongarch": "loongarch64-linux-gnu-",
    "m68k": "m68k-linux-gnu-",
    "mips": "mips-linux-gnu-",
    "parisc": "hppa-linux-gnu-",
    "powerpc": "powerpc64-linux-gnu-",
    "riscv": "riscv64-linux-gnu-",
    "s390": "s390x-linux-gnu-",
    "sh": "sh4-linux-gnu-",
    "sparc": "sparc64-linux-gnu-",
}


def find_arch(path: PurePosixPath) -> str | None:
    """Return the architecture of a file in arch/, None for x86 and for files outside of arch/."""
    parts = path.parts
    return parts[1] if len(parts) > 2 and parts[0] == "arch" and parts[1] != "x86" else None


def name_compiler_package(arch: str) -> str | None:
    """Return Debian's package of the cross compiler for an architecture, None if unknown."""
    prefix = _CROSS_COMPILERS.get(arch)
    return f"gcc-{prefix.removesuffix('-')}" if prefix else None


def find_cross_config(arch: str) -> BuildConfig | None:
    """Return allmodconfig of another architecture, None if its compiler is not installed."""
    prefix = _CROSS_COMPILERS.get(arch)
    if prefix is None or shutil.which(f"{prefix}gcc") is None:
        return None
    return replace(_ALLMODCONFIG, name=f"{_ALLMODCONFIG.name}-{arch}", arch=arch, compiler=prefix)


def choose_cross_arch(archs: Collection[str]) -> str | None:
    """Return the architecture that is the easiest to build for, None if no compiler is known.

    Those with an installed compiler come first, then arm64, whose drivers the others share most.
    """
    return min(
        (arch for arch in archs if arch in _CROSS_COMPILERS),
        key=lambda arch: (find_cross_config(arch) is None, arch != "arm64", arch),
        default=None,
    )


def list_configs() -> list[str]:
    """Return the names that find_config() knows, those of installed cross compilers included."""
    cross_configs = filter(None, map(find_cross_config, _CROSS_COMPILERS))
    return [config.name for config in (*CONFIGS, *cross_configs)]


def _read_own_config(path: Path) -> BuildConfig:
    text = read_dotconfig(path)
    if "CONFIG_" not in text:
        raise UsageError(f"{path}: the file has no CONFIG_ option", code="dot-config")
    is_32_bit = "CONFIG_X86_32=y\n" in text
    return BuildConfig(
        path.name.lstrip("."),
        "i386" if is_32_bit else "x86_64",
        "olddefconfig",
        file=Path(os.path.realpath(path)),
        stable_code=not is_32_bit,
    )


def find_config(name: str) -> BuildConfig:
    """Return a configuration by its name, or the user's own .config by a path with a `/`.

    `allmodconfig-ARCH` is allmodconfig of another architecture. Raises UsageError that lists the
    known configurations, and ToolError if no compiler for ARCH is installed.
    """
    if "/" in name:
        return _read_own_config(Path(name))
    for config in CONFIGS:
        if config.name == name:
            return config
    prefix, _, arch = name.partition("-")
    if prefix == _ALLMODCONFIG.name and arch in _CROSS_COMPILERS:
        cross_config = find_cross_config(arch)
        if cross_config is not None:
            return cross_config
        raise ToolError(
            f"no compiler for {arch} is installed",
            code="program-missing",
            hint=f"apt-get install {name_compiler_package(arch)}",
        )
    names = [config.name for config in CONFIGS]
    similar = find_similar(name, names)
    raise UsageError(
        f"unknown configuration {name!r}",
        code="name-unknown",
        hint=(f"did you mean {similar}? " if similar else "")
        + f"known: {', '.join(names)}, {_ALLMODCONFIG.name}-ARCH; or the path of a .config, "
        "with a /",
        parameters=("configs",),
    )
