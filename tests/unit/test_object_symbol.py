# SPDX-License-Identifier: GPL-2.0-or-later
"""The CONFIG_ symbol that builds a file, as a folder's makefile and Kconfig have it."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from patchgen.kernel import (
    ObjectSymbol,
    choose_cross_arch,
    find_needed_archs,
    find_object_symbol,
    read_arch_symbols,
)
from tests.support.memory_tree import MemoryTree

MAKEFILE = """\
obj-y += always.o
obj-$(CONFIG_GPIO_XGENE)	+= gpio-xgene.o # APM
obj-$(CONFIG_BIG) += big.o
big-y := one.o \\
	two.o
big-objs += three.o
big-$(CONFIG_PART) += part.o
loop-y += pool.o
pool-y += loop.o
"""
KCONFIG = """\
config GPIO_XGENE
	bool "APM X-Gene GPIO controller support"
	depends on ARM64 && \\
		OF_GPIO
	depends on A || B
	help
		This also
		depends on nothing else.

config BIG
	tristate "Big"
config PART
	bool
	depends on BIG
"""
FILES = {"drivers/x/Makefile": MAKEFILE, "drivers/x/Kconfig": KCONFIG}


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("gpio-xgene.c", "CONFIG_GPIO_XGENE, which depends on ARM64 && OF_GPIO && (A || B)"),
        ("two.c", "CONFIG_BIG"),
        ("three.S", "CONFIG_BIG"),
        ("part.c", "CONFIG_PART, which depends on BIG"),
        ("always.c", None),
        ("loop.c", None),
        ("other.c", None),
    ],
)
def test_the_symbol_of_a_file(name, symbol):
    def read(path: PurePosixPath) -> bytes | None:
        return FILES[str(path)].encode() if str(path) in FILES else None

    found = find_object_symbol(read, PurePosixPath("drivers/x", name))
    assert (str(found) if found else None) == symbol
    assert find_object_symbol(read, PurePosixPath("drivers/y", name)) is None


KCONFIGS = {
    "arch/arm/mach-tegra/Kconfig": "menuconfig ARCH_TEGRA\n\tbool\n",
    "arch/arm64/Kconfig": "config ARM64\n\tdef_bool y\n\nconfig NUMA\n\tbool\n",
    "arch/arm64/Kconfig.platforms": "config ARCH_TEGRA\n\tbool\n",
    "arch/powerpc/platforms/pseries/Kconfig": "config PPC_PSERIES\n\tbool\n",
    "arch/x86/Kconfig": "config NUMA\n\tbool\n",
}


@pytest.mark.parametrize(
    ("conditions", "archs"),
    [
        ((), ""),
        (("OF",), ""),
        (("ARCH_TEGRA",), "arm arm64"),
        (("ARCH_TEGRA", "OF"), "arm arm64"),
        (("ARCH_TEGRA", "ARM64"), "arm64"),
        (("ARM64 || PPC_PSERIES",), "arm64 powerpc"),
        # No architecture has both.
        (("ARM64", "PPC_PSERIES"), ""),
        # These can be met on x86.
        (("NUMA",), ""),
        (("ARCH_TEGRA || OF",), ""),
        (("ARCH_TEGRA || COMPILE_TEST",), ""),
        (("!ARM64",), ""),
    ],
)
def test_the_other_architectures_that_a_symbol_needs(conditions, archs):
    tree = MemoryTree({path: text.encode() for path, text in KCONFIGS.items()})
    needed = find_needed_archs(ObjectSymbol("X", conditions), read_arch_symbols(tree))
    assert " ".join(sorted(needed)) == archs


@pytest.mark.parametrize(
    ("line", "conditions"),
    [
        ("A && (B || C) # why", ("A", "(B || C)")),
        ("A && B || C", ("A && B || C",)),
        ("(A && B) || COMPILE_TEST", ("(A && B) || COMPILE_TEST",)),
    ],
)
def test_only_operands_that_must_all_be_met_are_conditions(line, conditions):
    files = {"Makefile": "obj-$(CONFIG_X) += x.o\n", "Kconfig": f"config X\n\tdepends on {line}\n"}
    found = find_object_symbol(
        lambda path: files.get(path.name, "").encode(), PurePosixPath("d/x.c")
    )
    assert found == ObjectSymbol("X", conditions)


def test_an_architecture_with_a_compiler_is_preferred(monkeypatch):
    installed = ""
    monkeypatch.setattr(
        "patchgen.kernel.configs.shutil.which", lambda name: name if name == installed else None
    )
    assert choose_cross_arch({"um", "arm", "arm64"}) == "arm64"
    assert choose_cross_arch({"um"}) is None
    installed = "arm-linux-gnueabihf-gcc"
    assert choose_cross_arch({"um", "arm", "arm64"}) == "arm"
