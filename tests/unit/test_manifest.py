"""manifest.toml: what is taken, and how an error names file, line, key and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from patchgen.errors import SpecError, UsageError
from patchgen.spec import bind_variables
from patchgen.spec.catalog import find_variant, list_variants
from patchgen.spec.manifest import load_variant

GOOD = """\
schema = 1

[variant]
name = "v"
title = "A variant"
cover = "cover.txt.j2"

[variables.depth]
type = "integer"
default = 3
help = "how deep"

[variables.mode]
type = "choice"
default = "soft"
choices = ["soft", "hard"]
help = "how"

[variables.loud]
type = "boolean"
default = false
help = "whether"

[[patch]]
name = "one"
message = "message.txt.j2"
probe = { file = "a.c", tokens = "x" }

[[patch.rules]]
file = "one.cocci.j2"
on = "a.c"
must_fire = { r = 1, s = ">=2" }
"""


def write(folder: Path, text: str) -> Path:
    (folder / "manifest.toml").write_text(text)
    return folder


def test_loads(tmp_path):
    variant = load_variant(write(tmp_path, GOOD))
    [patch] = variant.manifest.patch
    assert patch.rules[0].on == ("a.c",)
    assert patch.rules[0].must_fire == {"r": 1, "s": ">=2"}


ERRORS = {
    "unknown key": (("on =", "onn ="), "31: patch[1].rules[1].onn: unknown key", "mean 'on'?"),
    "unknown table": (("[variant]", "[varient]"), "3: varient: unknown key", "mean 'variant'?"),
    "missing": (('title = "A variant"\n', ""), "variant.title: is missing", ""),
    "wrong type": (("default = 3", "default = [3]"), "variables.depth.default", ""),
    "no such type": (('"integer"', '"int"'), "variables.depth.type", ""),
    "outside of the tree": (('on = "a.c"', 'on = "../a.c"'), "inside the tree", ""),
    "bad hits": (('">=2"', '"two"'), "must_fire.s", ""),
    "not TOML": (("schema = 1", "schema = "), "manifest.toml:1:10: Invalid value", "schema = "),
    "does nothing": ((GOOD[GOOD.index("[[patch.rules]]") :], ""), "changes nothing", ""),
    "cites nothing": (
        ("[[patch]]", '[[cites]]\nname = "c"\nfile = "a.c"\n\n[[patch]]'),
        "cites[1]: needs `calls` or `reaches`",
        "",
    ),
    "other schema": (("schema = 1", "schema = 2"), "schema", ""),
}


@pytest.mark.parametrize(("change", "said", "hint"), ERRORS.values(), ids=ERRORS)
def test_refuses(tmp_path, change, said, hint):
    assert change[0] in GOOD
    with pytest.raises(SpecError) as caught:
        load_variant(write(tmp_path, GOOD.replace(*change)))
    message = str(caught.value)
    assert message.startswith(str(tmp_path / "manifest.toml"))
    assert said in message
    assert hint in message


def test_a_folder_without_a_manifest(tmp_path):
    with pytest.raises(SpecError, match="a variant is a folder"):
        load_variant(tmp_path)


def test_binds_values_by_type(tmp_path):
    variant = load_variant(write(tmp_path, GOOD))
    assert bind_variables(variant, []) == {"depth": 3, "mode": "soft", "loud": False}
    assert bind_variables(variant, ["depth=0x10", "mode=hard", "loud=yes"]) == {
        "depth": 16,
        "mode": "hard",
        "loud": True,
    }


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("depth=x", "is not an integer"),
        ("mode=mild", "is none of soft, hard"),
        ("loud=maybe", "is neither true nor false"),
        ("dept=1", "did you mean 'depth'?"),
        ("depth", "NAME=VALUE is wanted"),
        ("depth=1 depth=2", "is given twice"),
    ],
)
def test_refuses_values(tmp_path, word, said):
    variant = load_variant(write(tmp_path, GOOD))
    with pytest.raises(UsageError) as caught:
        bind_variables(variant, word.split())
    assert said in str(caught.value)


def test_a_wrong_default_is_the_manifests_fault(tmp_path):
    variant = load_variant(write(tmp_path, GOOD.replace('default = "soft"', 'default = "mild"')))
    with pytest.raises(SpecError, match=r"variables\.mode\.default"):
        bind_variables(variant, [])


def test_shipped_variants_load_and_are_found_by_name():
    names = [variant.name for variant in list_variants()]
    assert "pvops" in names
    assert find_variant("pvops").name == "pvops"
