# SPDX-License-Identifier: GPL-2.0-or-later
"""A name that does not exist: the error says what is missing, and names what is most like it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.small_variant import make_small_tree


@pytest.fixture
def tree(tmp_path, git) -> Path:
    top = make_small_tree(tmp_path, git)
    (top / "drivers/leds").mkdir(parents=True)
    (top / "drivers/leds/core.c").write_text("int f;\n")
    (top / "drivers/usb").mkdir()
    (top / "drivers/usb/hub.c").write_text("int g;\n")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "drivers")
    return top


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("drivers/led", "did you mean 'drivers/leds'?"),
        ("driver/leds/core.c", "did you mean 'drivers/leds/core.c'?"),
        ("driver/gone/core.c", "did you mean 'drivers'?"),
        ("drivers/leds/cor.c", "did you mean 'drivers/leds/core.c'?"),
        ("x.c/below", "did you mean 'x.c'?"),
        ("drivers/qqqq", "`git ls-tree TREE drivers/` lists the names there"),
        ("qqqq", "`git ls-tree TREE` lists the names there"),
    ],
)
@pytest.mark.parametrize("option", ["path of run", "-I", "--folder of verify"])
def test_a_path_that_the_tree_lacks(patchgen, tree, git, path, hint, option):
    rule = tree.parent / "free.cocci"
    commands = {
        "path of run": ("run", rule, path),
        "-I": ("run", rule, "-I", path),
        "--folder of verify": ("verify", "HEAD~1..HEAD", "--folder", path),
    }
    done = patchgen(*commands[option], "--tree", tree)
    oid = git(tree, "rev-parse", "HEAD^{tree}").strip()[:12]
    assert done.code == 1
    assert done.err == (
        f"patchgen: the tree has no {path} [path-unknown]\nhint: {hint.replace('TREE', oid)}\n"
    )
    if "git ls-tree" in hint:
        args = hint.split("`")[1].replace("TREE", oid).split()[1:]
        assert ("drivers/leds" if "/" in args[-1] else "drivers") in git(tree, *args)


def test_a_file_is_not_a_folder_to_build(patchgen, tree):
    done = patchgen("verify", "HEAD~1..HEAD", "--folder", "x.c", "--tree", tree)
    assert (done.code, "x.c is not a folder [path-unknown]" in done.err) == (2, True)


@pytest.mark.parametrize("command", ["run", "test"])
def test_a_semantic_patch_that_does_not_exist(patchgen, tree, command):
    def fail(name: str) -> str:
        done = patchgen(command, name, cwd=tree)
        assert done.code == 2 and "[semantic-patch-unknown]" in done.err
        return done.err

    assert "no such file or folder: nofile.cocci [" in fail("nofile.cocci")
    assert "hint: name a .cocci, a folder of them" in fail("nofile.cocci")
    assert "hint: did you mean '../free.cocci'?" in fail("../fre.cocci")
    if command == "run":
        assert "the folder drivers/usb has no .cocci file [" in fail("drivers/usb")


def test_a_variants_folder_of_a_file_that_the_base_lacks(patchgen, tree):
    manifest = tree.parent / "mine/manifest.toml"
    manifest.write_text(
        manifest.read_text().replace('file = "Kconfig"\ntemp', 'file = "Kconfi"\ntemp')
    )
    done = patchgen("apply", "--variant", tree.parent / "mine", "--tree", tree)
    assert "the base has no Kconfi [base-lacks-needs]\nhint: did you mean 'Kconfig'?" in done.err


@pytest.mark.parametrize(
    ("args", "exit_code", "code"),
    [
        # What patchgen looks up itself.
        (("run", "gone.cocci"), 2, "semantic-patch-unknown"),
        (("apply", "gone"), 2, "variant-unknown"),
        (("help", "gone"), 2, "name-unknown"),
        (("verify", "HEAD~1..HEAD", "--skip", "gone"), 2, "name-unknown"),
        (("run", "free.cocci", "--base=-gone"), 2, "revision-unknown"),
        (("run", "free.cocci", "../gone"), 2, "path-unknown"),
        (("run", "free.cocci", "Makefile"), 2, "path-unknown"),
        # What the repository does not have.
        (("run", "free.cocci", "--base", "gone"), 1, "revision-unknown"),
        (("run", "free.cocci", "gone"), 1, "path-unknown"),
        (("reroll", "gone"), 1, "branch-unknown"),
    ],
)
def test_the_exit_code_tells_a_wrong_command_line_from_another_tree(
    patchgen, tree, args, exit_code, code
):
    """docs/commands.md has the rule."""
    (tree / "free.cocci").write_text("@@\n@@\n- f();\n")
    done = patchgen(*args, cwd=tree)
    assert (done.code, f"[{code}]" in done.err) == (exit_code, True), done.err


@pytest.mark.parametrize(
    ("name", "branch"),
    [
        ("patchgen/presnt-v1", "patchgen/present-v1"),
        ("present-v1", "patchgen/present-v1"),
        ("present", "patchgen/present-v1"),
        ("b4/present", "patchgen/present-v1"),
        ("mastr", "master"),
        # Only the folder of the branch is the same.
        ("patchgen/qqqqq-v9", None),
        ("qqqqq", None),
    ],
)
def test_a_branch_that_does_not_exist_has_the_same_hint_everywhere(
    patchgen, tree, git, name, branch
):
    git(tree, "branch", "patchgen/present-v1")
    hint = f"did you mean {branch!r}?" if branch else "`patchgen list` shows the series"
    mails = tree.parent / "mails"
    mails.mkdir()
    (mails / "1.eml").write_text("From: A <a@example.org>\nMessage-ID: <1@example.org>\n\nHi\n")
    for args in (
        ("verify", name),
        ("send", name, "--dry-run"),
        ("reroll", name),
        ("status", name),
        ("format", name),
        ("trailers", name, mails),
        ("report", name),
    ):
        done = patchgen(*args, "--tree", tree)
        assert done.code == 1 and f"hint: {hint}\n" in done.err, (args, done.err)


@pytest.fixture
def patch(tree) -> Path:
    """Return a semantic patch next to the tree and the variant `mine`."""
    path = tree.parent / "dev_put.cocci"
    path.write_text("@@\n@@\n- f();\n")
    return path


@pytest.mark.parametrize("command", ["apply", "check", "show", "compare"])
def test_a_file_is_not_a_variant(patchgen, tree, patch, command):
    def fail(name: str) -> str:
        done = patchgen(command, name, cwd=tree)
        assert (done.code, done.out) == (2, "") and "[variant-unknown]" in done.err, done.err
        return done.err

    (tree / "here.cocci").write_text(patch.read_text())
    for name in ("../dev_put.cocci", "here.cocci"):
        assert fail(name) == (
            f"patchgen: {name} is a semantic patch, not a variant [variant-unknown]\n"
            f"hint: `patchgen run {name} --split` makes a series with it, "
            f"`patchgen new NAME --from {name}` a variant\n"
        )
    manifest = fail("../mine/manifest.toml")
    assert "manifest.toml is a file, not a variant [" in manifest
    assert "hint: it belongs to the variant ../mine\n" in manifest
    assert "hint: a variant is a folder with a manifest.toml\n" in fail("./Makefile")


def test_a_variant_next_to_the_tree_needs_its_path(patchgen, tree):
    for command in ("apply", "check", "show", "run"):
        done = patchgen(command, "mine", cwd=tree)
        assert done.code == 2 and "hint: did you mean '../mine'?\n" in done.err
        done = patchgen(command, "qqqq", cwd=tree)
        assert done.err.endswith("; name a variant of your own by its path, as in ./mine\n")
    assert "hint: did you mean 'pvops'?\n" in patchgen("apply", "pvop", cwd=tree).err
    assert "hint: did you mean 'pvops'?\n" in patchgen("test", "pvop", cwd=tree).err
