# SPDX-License-Identifier: GPL-2.0-or-later
"""A user's own variant: everything that a manifest can contain, on a tree of two files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.kernels import commit_all
from tests.support.small_variant import add_optional_patch

MANIFEST = """\
schema = 1

[variant]
name = "mine"
title = "toy: Mine"
cover = "cover.txt.j2"
backends = ["one", "two"]

[variables.callee]
type = "identifier"
default = "new_call"
help = "what is called"

[facts.has_extra]
files = ["lib/*.c", "Kconfig"]
tokens = "extra ("
help = "there is extra()"

[[patch]]
name = "rename"
message = "message.txt.j2"
probe = { file = "lib/a.c", tokens = "{callee}(" }

[[patch.rules]]
file = "rename.cocci.j2"
on = ["lib/**.c"]
must_fire = { rename = ">=2" }

[[patch]]
name = "config"
message = "message.txt.j2"
probe = { file = "Kconfig", tokens = "config NEW" }
when = "!has_extra"

[[patch.lines]]
file = "Kconfig"
template = "new.Kconfig.j2"
before = "config LAST"

[[patch.new_files]]
path = "lib/new.c"
template = "new.c.j2"
"""
FILES = {
    "manifest.toml": MANIFEST,
    "cover.txt.j2": "toy: Mine\n\n{{ patches | length }} patches for {{ backends | join(' ') }}.\n",
    "message.txt.j2": "toy: Do {{ patch.name }}\n\nBecause of {{ callee }}().\n",
    "rename.cocci.j2": "@rename@\nposition p;\n@@\n-old_call@p\n+<%= callee %>\n (...)\n",
    "new.Kconfig.j2": "config NEW\n\tbool\n\n",
    "new.c.j2": "int a[] = {{0}};\nvoid <%= callee %>(void);\n",
}
BACKEND = """\
schema = 1
[backend]
name = "{name}"
title = "Backend {name}"
[[patch]]
name = "{name}"
message = "message.txt.j2"
probe = {{ file = "lib/a.c", tokens = "backend_{name}" }}
[[patch.rules]]
file = "add.cocci.j2"
on = "lib/a.c"
must_fire = {{ add_{name} = 1 }}
define = {{ CALL = "call.h.j2" }}
"""


@pytest.fixture
def variant(tmp_path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    for name in ("one", "two"):
        add_backend(folder, name)
    return folder


def add_backend(folder: Path, name: str) -> None:
    backend = folder / "backends" / name
    backend.mkdir(parents=True)
    (backend / "manifest.toml").write_text(BACKEND.format(name=name))
    (backend / "message.txt.j2").write_text(f"toy: Add {name}\n\nBody.\n")
    (backend / "call.h.j2").write_text(f'asm volatile("{name}" : : : "memory")\n')
    (backend / "add.cocci.j2").write_text(
        f"@add_{name}@\nidentifier virtual.CALL;\nposition p;\n@@\n main(...)\n {{\n"
        f" ...\n+backend_{name}();\n+CALL;\n return@p 0;\n }}\n"
    )


@pytest.fixture
def tree(tmp_path) -> Path:
    folder = tmp_path / "tree"
    (folder / "lib/sub").mkdir(parents=True)
    (folder / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 1\n")
    (folder / "Kconfig").write_text("config FIRST\n\tbool\n\nconfig LAST\n\tbool\n")
    (folder / "lib/a.c").write_text("int main(void)\n{\n\told_call(1);\n\treturn 0;\n}\n")
    (folder / "lib/sub/b.c").write_text("void b(void)\n{\n\told_call(2);\n}\n")
    (folder / "lib/sub/b.c").chmod(0o755)
    (folder / "lib/link.c").symlink_to("a.c")
    commit_all(folder, "tree")
    return folder


def make(patchgen, variant, tree, *args) -> dict:
    result = patchgen("apply", "--variant", variant, "--tree", tree, "--json", *args)
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_all_kinds_of_edits(patchgen, variant, tree, git):
    document = make(patchgen, variant, tree)
    assert document["branch"] == "patchgen/mine-v1"
    assert [p["name"] for p in document["patches"]] == ["rename", "config", "one", "two"]
    at_tip = "patchgen/mine-v1:"
    assert git(tree, "show", f"{at_tip}Kconfig") == (
        "config FIRST\n\tbool\n\nconfig NEW\n\tbool\n\nconfig LAST\n\tbool\n"
    )
    assert git(tree, "show", f"{at_tip}lib/new.c") == "int a[] = {{0}};\nvoid new_call(void);\n"
    assert git(tree, "show", f"{at_tip}lib/a.c") == (
        "int main(void)\n{\n\tnew_call(1);\n\tbackend_one();\n"
        '\tasm volatile("one" : : : "memory");\n\tbackend_two();\n'
        '\tasm volatile("two" : : : "memory");\n\treturn 0;\n}\n'
    )
    modes = git(tree, "ls-tree", "-r", "patchgen/mine-v1")
    assert "100755 blob" in next(line for line in modes.splitlines() if "b.c" in line)
    assert "120000 blob" in next(line for line in modes.splitlines() if "link.c" in line)
    cover = Path(document["mails"][0]).read_text()
    assert "4 patches for one two." in cover
    assert any("has no MAINTAINERS" in warning for warning in document["warnings"])


def test_a_chosen_backend_and_a_third_one(patchgen, variant, tree):
    document = make(patchgen, variant, tree, "--backend", "two")
    assert [p["name"] for p in document["patches"]] == ["rename", "config", "two"]
    add_backend(variant, "three")
    manifest = variant / "manifest.toml"
    manifest.write_text(manifest.read_text().replace('"two"]', '"two", "three"]'))
    document = make(patchgen, variant, tree, "--force")
    assert [p["name"] for p in document["patches"]][-3:] == ["one", "two", "three"]


AGAIN = """
[[patch]]
name = "again"
message = "message.txt.j2"
probe = { file = "lib/new.c", tokens = "[1]" }

[[patch.rules]]
file = "again.cocci.j2"
on = "lib/new.c"
must_fire = { again = 1 }

[[patch.lines]]
file = "Kconfig"
template = "newer.Kconfig.j2"
after = ["no such line", "config   NEW"]

[[patch.replace]]
file = "Makefile"
old = "version.old"
new = "version.new"
"""


def test_a_patch_on_what_one_before_it_added(patchgen, variant, tree, git):
    manifest = variant / "manifest.toml"
    manifest.write_text(manifest.read_text() + AGAIN)
    rule = "@again@\nidentifier v;\nposition p;\n@@\n-int v@p[]\n+int v[1]\n = {{0}};\n"
    (variant / "again.cocci.j2").write_text(rule)
    (variant / "newer.Kconfig.j2").write_text("\tdepends on FIRST\n")
    (variant / "version.old").write_text("PATCHLEVEL = 1\n")
    (variant / "version.new").write_text("PATCHLEVEL = 2\n# <%= callee %>\n")
    document = make(patchgen, variant, tree)
    assert [p["name"] for p in document["patches"]] == ["rename", "config", "again", "one", "two"]
    shown = git(tree, "show", "patchgen/mine-v1:lib/new.c", "patchgen/mine-v1:Kconfig")
    assert shown.replace(" ", "").startswith("inta[1]={{0}};\n")
    assert "config NEW\n\tdepends on FIRST\n\tbool\n" in shown
    makefile = git(tree, "show", "patchgen/mine-v1:Makefile")
    assert makefile == "VERSION = 6\nPATCHLEVEL = 2\n# new_call\n"
    assert "Makefile" in Path(document["mails"][0]).read_text()


def test_a_backend_that_the_base_cannot_carry(patchgen, variant, tree):
    need = '[[needs]]\nfile = "lib/*.c"\ntokens = "missing()"\nreason = "what two calls"\n'
    manifest = variant / "backends/two/manifest.toml"
    manifest.write_text(manifest.read_text() + need)
    lack = "lib/*.c lacks `missing()`: what two calls"

    document = make(patchgen, variant, tree)
    assert document["backends"] == ["one"]
    [left_out] = document["left_out"]
    assert (left_out["backend"], left_out["lacks"]) == ("two", [lack])
    assert [p["name"] for p in document["patches"]] == ["rename", "config", "one"]
    assert "4 patches" not in Path(document["mails"][0]).read_text()
    result = patchgen("apply", "--variant", variant, "--tree", tree, "--force")
    assert f"  two left out: this base lacks what it needs:\n    {lack}\n" in result.out

    # A backend that --backend names, or that is the only one, is not optional.
    result = patchgen("apply", "--variant", variant, "--tree", tree, "--force", "--backend", "two")
    assert (result.code, result.out) == (1, "") and lack in result.err
    manifest = variant / "manifest.toml"
    manifest.write_text(manifest.read_text().replace('"one", "two"', '"two"'))
    result = patchgen("apply", "--variant", variant, "--tree", tree, "--force")
    assert (result.code, result.out) == (1, "") and lack in result.err


def test_a_patch_whose_condition_does_not_hold_is_left_out(patchgen, variant, tree, git):
    (tree / "lib/c.c").write_text("void extra(void);\n")
    git(tree, "add", "lib/c.c")
    git(tree, "commit", "-q", "-m", "extra")
    document = make(patchgen, variant, tree)
    assert "config" not in [p["name"] for p in document["patches"]]


@pytest.fixture
def optional(variant) -> Path:
    """Return the variant with an optional patch at its end; nothing in the tree needs it yet."""
    add_optional_patch(variant, "lib/a.c")
    return variant


def call_maybe(tree, git, calls: str) -> None:
    source = tree / "lib/a.c"
    source.write_text(source.read_text() + "void c(void)\n{\n" + calls + "}\n")
    git(tree, "commit", "-q", "-a", "-m", "call")


def test_an_optional_patch_is_made_where_the_base_needs_it(patchgen, optional, tree, git):
    without = make(patchgen, optional, tree)
    assert [p["name"] for p in without["patches"]] == ["rename", "config", "one", "two"]
    assert "4 patches" in Path(without["mails"][0]).read_text()

    # On its own result it makes nothing, and reports nothing.
    args = ("--base", "patchgen/mine-v1", "--backend", "one")
    result = patchgen("apply", "--variant", optional, "--tree", tree, *args)
    assert (result.code, "maybe" in result.out) == (0, False), result.err
    assert "patches are already in" in result.out

    call_maybe(tree, git, "\tmaybe_old(1);\n")
    document = make(patchgen, optional, tree, "--force", "--backend", "one")
    assert [p["name"] for p in document["patches"]] == ["rename", "config", "maybe", "one"]
    assert "maybe_new(1)" in git(tree, "show", "patchgen/mine-v1:lib/a.c")
    result = patchgen("apply", "--variant", optional, "--tree", tree, *args)
    assert "maybe: already there (lib/a.c:" in result.out
    assert "patches are already in" in result.out


def test_an_optional_patch_alone_does_not_overwrite_the_branch(patchgen, optional, tree, git):
    make(patchgen, optional, tree)
    git(tree, "checkout", "-q", "-B", "mine", "patchgen/mine-v1")
    call_maybe(tree, git, "\tmaybe_old(1);\n")
    result = patchgen("apply", "--variant", optional, "--tree", tree, "-o", tree / "other")
    assert (result.code, result.out) == (1, "")
    assert "the branch patchgen/mine-v1 already exists" in result.err
    document = make(patchgen, optional, tree, "-o", tree / "other", "--force")
    assert [p["status"] for p in document["patches"]].count("made") == 1


def test_an_optional_patch_that_changes_something_fires_as_declared(patchgen, optional, tree, git):
    call_maybe(tree, git, "\tmaybe_old(1);\n\tmaybe_old(2);\n")
    result = patchgen("apply", "--variant", optional, "--tree", tree)
    assert (result.code, result.out) == (1, "")
    assert "the rule maybe matched 2 times in lib/a.c" in result.err


CITES = """
[[cites]]
name = "ways"
file = ["lib/*.c"]
reaches = "op"
argument = "&page"

[[cites]]
name = "all"
title = "calls of {callee}() that stay"
file = "lib/**.c"
calls = "{callee}"
reasons = [
    { served = "op", say = "{callee} is what the op calls" },
    { argument = "1", say = "because of 1" },
]

[[cites]]
name = "none"
title = "never printed"
file = "lib/**.c"
calls = "old_call"

[[cites]]
name = "only_if_it_leads_there"
file = "lib/**.c"
calls = "new_call"
reaches = "elsewhere"
"""
CALLERS = """\
#define VIA_MACRO(page) op(&page)
static void callback(int x) { new_call(x); }
struct ops ops = { .op = callback };
static void low(void *p) { ops.op(p); }
void middle(void *p)
{
	low(p);
}
void elsewhere(void)
{
	middle(&page); middle(&other); unrelated(&page);
	f(low(&page));
}
"""


def test_cites_calls_as_they_are_with_all_patches(patchgen, variant, tree, git):
    manifest = variant / "manifest.toml"
    manifest.write_text(manifest.read_text() + CITES)
    cover = variant / "cover.txt.j2"
    cover.write_text(
        cover.read_text() + "{{ cites.ways[0].site }} {{ cites.ways[0].via | join('>') }}\n"
    )
    (variant / "new.c.j2").write_text("void n(void)\n{\n\t<%= callee %>(2);\n}\n")
    (tree / "lib/callers.c").write_text(CALLERS)
    git(tree, "add", "lib/callers.c")
    git(tree, "commit", "-q", "-m", "callers")
    document = make(patchgen, variant, tree)
    assert [[*c.values()] for c in document["cites"]["ways"]] == [
        ["lib/callers.c:11", "elsewhere", ["middle", "low", "op"], None],
        ["lib/callers.c:12", "elsewhere", ["low", "op"], None],
    ]
    # The lines are those of the last commit: after the rules, and with the new files.
    assert [(c["site"], c["function"], c["reason"]) for c in document["cites"]["all"]] == [
        ("lib/a.c:3", "main", "because of 1"),
        ("lib/callers.c:2", "callback", "new_call is what the op calls"),
        ("lib/new.c:3", "n", None),
        ("lib/sub/b.c:3", "b", None),
    ]
    assert document["cites"]["none"] == document["cites"]["only_if_it_leads_there"] == []
    assert "lib/callers.c:11 middle>low>op" in Path(document["mails"][0]).read_text()

    result = patchgen("apply", "--variant", variant, "--tree", tree, "--base", "patchgen/mine-v1")
    assert "patches are already in" in result.out
    assert (
        "  calls of new_call() that stay:\n    lib/a.c:3 main(): because of 1\n"
        "    lib/callers.c:2 callback(): new_call is what the op calls\n"
        "    lib/new.c:3 n()\n    lib/sub/b.c:3 b()\n" in result.out
    )
    assert "never printed" not in result.out


def test_only_files_that_contain_something(patchgen, variant, tree):
    manifest = variant / "manifest.toml"
    text = manifest.read_text()
    manifest.write_text(
        text.replace('on = ["lib/**.c"]', 'on = "lib/**.c"\ncontaining = ["int  main (", "no()"]')
    )
    result = patchgen("apply", "--variant", variant, "--tree", tree)
    assert (result.code, result.out) == (1, "")
    assert "the rule rename matched once in lib/a.c:3, but" in result.err

    manifest.write_text(
        text.replace('on = ["lib/**.c"]', 'on = "lib/**.c"\ncontaining = "old_call(2)"').replace(
            ">=2", ">=1"
        )
    )
    document = make(patchgen, variant, tree, "--backend", "one")
    [rename] = [p for p in document["patches"] if p["name"] == "rename"]
    assert rename["files"] == ["lib/sub/b.c"]

    manifest.write_text(manifest.read_text().replace("old_call(2)", "old_call(3)"))
    result = patchgen("apply", "--variant", variant, "--tree", tree, "--force")
    assert (result.code, result.out) == (1, "")
    assert "the base has no lib/**.c with old_call(3)" in result.err


def test_a_base_with_tokens_that_must_be_absent_is_refused(patchgen, variant, tree, git):
    need = '[[needs]]\nfile = "lib/*.c"\ntokens = "twice("\nabsent = true\nreason = "why not"\n'
    manifest = variant / "manifest.toml"
    manifest.write_text(manifest.read_text() + need)
    assert make(patchgen, variant, tree)["tip"]
    assert "no twice(" in patchgen("show", variant).out
    [shown] = json.loads(patchgen("show", variant, "--json").out)["needs"]
    assert shown["absent"] is True

    (tree / "lib/a.c").write_text((tree / "lib/a.c").read_text() + "void twice (void);\n")
    git(tree, "commit", "-q", "-a", "-m", "twice")
    result = patchgen("apply", "--variant", variant, "--tree", tree, "--force")
    assert (result.code, result.out) == (1, "")
    assert "lib/*.c has `twice(`: why not" in result.err


def test_files_that_variants_share(patchgen, variant, tree):
    """A file that is not in the variant's folder may be in templates/."""
    manifest = variant / "manifest.toml"
    text = manifest.read_text()
    manifest.write_text(text.replace('"rename.cocci.j2"', '"sev/hypercall.cocci.j2"'))
    result = patchgen("apply", "--variant", variant, "--tree", tree)
    assert (result.code, result.out) == (1, "")
    assert "the semantic patch sev/hypercall.cocci.j2 has no rule 'rename'" in result.err
    assert "known rules: sev_hypercall\n" in result.err

    # A file of the variant is used first.
    (variant / "sev").mkdir()
    (variant / "rename.cocci.j2").rename(variant / "sev/hypercall.cocci.j2")
    document = make(patchgen, variant, tree, "--backend", "one")
    assert document["patches"][0]["status"] == "made"

    manifest.write_text(text.replace('"rename.cocci.j2"', '"../outside.cocci.j2"'))
    (variant.parent / "outside.cocci.j2").write_text(FILES["rename.cocci.j2"])
    result = patchgen("apply", "--variant", variant, "--tree", tree, "--force")
    assert (result.code, result.out) == (1, "")
    assert "'../outside.cocci.j2' is not the name of a file in" in result.err


BROKEN = {
    "a rule that does not exist": (
        "manifest.toml",
        ("{ rename =", "{ renamed ="),
        "must_fire.renamed: the semantic patch rename.cocci.j2 has no rule 'renamed'",
    ),
    "too few hits": ("manifest.toml", (">=2", ">=3"), "matched 2 times in lib/a.c"),
    "too many hits": ("manifest.toml", ('">=2"', "1"), "but must match 1"),
    "an undefined variable": ("rename.cocci.j2", ("callee", "calle"), "'calle' is undefined"),
    "broken SmPL": ("rename.cocci.j2", ("@@\n-", "@@\n(-"), "rename.cocci.j2:"),
    "a script": (
        "rename.cocci.j2",
        ("@rename@", "@script:python@\n@@\nx\n\n@rename@"),
        "rename.cocci.j2:1: a script runs code",
    ),
    "a missing file": ("manifest.toml", ("new.c.j2", "newer.c.j2"), "newer.c.j2 does not exist"),
    "a file that exists": ("manifest.toml", ("lib/new.c", "lib/a.c"), "the base already has it"),
    "no such anchor": (
        "manifest.toml",
        ("config LAST", "config LOST"),
        "Kconfig: no line reads 'config LOST'",
    ),
    "no such target": ("manifest.toml", ("lib/**.c", "src/**.c"), "the base has no src/**.c"),
    "no such fact": ("manifest.toml", ("!has_extra", "!has_extr"), "unknown fact 'has_extr'"),
    "a message without a body": (
        "message.txt.j2",
        ("\nBecause of {{ callee }}().\n", ""),
        "an empty line and a body",
    ),
    "a message that git am would cut": (
        "message.txt.j2",
        ("Because", "---\nBecause"),
        "would end it for `git am`",
    ),
}


@pytest.mark.parametrize(("file", "change", "message"), BROKEN.values(), ids=BROKEN)
def test_reports_what_is_wrong_with_a_variant(patchgen, variant, tree, git, file, change, message):
    path = variant / file
    assert change[0] in path.read_text()
    path.write_text(path.read_text().replace(*change))
    refs = git(tree, "for-each-ref")
    result = patchgen("apply", "--variant", variant, "--tree", tree)
    assert (result.code, result.out) == (1, "")
    assert message in result.err
    assert git(tree, "for-each-ref") == refs
    assert not (tree / "outgoing").exists()


@pytest.mark.parametrize("command", ["apply", "run"])
def test_no_variant_runs_code_of_its_own(patchgen, variant, tree, tmp_path, command):
    canary = tmp_path / "canary"
    with (variant / "rename.cocci.j2").open("a") as file:
        file.write(f'@#spatchscript:python@\n@@\nopen("{canary}", "w")\n')
    args = ("apply", "--variant", variant) if command == "apply" else ("run", variant)
    result = patchgen(*args, "--tree", tree)
    assert result.code == 1 and not canary.exists()
    assert "rename.cocci.j2:7: a script runs code; a variant must not do that" in result.err


def test_a_file_that_is_not_the_variants_own_is_refused_at_the_manifests_line(
    patchgen, variant, tree, tmp_path
):
    (tmp_path / "secret").write_text("toy: Secret\n\nsecret\n")
    manifest = variant / "manifest.toml"
    manifest.write_text(MANIFEST.replace("cover =", 'macros = "macros.h"\ncover ='))
    (variant / "macros.h").write_text("\n")
    names = ["macros.h", "cover.txt.j2", "message.txt.j2", "new.Kconfig.j2", "new.c.j2"]
    for name in [*names, "rename.cocci.j2", "backends/one/call.h.j2"]:
        text = (variant / name).read_text()
        (variant / name).unlink()
        (variant / name).symlink_to(tmp_path / "secret")
        result = patchgen("apply", "--variant", variant, "--tree", tree, "--dry-run")
        assert (result.code, result.out) == (1, "")
        folder = variant / "backends/one" if "/" in name else variant
        assert result.err.startswith(f"patchgen: {folder}/manifest.toml:"), result.err
        assert f"{variant / name}: is a symbolic link" in result.err
        (variant / name).unlink()
        (variant / name).write_text(text)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("lib/sub", "cannot add lib/sub: it is a folder of the base, which has lib/sub/b.c"),
        ("lib/a.c/x", "cannot add lib/a.c/x: the base already has lib/a.c, a file"),
        (".GIT/hooks/x", "names git's own folder .git"),
    ],
)
def test_a_new_file_in_the_place_of_another_is_refused_at_its_line(
    patchgen, variant, tree, git, path, why
):
    manifest = variant / "manifest.toml"
    manifest.write_text(MANIFEST.replace('"lib/new.c"', f'"{path}"'))
    before = git(tree, "for-each-ref")
    result = patchgen("apply", "--variant", variant, "--tree", tree)
    assert (result.code, result.out) == (1, "")
    line = manifest.read_text().splitlines().index(f'path = "{path}"') + 1
    assert f"manifest.toml:{line}: " in result.err
    assert why in result.err
    assert git(tree, "for-each-ref") == before


def test_a_semantic_patch_includes_no_file(patchgen, variant, tree, tmp_path):
    (tmp_path / "secret.cocci").write_text("@s@\n@@\n-a\n+b\n")
    for reference in (f'#include "{tmp_path}/secret.cocci"', f'using "{tmp_path}/x.iso"'):
        (variant / "rename.cocci.j2").write_text(f"{reference}\n" + FILES["rename.cocci.j2"])
        result = patchgen("apply", "--variant", variant, "--tree", tree, "--dry-run")
        assert (result.code, result.out) == (1, "")
        assert "a variant must not do that" in result.err
