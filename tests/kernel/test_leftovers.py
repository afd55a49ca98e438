# SPDX-License-Identifier: GPL-2.0-or-later
"""Ten renames on Debian's 6.12: each token of an old name was changed, or is left and named."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from patchgen.ctokens import tokenize
from patchgen.model.base import Oid
from patchgen.odb import GitTree, Repository

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-read")]

FOLDER = "drivers/gpio"
NAMES = (
    "devm_gpiochip_add_data",
    "gpiochip_get_data",
    "gpiochip_lock_as_irq",
    "gpiod_get_value",
    "gpiod_set_value_cansleep",
    "irq_set_handler_locked",
    "of_property_read_u32",
    "platform_get_irq",
    "regmap_update_bits",
    "regmap_write",
)
RULE = """\
@@
identifier f = {NAMES};
expression list es;
@@
- f(es)
+ renamed(es)
"""


def read_sources(kernel: Path) -> dict[str, bytes]:
    """Return the C files of the folder by path. The kernel has no work tree."""
    with closing(Repository(kernel)) as repository:
        tree = GitTree(repository, repository.resolve_tree(Oid("HEAD")))
        files = tree.find([f"{FOLDER}/**.c", f"{FOLDER}/**.h"])
        return {str(file.path): tree.read(file) for file in files}


def test_each_token_is_changed_or_named(kernel_6_12: Path, patchgen, tmp_path: Path):
    rule = tmp_path / "rename.cocci"
    rule.write_text(RULE.replace("NAMES", ", ".join(NAMES)))
    finished = patchgen("run", rule, FOLDER, "--tree", kernel_6_12, "--json", "--no-cache")
    assert finished.code == 0, finished.err
    [result] = json.loads(finished.out)["results"]
    sources = read_sources(kernel_6_12)
    tokens = Counter(
        token.text.decode("latin-1") for source in sources.values() for token in tokenize(source)
    )
    left = Counter(place["word"] for place in result["leftovers"]["places"] if place["is_code"])
    changed = {count["word"]: count["changed"] for count in result["leftovers"]["words"]}
    assert changed.keys() == set(NAMES) and sum(changed.values()) > 300
    for name in NAMES:
        assert changed[name] + left[name] == tokens[name], name
    # A call that the rule does not match would be a fault; a name or a pointer would not.
    lines = {
        (place["path"], place["line"])
        for place in result["leftovers"]["places"]
        if place["reason"] == "code that the semantic patch does not change"
    }
    for path, line in lines:
        text = sources[path].split(b"\n")[line - 1].decode("latin-1")
        is_call = text.startswith(("\t", " ")) and any(f"{name}(" in text for name in NAMES)
        assert not is_call, (path, line, text)
