# SPDX-License-Identifier: GPL-2.0-or-later
"""#if expressions by a .config, and files that are not a .config."""

from __future__ import annotations

import pytest

from patchgen.audit.conditions import Conditions
from patchgen.errors import PatchgenError
from patchgen.kernel.dotconfig import load_dotconfig

SETTINGS = {"CONFIG_A": "y", "CONFIG_M": "m"}


@pytest.mark.parametrize(
    ("condition", "with_config", "without_config"),
    [
        ("defined(CONFIG_A)", True, None),
        ("defined CONFIG_B", False, None),
        ("defined(CONFIG_M)", False, None),
        ("IS_ENABLED(CONFIG_M)", True, None),
        ("IS_BUILTIN(CONFIG_M)", False, None),
        ("defined(CONFIG_B) || IS_ENABLED(CONFIG_A)", True, None),
        ("!(defined(CONFIG_A)) && (1)", False, None),
        ("defined(CONFIG_A) && defined(SOMETHING)", None, None),
        ("defined(CONFIG_B) && defined(SOMETHING)", False, None),
        ("0", False, False),
        ("!defined(__ASSEMBLY__)", True, True),
        ("defined(MODULE)", False, False),
        ("LINUX_VERSION_CODE >= KERNEL_VERSION(5, 1, 0)", None, None),
        ("nonsense ((", None, None),
    ],
)
def test_conditions_have_three_values(condition, with_config, without_config):
    assert Conditions(SETTINGS).holds(condition) is with_config
    assert Conditions(None).holds(condition) is without_config


def test_reads_a_config(tmp_path):
    path = tmp_path / ".config"
    path.write_text('#\n# x\n#\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_S="a b"\n')
    assert load_dotconfig(path).options == {"CONFIG_A": "y", "CONFIG_S": '"a b"'}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"CONFIG_A=y\nint main(void);\n", "this line does not belong in a .config"),
        (b"# nothing\n", "has no CONFIG_ option"),
        (b"\xff\xfe\x00", "this line does not belong in a .config"),
        (None, "No such file"),
    ],
)
def test_a_file_that_is_not_a_config_is_refused(tmp_path, content, message):
    path = tmp_path / "config"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PatchgenError) as caught:
        load_dotconfig(path)
    assert message in str(caught.value)
