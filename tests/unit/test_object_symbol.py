# SPDX-License-Identifier: GPL-2.0-or-later
"""The CONFIG_ symbol that builds a file, as a folder's makefile and Kconfig have it."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from patchgen.kernel import describe_symbol

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
        ("always.c", ""),
        ("loop.c", ""),
        ("other.c", ""),
    ],
)
def test_the_symbol_of_a_file(name, symbol):
    def read(path: PurePosixPath) -> bytes | None:
        return FILES[str(path)].encode() if str(path) in FILES else None

    assert describe_symbol(read, PurePosixPath("drivers/x", name)) == symbol
    assert describe_symbol(read, PurePosixPath("drivers/y", name)) == ""
