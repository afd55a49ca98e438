# SPDX-License-Identifier: GPL-2.0-or-later
"""manifest.toml: what is taken, and how an error names file, line, key and remedy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from patchgen.errors import SpecError, UsageError
from patchgen.spec import bind_variables, describe_variables
from patchgen.spec.probe import fill_in, find_facts
from patchgen.spec.toml import locate
from patchgen.spec.variant import find_variant, load_variant
from patchgen.spec.variant_folders import list_names
from tests.support.memory_tree import MemoryTree

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
    "does nothing": ((GOOD[GOOD.index("[[patch.rules]]") :], ""), "has no changes", ""),
    "cites nothing": (
        ("[[patch]]", '[[cites]]\nname = "c"\nfile = "a.c"\n\n[[patch]]'),
        "cites[1]: needs `calls` or `reaches`",
        "",
    ),
    "other schema": (("schema = 1", "schema = 2"), "schema", ""),
}


@pytest.mark.parametrize(("change", "problem", "hint"), ERRORS.values(), ids=ERRORS)
def test_refuses(tmp_path, change, problem, hint):
    assert change[0] in GOOD
    with pytest.raises(SpecError) as caught:
        load_variant(write(tmp_path, GOOD.replace(*change)))
    message = str(caught.value)
    assert message.startswith(str(tmp_path / "manifest.toml"))
    assert problem in message
    assert hint in message


def add_backend(folder: Path, name: str, stated_name: str, variables: str = "") -> None:
    text = (
        f'schema = 1\n[backend]\nname = "{stated_name}"\ntitle = "A backend"\n{variables}\n'
        '[[patch]]\nname = "two"\nmessage = "message.txt.j2"\n'
        'probe = { file = "a.c", tokens = "y" }\n'
        '[[patch.rules]]\nfile = "two.cocci.j2"\non = "a.c"\n'
    )
    (folder / "backends" / name).mkdir(parents=True)
    (folder / "backends" / name / "manifest.toml").write_text(text)


WITH_BACKENDS = GOOD.replace(
    'cover = "cover.txt.j2"\n', 'cover = "cover.txt.j2"\nbackends = ["b"]\n'
)


def test_a_backend_that_is_called_other_than_its_folder_is_refused(tmp_path):
    write(tmp_path, WITH_BACKENDS)
    add_backend(tmp_path, "b", "another")
    with pytest.raises(
        SpecError, match='is "another", but the folder is named backends/b'
    ) as caught:
        load_variant(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}/backends/b/manifest.toml:3: backend.name: ")
    shutil.rmtree(tmp_path / "backends")
    add_backend(tmp_path, "b", "b")
    assert [unit.backend for unit in load_variant(tmp_path).units] == [None, "b"]


def test_a_variable_that_two_manifests_declare_differently_is_refused(tmp_path):
    write(tmp_path, WITH_BACKENDS)
    same = '[variables.depth]\ntype = "integer"\ndefault = 3\nhelp = "how deep"\n'
    add_backend(tmp_path, "b", "b", same)
    assert list(describe_variables(load_variant(tmp_path))) == ["depth", "mode", "loud"]
    shutil.rmtree(tmp_path / "backends")
    add_backend(tmp_path, "b", "b", same.replace("3", "4"))
    with pytest.raises(SpecError, match="is declared twice with different content") as caught:
        describe_variables(load_variant(tmp_path))
    assert str(caught.value).startswith(f"{tmp_path}/backends/b/manifest.toml:5: variables.depth: ")


def test_a_fact_that_two_manifests_declare_differently_is_refused(tmp_path):
    fact = '[facts.has_x]\nfile = "a.c"\ntokens = "x"\n'
    write(tmp_path, WITH_BACKENDS.replace("[variables.depth]", f"{fact}[variables.depth]", 1))
    add_backend(tmp_path, "b", "b", fact)
    tree = MemoryTree({"a.c": b"x\n"})
    found = find_facts(load_variant(tmp_path).units, tree)
    assert {name: str(site) for name, site in found.items()} == {"has_x": "a.c:1"}
    shutil.rmtree(tmp_path / "backends")
    add_backend(tmp_path, "b", "b", fact.replace('"x"', '"y"'))
    with pytest.raises(SpecError, match="is declared twice with different content"):
        find_facts(load_variant(tmp_path).units, tree)


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
    ("definition", "problem"),
    [
        ("depth=x", "is not an integer"),
        ("mode=mild", "is not one of soft, hard"),
        ("loud=maybe", "is neither true nor false"),
        ("dept=1", "did you mean 'depth'?"),
        ("depth", "expected NAME=VALUE"),
        ("depth=1 depth=2", "is defined twice"),
    ],
)
def test_refuses_values(tmp_path, definition, problem):
    variant = load_variant(write(tmp_path, GOOD))
    with pytest.raises(UsageError) as caught:
        bind_variables(variant, definition.split())
    assert problem in str(caught.value)


@pytest.mark.parametrize("value", ["\x1b[2J", "a\rb", "\u202e", "\udcff", "\0"], ids=ascii)
@pytest.mark.parametrize("kind", ["identifier", "string", "text", "choice"])
def test_a_value_has_no_control_characters(tmp_path, kind, value):
    text = GOOD.replace('type = "choice"', f'type = "{kind}"')
    variant = load_variant(write(tmp_path, text))
    with pytest.raises(UsageError, match="the variable mode"):
        bind_variables(variant, [f"mode={value}"])


def test_a_text_may_have_several_lines(tmp_path):
    variant = load_variant(write(tmp_path, GOOD.replace('type = "choice"', 'type = "text"')))
    assert bind_variables(variant, ["mode=a\n\tb"])["mode"] == "a\n\tb"


_ODD_MANIFESTS = {
    "a NUL byte": (GOOD.replace("soft", "so\0ft").encode(), "manifest.toml:15: has a NUL"),
    "an escaped NUL": (
        GOOD.replace('"message.txt.j2"', r'"mess\u0000age"').encode(),
        "manifest.toml:26: patch[1].message: has a control character",
    ),
    "an escape in a title": (
        GOOD.replace("A variant", r"A \u001b[2Jvariant").encode(),
        r"manifest.toml:5: variant.title: has a control character: A \x1b[2Jvariant",
    ),
    "an escape in a key": (
        GOOD.replace("[variables.mode]", r'[variables."mo\u001bde"]').encode(),
        "has a control character",
    ),
    "a byte order mark": (b"\xef\xbb\xbf" + GOOD.encode(), "manifest.toml:1: begins with a byte"),
    "Latin-1": (GOOD.replace("A variant", "Ä").encode("latin-1"), "manifest.toml:5: is not UTF-8"),
    "UTF-16": (GOOD.encode("utf-16"), "manifest.toml:1: is not UTF-8"),
    "deep lists": (b"x = " + b"[" * 100_000 + b"]" * 100_000, "is nested too deeply"),
    "deep tables": (b"x = " + b"{a=" * 5000 + b"1" + b"}" * 5000, "is nested too deeply"),
    "deep keys": (b"#\n" + b".".join([b"a"] * 500_000) + b" = 1", "manifest.toml:2: has a key of"),
    "deep quoted keys": (b" . ".join([b'"\\"."', b"'.'"] * 99) + b" = 1", ":1: has a key of more"),
    "many lines": (b"x = [\n" + b"1,\n" * 40_000 + b"]\n", "manifest.toml: x: unknown key"),
    "a range that is none": (
        GOOD.replace('on = "a.c"', 'on = "[z-a]"').encode(),
        "is not a pattern",
    ),
    "many paths": (
        GOOD.replace('on = "a.c"', f"on = {['a'] * 1001}").encode(),
        "at most 1000 items",
    ),
    "a long number": (b"schema = 1\nx = " + b"1" * 5000, "manifest.toml:2: has a number that is"),
    "a key twice": (b"schema = 1\nschema = 1\n", "manifest.toml:2:11: Cannot overwrite a value"),
    "a table twice": (GOOD.encode() + b"[variant]\n", "Cannot declare ('variant',) twice"),
    "a large integer": (
        GOOD.replace("r = 1,", "r = 0x" + "f" * 5000 + ",").encode(),
        "must_fire.r",
    ),
    "too much": (b"#" * (5 << 20), "manifest.toml: is larger than 4 MiB"),
    "empty": (b"", "is missing"),
}


@pytest.mark.parametrize(("content", "problem"), _ODD_MANIFESTS.values(), ids=_ODD_MANIFESTS)
def test_an_odd_manifest_gets_a_message_with_its_line(tmp_path, content, problem):
    (tmp_path / "manifest.toml").write_bytes(content)
    with pytest.raises(SpecError) as caught:
        load_variant(tmp_path)
    message = str(caught.value)
    assert message.startswith(str(tmp_path / "manifest.toml"))
    assert problem in message
    assert len(message) < 2000


def test_a_default_that_no_integer_of_c_holds_is_refused(tmp_path):
    text = GOOD.replace("default = 3", "default = 0x" + "f" * 5000)
    with pytest.raises(SpecError, match=r"variables\.depth\.default: the default 0xfff"):
        bind_variables(load_variant(write(tmp_path, text)), [])


def test_a_line_is_found_whatever_stands_above():
    text = """\
a = 1 # comment

b = [
  "[[patch]]",
]
c = \'\'\'
[[patch]]
x = 1
\'\'\'
[[patch]]
x = 1
[[patch]]
y = { z = 1 }

[[patch.rules]]
x = [
  1,
]
"""
    assert locate(text, ["b", 0]) == 3
    assert locate(text, ["patch", 0, "x"]) == 11
    assert locate(text, ["patch", 1, "y", 0, "z"]) == 13
    assert locate(text, ["patch", 1, "rules", 0, "x"]) == 16
    assert locate(text, ["patch", 1, "rules", 0, "none"]) == 15
    assert locate(text, ["none"]) is None


def test_values_that_name_each_other_do_not_grow():
    values = {f"v{i}": f"{{v{i + 1}}}" * 2 for i in range(64)}
    assert fill_in("{v0} {none}", values) == "{v1}{v1} {none}"


def test_a_wrong_default_is_the_manifests_fault(tmp_path):
    variant = load_variant(write(tmp_path, GOOD.replace('default = "soft"', 'default = "mild"')))
    with pytest.raises(SpecError, match=r"variables\.mode\.default"):
        bind_variables(variant, [])


def test_shipped_variants_load_and_are_found_by_name():
    assert "pvops" in list_names()
    assert find_variant("pvops").name == "pvops"
