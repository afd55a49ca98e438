# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen new` writes a variant that works at once, and one of commits makes what they make."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, strategies as st

from patchgen.commands.new import NewRequest, write_variant
from tests.support import TOP
from tests.support.examples import examples
from tests.support.kernels import commit_all

FUNCTION = """
int f{number}(struct dev *dev, int n)
{{
	struct foo *p = old_alloc(sizeof(*p), n);
	int ret;

	ret = old_call(dev, n);
	if (ret)
		old_call(dev->parent, a_long_name_of_an_argument(n),
				another_long_name_of_an_argument);
	kfree(p);
	p = NULL;
	return ret;
}}
"""
C_FILE = "#include <linux/x.h>\n" + "".join(FUNCTION.format(number=n) for n in range(3))
KCONFIG = "config A\n\tbool\n\nconfig B\n\tbool\n\nconfig C\n\tbool\n"


@pytest.fixture
def tree(tmp_path) -> Path:
    folder = tmp_path / "tree"
    write(
        folder,
        {
            "Makefile": "VERSION = 6\nPATCHLEVEL = 1\n",
            "lib/a.c": C_FILE,
            "lib/b.c": C_FILE.replace("f0", "g0"),
            "lib/Kconfig": KCONFIG,
            "lib/Makefile": "obj-y += a.o\nobj-y += b.o",
            "entry.S": "ENTRY(a)\n\tret\nENTRY(b)\n\tret\nENTRY(c)\n\tret\n",
            "x.rst": "Title\n=====\n\n{{ x }} and <% y %>.\n",
            "crlf.txt": "a\r\nb\r\nc\r\n",
            "latin.c": b"/* \xfcber */\nint x;\n",
            "data.bin": b"\0\1",
            "gone.c": "int gone;\n",
            "old_name.c": "int renamed;\nint again;\n",
            "script.sh": "#!/bin/sh\n",
        },
    )
    commit_all(folder, "base")
    return folder


def write(folder: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def change_c(text: str) -> str:
    """Return C code with all kinds of changes that rules can state."""
    return (
        text.replace("old_call(", "new_call(")
        .replace("(sizeof(*p), n)", "(sizeof(*p), n, GFP_KERNEL)")
        .replace("\tkfree(p);\n\tp = NULL;\n", "\tkfree_and_null(p);\n")
        .replace("x.h>\n", "x.h>\n#include <linux/z.h>\n")
    )


def commit_everything(tree: Path, git) -> None:
    """Commit each kind of change that a variant can state, and each that it cannot."""
    changed = change_c((tree / "lib/a.c").read_text())
    write(
        tree,
        {
            "lib/a.c": changed,
            "lib/b.c": changed.replace("f0", "g0"),
            "lib/Kconfig": KCONFIG.replace("C\n\tbool\n", "C\n\tbool\n\tdepends on A\n"),
            "lib/Makefile": "obj-y += a.o\nobj-y += b.o\nobj-y += c.o\n",
            "entry.S": "ENTRY(a)\n\tret\nENTRY(b)\n\tnop\n\tret\nENTRY(c)\n\tret\n",
            "x.rst": "Title\n=====\n\n{{ x }} and <% y %> {# z #} <%= a %>.\n",
            "crlf.txt": "a\r\nB\r\nc\r\n",
            "latin.c": b"/* \xfcber */\nint y;\n",
            "lib/new.c": "int a[] = {{0}};\n<% odd %>\nno newline",
            "latin_too.c": b"/* \xfcber */\n",
            "data.bin": b"\0\2",
            "tool.sh": "#!/bin/sh\n",
            "script.sh": "#!/bin/sh\necho\n",
        },
    )
    (tree / "gone.c").unlink()
    (tree / "old_name.c").rename(tree / "new_name.c")
    (tree / "script.sh").chmod(0o755)
    (tree / "tool.sh").chmod(0o755)
    (tree / "link.c").symlink_to("gone.c")
    message = (
        "lib: Call new_call() {{ everywhere }}\n\nBecause {% raw %} of it.\ndiff - is text.\n\n"
        'Fixes: 0123456789ab ("lib: Add it")\nReviewed-by: R <r@example.org>\n'
    )
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", message)


BY_HAND = {
    "gone.c": "is deleted",
    "old_name.c": "is deleted",
    "link.c": "is a symbolic link",
    "script.sh": "becomes executable",
    "tool.sh": "becomes executable",
    "data.bin": "is binary",
    "latin_too.c": "not UTF-8",
}


def check_everything(patchgen, git, tree: Path, variant: Path, document: dict) -> None:
    """Check that a variant makes the commit `master`, apart from BY_HAND."""
    by_hand = {each["file"]: each["reason"] for each in document["by_hand"]}
    assert by_hand.keys() == BY_HAND.keys()
    assert all(BY_HAND[path] in reason for path, reason in by_hand.items())
    rules = {rule["rule"]: rule["files"] for rule in document["rules"]}
    assert list(rules) == ["rename_old_call", "arguments_old_alloc", "statements"]
    assert set(map(tuple, rules.values())) == {("lib/a.c", "lib/b.c")}
    result = patchgen("apply", variant, "--base", "master^", "--json", cwd=tree)
    assert result.code == 0, result.err
    branch = json.loads(result.out)["branch"]
    differing = git(tree, "diff", "--name-only", "--no-renames", branch, "master").split()
    assert sorted(differing) == sorted(BY_HAND)
    again = patchgen("apply", variant, "--base", branch, "--force", cwd=tree)
    assert "patches are already in" in again.out, again.err
    message = git(tree, "log", "-1", "--format=%B", branch)
    assert message.startswith("lib: Call new_call() {{ everywhere }}\n\nBecause {% raw %} of it.")
    assert 'Fixes: 0123456789ab ("lib: Add it")\n' in message
    assert "Reviewed-by" not in message
    tested = patchgen("test", variant)
    assert tested.code == 0 and tested.out.count("passed") == 3, tested.err


def test_a_variant_of_a_commit_makes_it_and_lists_the_rest(patchgen, git, tree, tmp_path):
    commit_everything(tree, git)
    variant = tmp_path / "mine"
    result = patchgen("new", variant, "--from-commit", "HEAD", "--json", cwd=tree)
    assert result.code == 0, result.err
    check_everything(patchgen, git, tree, variant, json.loads(result.out))
    assert "\n diff - is text.\n" in git(tree, "log", "-1", "--format=%B", "patchgen/mine-v1")


def test_a_variant_of_a_mail_makes_the_same(patchgen, git, tree, tmp_path):
    commit_everything(tree, git)
    # In a mail, such a line ends the message.
    message = git(tree, "log", "-1", "--format=%B").replace("diff - is text.\n", "")
    git(tree, "commit", "-q", "--amend", "-m", message)
    git(tree, "format-patch", "-q", "-1", "-o", tmp_path / "mails")
    variant = tmp_path / "mine"
    args = ("--from-commit", tmp_path / "mails", "--base", "master^", "--json")
    result = patchgen("new", variant, *args, cwd=tree)
    assert result.code == 0, result.err
    check_everything(patchgen, git, tree, variant, json.loads(result.out))


def test_the_commits_of_a_range_are_patches(patchgen, git, tree, tmp_path):
    for number, text in enumerate(("VERSION = 6\nPATCHLEVEL = 2\n", "VERSION = 7\n")):
        write(tree, {"Makefile": text, "data.bin": bytes([0, number + 5])})
        write(tree, {"lib/a.c": (tree / "lib/a.c").read_text().replace("old_c", "new_c")})
        git(tree, "commit", "-q", "-a", "-m", f"Change it {number}")
    variant = tmp_path / "mine"
    result = patchgen("new", variant, "--from-commit", "HEAD~2..HEAD", "--json", cwd=tree)
    assert result.code == 0, result.err
    by_hand = [(each["patch"], each["reason"]) for each in json.loads(result.out)["by_hand"]]
    assert by_hand == [
        ("change-it-0", "is binary"),
        ("change-it-1", "has an earlier change that no variant can make"),
    ]
    made = json.loads(patchgen("apply", variant, "--base", "HEAD~2", "--json", cwd=tree).out)
    assert [patch["name"] for patch in made["patches"]] == ["change-it-0", "change-it-1"]
    assert git(tree, "diff", "--name-only", made["tip"], "HEAD").split() == ["data.bin"]


def test_hunks_with_the_same_text_are_told_apart(patchgen, git, tree, tmp_path):
    block = "config {}\n\tbool\n\thelp\n\t  Text.\n\n"
    names = ["A", "A", "B", "A", "C", "A"]
    write(tree, {"K": "".join(map(block.format, names))})
    git(tree, "add", "K")
    git(tree, "commit", "-q", "-m", "K: Add it")
    lines = (tree / "K").read_text().split("\n")
    lines[16] = lines[26] = "\ttristate"
    del lines[3]
    write(tree, {"K": "\n".join(lines)})
    git(tree, "commit", "-q", "-a", "-m", "K: Change two of the same")
    variant = tmp_path / "mine"
    assert patchgen("new", variant, "--from-commit", "HEAD", cwd=tree).code == 0
    made = json.loads(patchgen("apply", variant, "--base", "HEAD^", "--json", cwd=tree).out)
    assert git(tree, "diff", made["tip"], "HEAD") == ""


def test_a_commit_of_which_nothing_can_be_stated_is_refused(patchgen, git, tree, tmp_path):
    git(tree, "rm", "-q", "gone.c")
    git(tree, "commit", "-q", "-m", "Drop it")
    result = patchgen("new", tmp_path / "mine", "--from-commit", "HEAD", cwd=tree)
    assert (result.code, result.out) == (1, "")
    assert "cannot make any change" in result.err and "gone.c is deleted" in result.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tree"]


def test_a_path_that_no_manifest_can_have_is_listed_on_one_line(patchgen, git, tree, tmp_path):
    write(tree, {"a\nb": "x\n", "Makefile": "VERSION = 7\n"})
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "lib: Odd")
    result = patchgen("new", tmp_path / "mine", "--from-commit", "HEAD", cwd=tree)
    assert result.code == 0
    assert result.err == (
        "warning: to do by hand: odd: a\\x0ab has a path that has a control character\n"
    )


def test_a_file_in_place_of_a_folder_and_a_folder_in_place_of_a_file_are_listed(
    patchgen, git, tree, tmp_path
):
    git(tree, "rm", "-q", "lib/a.c", "lib/b.c", "lib/Kconfig", "lib/Makefile", "x.rst")
    write(tree, {"lib": "a file\n", "x.rst/y": "in a folder\n", "Makefile": "VERSION = 7\n"})
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "Swap them")
    result = patchgen("new", tmp_path / "mine", "--from-commit", "HEAD", "--json", cwd=tree)
    assert result.code == 0, result.err
    by_hand = {each["file"]: each["reason"] for each in json.loads(result.out)["by_hand"]}
    assert by_hand["lib"] == "replaces a folder"
    assert by_hand["x.rst/y"] == "is in a folder that replaces the file x.rst"


def test_a_commit_without_changes_is_refused(patchgen, git, tree, tmp_path):
    git(tree, "commit", "-q", "--allow-empty", "-m", "Nothing")
    result = patchgen("new", tmp_path / "mine", "--from-commit", "HEAD", cwd=tree)
    assert result.code == 1 and "the commits change no file" in result.err


@pytest.mark.parametrize(("commit", "message"), [("HEAD", "no parent"), ("nope", "no commit")])
def test_a_commit_without_a_parent_and_an_unknown_one_are_refused(
    patchgen, tree, tmp_path, commit, message
):
    result = patchgen("new", tmp_path / "mine", "--from-commit", commit, cwd=tree)
    assert result.code == 1 and message in result.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tree"]


LINES = st.sampled_from(
    [
        "\told_call(dev, n);",
        "\tx = old_alloc(n, 0);",
        "\tput(p);",
        "\tif (n)",
        "\t\treturn;",
        "\t/* {{ <% */",
        "",
    ]
)
EDITS = st.sampled_from(
    [
        ("old_call(dev, n)", "old_call(dev, n, 1)"),
        ("old_call", "new_call"),
        ("old_alloc(n, 0)", "new_alloc(n)"),
        ("\tput(p);\n", "\tput_all(&p);\n\tdone();\n"),
        ("\tput(p);\n", ""),
        ("\t\treturn;\n", "\t\tgoto out;\n"),
        ("\n\n", "\n"),
        ("{{ <%", "{# <%="),
    ]
)


@pytest.mark.slow
@examples(20, HealthCheck.function_scoped_fixture, part=4)
@given(
    bodies=st.lists(st.lists(LINES, min_size=1, max_size=6), min_size=1, max_size=4),
    edits=st.lists(EDITS, min_size=1, max_size=3),
    names=st.sets(st.sampled_from(["a.c", "b.h", "c.S", "Kconfig"]), min_size=1),
    endless=st.booleans(),
)
def test_a_variant_of_any_commit_makes_it(tmp_path_factory, git, bodies, edits, names, endless):
    folder = tmp_path_factory.mktemp("any")
    tree = folder / "tree"
    before = "".join(
        f"void f{number}(int n)\n{{\n" + "\n".join(lines) + "\n}\n\n"
        for number, lines in enumerate(bodies)
    )
    after = before.rstrip("\n") if endless else before
    for old, new in edits:
        after = after.replace(old, new)
    write(tree, {"Makefile": "VERSION = 6\n", **dict.fromkeys(names, before)})
    commit_all(tree, "base")
    write(tree, {"new": after, **dict.fromkeys(names, after)})
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "lib: Change it")
    # It compares each file that the variant makes with the commit's.
    result = write_variant(NewRequest(folder / "mine", tree, commits="HEAD", on=("**/*.c",)))
    assert result.by_hand == ()


def test_a_new_variant_works_at_once(patchgen, git, tree, tmp_path):
    variant = tmp_path / "mine"
    args = ("--rename", "old_call=new_call", "--on", "lib/*.c")
    result = patchgen("new", variant, *args, cwd=tree)
    assert result.code == 0, result.err
    assert f"patchgen test {variant}" in result.out
    assert patchgen("test", variant).code == 0
    made = json.loads(patchgen("apply", variant, "--json", cwd=tree).out)
    assert made["patches"][0]["rules"][0]["hits"] == 12
    assert "new_call(dev, n)" in git(tree, "show", f"{made['tip']}:lib/b.c")
    manifest = (variant / "manifest.toml").read_text()
    assert manifest.startswith("#:schema ./manifest.schema.json\n")
    assert (variant / "manifest.schema.json").is_file()


@pytest.mark.parametrize("source", ["--rename", "--from"])
@pytest.mark.parametrize(
    ("on", "pattern"),
    [
        ("drivers/net", "drivers/net/**/*.[ch]"),
        ("./drivers/net/", "drivers/net/**/*.[ch]"),
        (".", "**/*.[ch]"),
        ("./lib/a.c", "lib/a.c"),
    ],
)
def test_a_folder_means_the_files_on_which_run_would_run(
    patchgen, git, tree, tmp_path, source, on, pattern
):
    call = "int f(void)\n{\n\treturn old_call(0);\n}\n"
    files = ("drivers/net/a.c", "drivers/net/phy/b.c", "drivers/net/c.h", "drivers/d.c")
    write(tree, dict.fromkeys(files, call))
    commit_all(tree, "drivers")
    cocci = tmp_path / "a.cocci"
    cocci.write_text(COCCI)
    variant = tmp_path / "mine"
    value = "old_call=new_call" if source == "--rename" else cocci
    result = patchgen("new", variant, source, value, "--on", on, "--title", "x: X", cwd=tree)
    assert result.code == 0, result.err
    assert "no file of the tree matches" not in result.err
    assert f"on = {json.dumps(pattern)}\n" in (variant / "manifest.toml").read_text()
    made = json.loads(patchgen("apply", variant, "--json", cwd=tree).out)
    [ran] = json.loads(patchgen("run", cocci, on, "--json", cwd=tree).out)["results"]
    changed = git(tree, "diff", "--name-only", "HEAD", made["tip"]).split()
    assert changed and changed == [edit["path"] for edit in ran["edits"]]


@pytest.mark.parametrize(("on", "pattern"), [("net/", "net/**/*.[ch]"), ("net", "net")])
def test_without_a_tree_a_folder_ends_with_a_slash(patchgen, tmp_path, on, pattern):
    args = ("--rename", "old_call=new_call", "--on", on)
    assert patchgen("new", tmp_path / "mine", *args, cwd=tmp_path).code == 0
    assert f"on = {json.dumps(pattern)}\n" in (tmp_path / "mine/manifest.toml").read_text()


COCCI = """\
/// Call new_call() where old_call() was.
/// It does the same.
@r@
position p;
@@
-old_call@p
+new_call
 (...)
"""


def test_a_semantic_patch_becomes_a_variant_with_a_case_of_the_tree(patchgen, git, tree, tmp_path):
    (tmp_path / "a.cocci").write_text(COCCI)
    variant = tmp_path / "mine"
    args = ("--from", tmp_path / "a.cocci", "--on", "lib/*.c")
    result = patchgen("new", variant, *args, cwd=tree)
    assert (result.code, result.err) == (0, "")
    assert (variant / "mine.c").read_text().startswith("int f0(struct dev *dev, int n)\n{\n")
    assert "new_call(dev, n)" in (variant / "mine.res").read_text()
    assert patchgen("test", variant).code == 0
    made = json.loads(patchgen("apply", variant, "--json", cwd=tree).out)
    message = git(tree, "log", "-1", "--format=%B", made["tip"])
    assert message.startswith("lib: Call new_call() where old_call() was\n\nIt does the same.\n")


PREFIXES = [
    # The prefix of the log of these files, one derived from folders, and one of all files.
    (("--on", "net/*.c"), "nfc: Call new_call() where old_call() was"),
    (("--on", "lib/*.c"), "lib: Call new_call() where old_call() was"),
    # No file of net/ has the word.
    (("--on", "lib/*.c", "--on", "net/*.c"), "lib: Call new_call() where old_call() was"),
    (("--tree", "nowhere"), "treewide: Call new_call() where old_call() was"),
    (("--title", "Call it"), "Call it"),
    # `verify` accepts it if the log of the files has lower case, too.
    (("--title", "net: call it"), "net: call it"),
]


@pytest.mark.parametrize(("options", "subject"), PREFIXES)
def test_a_subject_has_the_prefix_of_its_files(patchgen, git, tree, tmp_path, options, subject):
    for number in range(3):
        write(tree, {"net/a.c": f"int a{number};\n"})
        git(tree, "add", "net/a.c")
        git(tree, "commit", "-q", "-m", f"nfc: Change it {number}")
    (tmp_path / "a.cocci").write_text(COCCI.replace("Call", "call", 1))
    (tmp_path / "a.c").write_text("int f(void)\n{\n\treturn old_call(0);\n}\n")
    args = ("new", tmp_path / "mine", "--from", tmp_path / "a.cocci", *options)
    result = patchgen(*args, cwd=tree)
    assert result.code == 0
    for file in ("message.txt.j2", "cover.txt.j2"):
        assert (tmp_path / "mine" / file).read_text().startswith(f"{subject}\n\n")
    checked = patchgen("check", tmp_path / "mine")
    assert checked.code == 0
    fault = "the subject has no subsystem prefix"
    is_faulty = subject == "Call it"
    assert (f"warning: message.txt.j2: {fault}" in result.err) == is_faulty
    assert (f"mine/message.txt.j2:1: {fault}" in checked.out) == is_faulty
    [*notes] = json.loads(patchgen("check", tmp_path / "mine", "--json").out)["notes"]
    assert [each["code"] for each in notes] == ["subject-form"] * is_faulty


VERIFY = [
    "verify",
    *(f"--skip={check}" for check in ("checkpatch", "sections", "build", "code")),
]


def read_steps(verified) -> tuple[str, list[list[str]]]:
    """Return the title and the commands of the steps that `verify` prints last."""
    title, *commands = verified.out.rpartition("\n\n")[2].splitlines()
    return title, [shlex.split(line, comments=True)[1:] for line in commands]


def test_a_fault_of_a_message_is_mended_in_its_template(patchgen, git, tree, tmp_path):
    (tmp_path / "a.cocci").write_text(COCCI)
    variant = tmp_path / "mine"
    args = ("--from", tmp_path / "a.cocci", "--on", "lib/*.c", "--title", "Calling it")
    assert patchgen("new", variant, *args, cwd=tree).code == 0
    assert patchgen("apply", variant, "--signoff", cwd=tree).code == 0
    title, [again, check] = read_steps(patchgen(*VERIFY, "patchgen/mine-v1", cwd=tree))
    templates = [variant / "message.txt.j2", variant / "cover.txt.j2"]
    edited = " and ".join(map(str, templates))
    assert title == f"Edit {edited}, make the series again, then check again:"
    for path in templates:
        path.write_text(path.read_text().replace("Calling it", "lib: Call it"))
    assert patchgen(*again, cwd=tree).code == 0
    verified = patchgen(*check, cwd=tree)
    assert verified.code == 0, verified.out
    # A person changes a commit that a person has changed.
    git(tree, "checkout", "-q", "patchgen/mine-v1")
    git(tree, "commit", "-q", "--amend", "-m", "Calling it\n\nSo.")
    title, [rebase, write, _] = read_steps(patchgen(*VERIFY, cwd=tree))
    assert title == "Edit the commit, write the mails again, then check again:"
    assert (rebase[0], write) == ("rebase", ["format", "patchgen/mine-v1"])


def test_a_variant_that_moved_has_to_be_named_to_mend_it(patchgen, tree, tmp_path):
    (tmp_path / "a.cocci").write_text(COCCI)
    args = ("--from", tmp_path / "a.cocci", "--on", "lib/*.c", "--title", "Calling it")
    assert patchgen("new", tmp_path / "mine", *args, cwd=tree).code == 0
    assert patchgen("apply", tmp_path / "mine", "--signoff", cwd=tree).code == 0
    (tmp_path / "mine").rename(tmp_path / "moved")
    title, [again, _] = read_steps(patchgen(*VERIFY, "patchgen/mine-v1", cwd=tree))
    texts = "mine's message and the cover letter"
    assert title.startswith(f"Edit the template of {texts} in the FOLDER of mine, make the series")
    assert again[2:4] == ["--variant", "FOLDER"]


def test_show_prints_no_table_without_rows(patchgen, tree, tmp_path):
    (tmp_path / "a.cocci").write_text(COCCI)
    args = ("--from", tmp_path / "a.cocci", "--on", "lib/*.c", "--title", "lib: Call it")
    assert patchgen("new", tmp_path / "mine", *args, cwd=tree).code == 0
    shown = patchgen("show", tmp_path / "mine").out
    assert "semantic patches" in shown
    assert "meaning" not in shown and "the base needs" not in shown


def test_apply_names_the_texts_that_are_still_to_be_written(patchgen, tree, tmp_path):
    (tmp_path / "a.cocci").write_text(COCCI)
    variant = tmp_path / "mine"
    args = ("--from", tmp_path / "a.cocci", "--on", "lib/*.c", "--title", "lib: Call it")
    assert patchgen("new", variant, *args, cwd=tree).code == 0
    warning = "EDITME is left in"
    assert warning not in patchgen("apply", variant, "--dry-run", cwd=tree).err
    for name in ("message", "cover"):
        template = variant / f"{name}.txt.j2"
        subject, _, rest = template.read_text().partition("\n")
        # A comment of a template is not in the mails.
        template.write_text(f"{subject}\n\n{{# EDITME\n#}}EDITME: more\n{rest}")
    done = patchgen("apply", variant, "--dry-run", cwd=tree)
    texts = "the cover letter, the message of mine"
    assert f"warning: {warning} {texts}: `send` refuses the series" in done.err
    checked = patchgen("check", variant, "--json", cwd=tree)
    document = json.loads(checked.out)
    assert checked.code == 0 and document["errors"] == []
    assert [
        (Path(note["file"]).name, note["line"], note["code"], note["message"])
        for note in document["notes"]
    ] == [
        (f"{name}.txt.j2", 4, "placeholder", f"{warning} {text}: `send` refuses the series")
        for name, text in (("message", "the message of mine"), ("cover", "the cover letter"))
    ]
    for name in ("message", "cover"):
        template = variant / f"{name}.txt.j2"
        template.write_text(template.read_text().replace("EDITME: more", ""))
    assert json.loads(patchgen("check", variant, "--json", cwd=tree).out)["notes"] == []


def test_apply_names_the_commits_that_are_not_signed_off(patchgen, git, tree, tmp_path):
    (tmp_path / "a.cocci").write_text(COCCI)
    variant = tmp_path / "mine"
    args = ("--from", tmp_path / "a.cocci", "--on", "lib/*.c", "--title", "lib: Call it")
    assert patchgen("new", variant, *args, cwd=tree).code == 0
    for options, count in (([], 1), (["--no-signoff"], 1), (["--signoff"], 0)):
        done = patchgen("apply", variant, "--dry-run", *options, cwd=tree)
        assert done.err.count("Signed-off-by is missing") == count
        if count:
            assert (
                "warning: your Signed-off-by is missing in the message of mine: `send` refuses the "
                "series (--signoff adds it)\n"
            ) in done.err
    # The text has that of the sender, or only another one.
    message = variant / "message.txt.j2"
    ident = git(tree, "var", "GIT_COMMITTER_IDENT").rpartition(" <")[0]
    email = git(tree, "var", "GIT_COMMITTER_IDENT").rpartition(" <")[2].partition(">")[0]
    text = message.read_text()
    for person, count in ((f"{ident} <{email}>", 0), ("Eve <eve@example.com>", 1)):
        message.write_text(f"{text.rstrip()}\n\nSigned-off-by: {person}\n")
        done = patchgen("apply", variant, "--dry-run", cwd=tree)
        assert done.code == 0 and done.err.count("Signed-off-by is missing") == count, done.err


def test_a_fault_of_the_cover_letter_is_mended_in_its_template(patchgen, git, tree, tmp_path):
    (tmp_path / "a.cocci").write_text(COCCI)
    variant = tmp_path / "mine"
    args = ("--from", tmp_path / "a.cocci", "--on", "lib/*.c")
    assert patchgen("new", variant, *args, cwd=tree).code == 0
    template = variant / "cover.txt.j2"
    subject, _, rest = template.read_text().partition("\n")
    template.write_text(f"{subject}.\n\nEDITME: more\n{rest}")
    fault = f"{template}:1: the subject ends with a period"
    assert fault in patchgen("check", variant).out
    assert patchgen("apply", variant, "--signoff", cwd=tree).code == 0
    title, [again, check] = read_steps(patchgen(*VERIFY, "patchgen/mine-v1", cwd=tree))
    assert title == f"Edit {template}, make the series again, then check again:"
    send = ("send", "patchgen/mine-v1", "--dry-run", "--to", "a@example.org")
    refused = patchgen(*send, cwd=tree)
    assert f"hint: edit {template}, then make the series again: `patchgen reroll" in refused.err
    template.write_text(f"{subject}\n{rest}")
    assert patchgen(*again, cwd=tree).code == 0
    assert patchgen(*check, cwd=tree).code == 0
    # A person changes a letter that a person has changed.
    git(tree, "checkout", "-q", "patchgen/mine-v1")
    letter = git(tree, "log", "-1", "--format=%B", "HEAD~1").replace(f"{subject}\n", "EDITME\n")
    edited = git(tree, "commit-tree", "-p", "HEAD~2", "-m", letter, "HEAD~2^{tree}").strip()
    git(tree, "rebase", "-q", "--onto", edited, "HEAD~1")
    title, [rebase, write, _] = read_steps(patchgen(*VERIFY, cwd=tree))
    assert title == "Edit the cover letter, write the mails again, then check again:"
    assert (rebase[0], write[0]) == ("rebase", "format")
    assert "b4 prep --edit-cover" in patchgen(*send, cwd=tree).err


@pytest.mark.parametrize("subject", ["lib/a: Do it", "net: Do it", "{{ 'lib' }}: Do it"])
def test_the_cover_letter_of_several_subsystems_needs_no_prefix(patchgen, tree, tmp_path, subject):
    variant = tmp_path / "mine"
    rename = ("--rename", "old_call=new_call", "--on", "lib/*.c", "--title", "lib: Call it")
    assert patchgen("new", variant, *rename, cwd=tree).code == 0
    manifest = (variant / "manifest.toml").read_text()
    patch = manifest[manifest.index("\n[[patch]]\n") :]
    second = patch.replace('name = "mine"', 'name = "second"').replace("message.txt", "second.txt")
    (variant / "manifest.toml").write_text(f"{manifest}\n{second}")
    (variant / "second.txt.j2").write_text(f"{subject}\n\nText.\n")
    (variant / "cover.txt.j2").write_text("Call it\n\nText.\n")
    checked = patchgen("check", variant)
    assert checked.code == 0
    assert ("cover.txt.j2:1: " in checked.out) == (subject == "lib/a: Do it"), checked.out


def test_a_missing_signature_is_added_to_the_commit(patchgen, git, tree, tmp_path):
    (tmp_path / "a.cocci").write_text(COCCI)
    args = ("--from", tmp_path / "a.cocci", "--on", "lib/*.c")
    assert patchgen("new", tmp_path / "mine", *args, cwd=tree).code == 0
    assert patchgen("apply", tmp_path / "mine", cwd=tree).code == 0
    verified = patchgen(*VERIFY, "patchgen/mine-v1", cwd=tree)
    assert "Signed-off-by is missing" in verified.out
    title, [signoff, write, check] = read_steps(verified)
    assert title == "Sign the commits off, write the mails again, then check again:"
    git(tree, *signoff)
    assert patchgen(*write, cwd=tree).code == 0
    verified = patchgen(*check, cwd=tree)
    assert "Signed-off-by" not in verified.out, verified.out


def test_a_text_is_mended_and_the_series_signed_off_in_one_go(patchgen, git, tree, tmp_path):
    (tmp_path / "a.cocci").write_text(COCCI)
    args = ("--from", tmp_path / "a.cocci", "--on", "lib/*.c")
    assert patchgen("new", tmp_path / "mine", *args, cwd=tree).code == 0
    message = tmp_path / "mine/message.txt.j2"
    message.write_text(message.read_text().replace("It does", "EDITME It does"))
    assert patchgen("apply", tmp_path / "mine", cwd=tree).code == 0
    verified = patchgen(*VERIFY, "patchgen/mine-v1", cwd=tree)
    title, [again, sign_off, write, check] = read_steps(verified)
    ends = "make the series again, sign the commits off, write the mails again, then check again:"
    assert title == f"Edit {message}, {ends}"
    # The finding names the same command, which works before and after the series is made again.
    assert f"Signed-off-by is missing (git {shlex.join(sign_off)})" in verified.out
    message.write_text(message.read_text().replace("EDITME It does", "It does"))
    assert patchgen(*again, cwd=tree).code == 0
    git(tree, *sign_off)
    assert patchgen(*write, cwd=tree).code == 0
    verified = patchgen(*check, cwd=tree)
    assert "Signed-off-by" not in verified.out and "EDITME" not in verified.out, verified.out


THREE_RULES = """\
/// Do three things.
@one@
@@
-old_call
+new_call
 (...)

@@
@@
-kfree
+kvfree
 (...)

@three@
@@
-old_{number}
+new_call
 (...)
"""


def test_each_rule_of_a_semantic_patch_gets_a_case_of_the_tree(patchgen, git, tree, tmp_path):
    functions = ("void a(void)\n{\n\told_call(1);\n}\n", "void bb(void)\n{\n\tkfree(1);\n}\n")
    text = "#include <x.h>\n\n" + "\n".join(functions)
    write(tree, {"net/a.c": text, "net/b.c": "void c(void)\n{\n\told_3(1);\n}\n"})
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "net")
    (tmp_path / "a.cocci").write_text(THREE_RULES.replace("{number}", "3"))
    args = ("new", tmp_path / "mine", "--from", tmp_path / "a.cocci", "--on", "net/*.c")
    result = patchgen(*args, cwd=tree)
    assert (result.code, result.err) == (0, "")
    cases = {path.name: path.read_text() for path in (tmp_path / "mine").glob("*.c")}
    assert sorted(cases) == ["mine-2.c", "mine-3.c", "mine.c"]
    assert {*functions, (tree / "net/b.c").read_text()} == set(cases.values())
    assert patchgen("check", tmp_path / "mine").code == 0
    tested = patchgen("test", tmp_path / "mine")
    assert tested.code == 0 and "3 cases, passed" in tested.out


def test_a_rule_that_matches_nowhere_is_named(patchgen, tree, tmp_path):
    (tmp_path / "a.cocci").write_text(THREE_RULES.replace("{number}", "4"))
    args = ("new", tmp_path / "mine", "--from", tmp_path / "a.cocci", "--on", "lib/*.c")
    result = patchgen(*args, cwd=tree)
    assert result.code == 0
    expected = "no golden case shows what the rule three changes: add one, such as mine-three.c"
    assert result.err == f"warning: mine.cocci: {expected}\n"
    case = tmp_path / "mine/mine-three.c"
    case.write_text("void c(void)\n{\n\told_4(1);\n}\n")
    patchgen("test", tmp_path / "mine", "--update")
    assert patchgen("test", tmp_path / "mine").code == 0
    assert patchgen("check", tmp_path / "mine").code == 0


TWO_WORDS = "/// Do it.\n@@\n@@\n-old_call(...);\n+new_call();\n rare_call();\n"


def add_files(tree: Path, git, files: dict[str, str]) -> None:
    write(tree, files)
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "Add files")


def test_a_case_is_found_in_the_last_of_many_files(patchgen, git, tree, tmp_path):
    # They have both words, but the rule matches in none of them.
    text = "void {name}(void)\n{{\n\trare_call();\n\told_call(1);\n}}\n"
    others = {f"net/a{n}.c": text.format(name=f"a{n}") for n in range(60)}
    case = "void z(void)\n{\n\told_call(1);\n\trare_call();\n}\n"
    add_files(tree, git, {**others, "net/z.c": f"#include <x.h>\n\nint x;\n\n{case}"})
    (tmp_path / "a.cocci").write_text(TWO_WORDS)
    args = ("new", tmp_path / "mine", "--from", tmp_path / "a.cocci")
    result = patchgen(*args, "--on", "net/*.c", cwd=tree)
    assert (result.code, result.err) == (0, "")
    assert (tmp_path / "mine/mine.c").read_text() == case


def test_the_search_for_a_case_ends(git, tree, tmp_path, monkeypatch):
    monkeypatch.setattr("patchgen.newvariant.case_search._SEARCH_S", 0)
    text = "void f(void)\n{\n\trare_call();\n\told_call(1);\n}\n"
    add_files(tree, git, {f"net/a{n}.c": text + "\nint x;" * 3_000 for n in range(40)})
    (tmp_path / "a.cocci").write_text(TWO_WORDS)
    request = NewRequest(tmp_path / "mine", tree, cocci=tmp_path / "a.cocci", on=("net/*.c",))
    [failure] = write_variant(request).failures
    tried = re.fullmatch(r".*spatch ran on (\d+) files? with .* in the 0 seconds of .*", failure)
    assert tried is not None and 0 < int(tried[1]) < 40, failure


@pytest.mark.parametrize(
    ("on", "reason"),
    [
        ("net/a.c", "no file that matches `--on` has the words that it needs"),
        ("net/[ab].c", "spatch ran on 1 file with the words that it needs, and changed none"),
        ("none/*.c", "no file of the tree matches `--on`"),
    ],
)
def test_a_warning_says_where_no_case_was_found(patchgen, git, tree, tmp_path, on, reason):
    without = "void a(void)\n{\n\told_call(1);\n}\n"
    order = "void b(void)\n{\n\trare_call();\n\told_call(1);\n}\n"
    add_files(tree, git, {"net/a.c": without, "net/b.c": order})
    (tmp_path / "a.cocci").write_text(TWO_WORDS)
    args = ("new", tmp_path / "mine", "--from", tmp_path / "a.cocci", "--on", on)
    result = patchgen(*args, cwd=tree)
    assert result.code == 0
    hint = "`--on` can name a file that it changes"
    expected = f"mine.cocci has no golden cases: {reason} ({hint})"
    assert f"warning: {expected}\n" in result.err


def test_a_case_has_of_its_file_what_the_rule_needs(patchgen, git, tree, tmp_path):
    parts = {
        "licence": "// SPDX-License-Identifier: GPL-2.0\n/*\n * A driver.\n */",
        "include": "#include <linux/x.h>",
        "enum": "enum e {\n\tA,\n\n\tB,\n};",
        "struct": "struct s {\n\tint number;\n\n\tint other;\n};",
        "other": "#ifdef X\nint g(void)\n{\n\treturn 0;\n}\n\n#endif",
        "function": "int f(struct s *p)\n{\n\treturn old_call(p->number);\n}",
    }
    add_files(tree, git, {"net/a.c": "\n\n".join(parts.values()) + "\n"})
    rule = "/// Do it.\n@@\nint e;\n@@\n-old_call(e)\n+new_call(e)\n"
    (tmp_path / "a.cocci").write_text(rule)
    args = ("new", tmp_path / "mine", "--from", tmp_path / "a.cocci", "--on", "net/*.c")
    assert patchgen(*args, cwd=tree).code == 0
    case = (tmp_path / "mine/mine.c").read_text()
    # spatch needs the struct for the type of p->number.
    assert case == f"{parts['struct']}\n\n{parts['function']}\n"


WITHOUT_NEW = "no file of the tree has new_call, so the result cannot be built (unless"


@pytest.mark.parametrize(
    ("rename", "on", "warnings"),
    [
        ("old_call=kfree", "lib/*.c", []),
        ("old_call=kfree", "**/*.c", []),
        ("old_call=new_call", "lib/*.c", [WITHOUT_NEW]),
        ("old_call=kfre", "lib/*.c", ["has kfre, so the result cannot be built (did you mean 'kf"]),
        ("old_cal=kfree", "lib/*.c", ["matches lib/*.c has old_cal (did you mean 'old_call'?)"]),
        ("zzz=kfree", "lib/*.c", ["no file that matches lib/*.c has zzz\n"]),
        ("old_call=kfree", "gone.c", ["no file that matches gone.c has old_call\n"]),
        ("old_call=kfree", "lbi/*.c", ["matches lbi/*.c (did you mean 'lib/*.c'?)"]),
        ("old_call=kfree", "lib/aa.c", ["matches lib/aa.c (did you mean 'lib/a.c'?)"]),
        ("old_call=kfree", "lib/*.h", ["no file of the tree matches lib/*.h\n"]),
        ("old_call=kfree", "net/**/*.c", ["no file of the tree matches net/**/*.c\n"]),
    ],
)
def test_files_and_functions_that_the_tree_lacks_are_named(
    patchgen, tree, tmp_path, rename, on, warnings
):
    result = patchgen("new", tmp_path / "mine", "--rename", rename, "--on", on, cwd=tree)
    assert result.code == 0
    assert result.err.count("warning: ") == len(warnings)
    assert all(warning in result.err for warning in warnings), result.err


@pytest.mark.parametrize(
    ("on", "subject"),
    [("fs/**.c", "ntfs3: "), ("**/*.c", "ntfs3: "), ("net/**.c", "net: "), (None, "ntfs3: ")],
)
def test_a_function_that_files_only_mention_is_reported(patchgen, tmp_path, on, subject):
    folder = tmp_path / "tree"
    mention = "/* old_call() is gone */\nint x;\n"
    write(folder, dict.fromkeys(("fs/a/a.c", "fs/b/b.c", "net/a/a.c", "net/b/b.c"), mention))
    write(folder, {"fs/ntfs3/bitmap.c": "int f(void)\n{\n\treturn old_call(0);\n}\n"})
    commit_all(folder, "base")
    options = ("--on", on) if on else ()
    args = ("new", tmp_path / "mine", "--rename", "old_call=kfree", *options)
    result = patchgen(*args, cwd=folder)
    assert result.code == 0
    fault = "no file that matches net/**.c has old_call in code (net/a/a.c:1: old_call: comment or "
    assert (fault in result.err) == (on == "net/**.c")
    assert (" in code" in result.err) == (on == "net/**.c")
    message = (tmp_path / "mine/message.txt.j2").read_text()
    assert message.startswith(f"{subject}Replace old_call() by kfree()\n")


def test_a_tree_without_a_checkout_is_searched_for_functions(patchgen, git, tree, tmp_path):
    git(tmp_path, "clone", "-q", "--no-checkout", tree, "clone")
    args = ("new", tmp_path / "mine", "--rename", "zzz=kfree", "--on", "lib/*.c")
    result = patchgen(*args, cwd=tmp_path / "clone")
    assert "warning: no file that matches lib/*.c has zzz\n" in result.err


def test_the_next_command_works_where_the_user_stands(patchgen, tree, tmp_path):
    args = ("--rename", "old_call=kfree", "--on", "lib/*.c")
    for name, options, folder in (
        ("one", (), tree),
        ("two", ("--tree", "tree"), tmp_path),
    ):
        result = patchgen("new", name, *args, *options, cwd=folder)
        edit, read, *commands = result.out.partition("next: ")[2].splitlines()
        assert edit == (
            f"edit {name}/cover.txt.j2, {name}/message.txt.j2: replace EDITME and the text after it"
        )
        assert read.strip().startswith(f"read {name}/manifest.toml")
        steps = [line.split() for line in commands]
        assert steps == [
            ["patchgen", "check", name],
            ["patchgen", "test", name],
            ["patchgen", "apply", *options, name, "--signoff"],
        ]
        for step in steps:
            assert patchgen(*step[1:], cwd=folder).code == 0
    # Without a tree, one has to be named.
    result = patchgen("new", "three", *args, cwd=tmp_path)
    assert (result.code, result.err) == (0, "")
    assert result.out.endswith("patchgen apply three --signoff --tree TREE\n")


def test_the_next_command_signs_off_unless_the_configuration_does(patchgen, tree, tmp_path):
    config = Path(os.environ["HOME"]) / ".config/patchgen/config.toml"
    config.parent.mkdir(parents=True)
    args = ("--from", tmp_path / "a.cocci", "--on", "lib/*.c", "--title", "lib: Call it")
    (tmp_path / "a.cocci").write_text(COCCI)
    for name, text, end in (("one", "false", " --signoff"), ("two", "true", "")):
        config.write_text(f"signoff = {text}\n")
        for command in (("new", name, *args), ("test", name)):
            result = patchgen(*command, cwd=tree)
            assert re.search(rf"patchgen apply \S*{name}{end}\n$", result.out), result.out
    # No text of this variant is missing.
    assert "EDITME" not in (tree / "one/message.txt.j2").read_text()
    assert "next: read " in patchgen("new", "three", *args, cwd=tree).out


def test_the_comments_of_a_variant_name_no_file_that_a_user_lacks(patchgen, tmp_path):
    assert patchgen("new", "mine", "--rename", "a=b", cwd=tmp_path).code == 0
    texts = [path.read_text() for path in (tmp_path / "mine").rglob("*") if path.is_file()]
    assert not any("docs/" in text for text in texts)
    named = {guide for text in texts for guide in re.findall(r"`patchgen help ([\w-]+)`", text)}
    assert named == {"write-a-variant", "first-treewide-change"}
    for guide in named:
        assert patchgen("help", guide).code == 0


def test_the_cases_of_a_semantic_patch_come_along(patchgen, tmp_path):
    cocci = TOP / "semantic-patches/kernel/strscpy/strscpy.cocci"
    result = patchgen("new", "mine", "--from", cocci, cwd=tmp_path)
    assert result.code == 0, result.err
    assert (tmp_path / "mine/mine.res").is_file()
    assert patchgen("test", "mine", cwd=tmp_path).code == 0
    (tmp_path / "semantic-patches").mkdir()
    (tmp_path / "mine").rename(tmp_path / "semantic-patches/mine")
    assert patchgen("test", "mine", cwd=tmp_path).code == 0


def test_copied_cases_belong_to_the_semantic_patch_of_the_variant(patchgen, tmp_path):
    source = tmp_path / "source"
    case = '#include "x.h"\n\nint f(int n)\n{\n\treturn old_call(n);\n}\n'
    named = ["a.c", "a-loop.c", "ab.c", "loop.c", "x.h"]
    files: dict[str, str | bytes] = {}
    for number, name in enumerate(named):
        files[name] = text = case.replace("f(", f"f{number}(")
        files[f"{name[:-2]}.res"] = text.replace("old_call", "new_call")
    write(source, {**files, "ok/a.c": "int g;\n", "ok/other.c": "int h;\n", "ok/y.h": "int y;\n"})
    (source / "a.cocci").write_text(COCCI)
    result = patchgen("new", "mine", "--from", "source/a.cocci", cwd=tmp_path)
    assert (result.code, result.err) == (0, "")
    variant = tmp_path / "mine"
    # x.h stays for the #include lines of the cases.
    cases = ["mine-ab.c", "mine-loop-2.c", "mine-loop.c", "mine-x.h", "mine.c", "x.h"]
    assert sorted(path.name for path in variant.glob("*.[ch]")) == cases
    unchanged = ["mine-other.c", "mine-y.h", "mine.c"]
    assert sorted(path.name for path in variant.glob("ok/*")) == unchanged
    for name in cases[:-1]:
        text = (variant / name).read_text().replace("old_call", "new_call")
        assert (variant / name).with_suffix(".res").read_text() == text
    # A further semantic patch takes none of them.
    other = variant / "other.cocci"
    other.write_text(COCCI.replace("old_call", "kfree"))
    write(variant, {"other.c": "void f(void)\n{\n\tkfree(0);\n}\n"})
    assert patchgen("test", other, "--update").code == 0
    tested = patchgen("test", variant)
    assert (tested.code, tested.err) == (0, "") and "8 cases, passed" in tested.out
    assert patchgen("check", variant).code == 0


def test_cases_that_could_belong_to_another_semantic_patch_are_not_lost(patchgen, tmp_path):
    write(tmp_path, {"a.cocci": COCCI, "b.cocci": COCCI, "x.c": C_FILE, "x.res": "", "y.res": ""})
    result = patchgen("new", "mine", "--from", "a.cocci", cwd=tmp_path)
    assert result.code == 1 and not (tmp_path / "mine").exists()
    for name in ("x.res", "y.res"):
        assert f"cannot tell which .cocci {name} belongs to" in result.err
    assert "as in a-x.res or b-x.res" in result.err
    write(tmp_path, {"a-x.c": C_FILE, "a-x.res": change_c(C_FILE), "b-y.c": "int y;\n"})
    for name in ("x.c", "x.res", "y.res"):
        (tmp_path / name).unlink()
    assert patchgen("new", "mine", "--from", "a.cocci", cwd=tmp_path).code == 0
    assert sorted(path.name for path in (tmp_path / "mine").glob("*.c")) == ["mine-x.c"]


def test_a_copied_result_that_is_wrong_is_reported_and_stays(patchgen, tmp_path):
    case = "int f(void)\n{\n\treturn old_call(0, 1);\n}\n"
    result = case.replace("old", "new")
    # `a.res` differs in the layout only.
    write(tmp_path, {"a.cocci": COCCI, "a.c": case, "a.res": result.replace(", ", ",\n\t\t")})
    write(tmp_path, {"a-2.c": case, "a-2.res": result.replace("1", "2"), "ok/a.c": case})
    made = patchgen("new", "mine", "--from", "a.cocci", cwd=tmp_path)
    assert made.code == 0
    assert made.err == "".join(
        f"warning: mine.cocci: its golden case {name} does not pass\n"
        for name in ("mine-2.c", "ok/mine.c")
    )
    assert (tmp_path / "mine/mine-2.res").read_text() == result.replace("1", "2")
    assert (tmp_path / "mine/mine.res").read_text() == result


HEADER = """\
// Confidence: High
//# A macro of this name {{ is }} left alone. Please check each call that has an argument which is a
//# macro.
//#
//# - one
// Needs: include/linux/foo.h: void new_call(struct foo *);
// Options: --no-includes --include-headers --max-width 100
// Requires: 1.1
"""


def test_the_other_lines_of_a_header_are_used_or_reported(patchgen, git, tree, tmp_path):
    (tmp_path / "a.cocci").write_text(HEADER + COCCI)
    args = ("new", tmp_path / "mine", "--from", tmp_path / "a.cocci")
    result = patchgen(*args, cwd=tree)
    assert result.code == 0
    assert result.err == (
        "warning: mine.cocci: `apply` does not use the `// Options:` --max-width 100\n"
        "warning: mine.cocci: `apply` does not check the `// Requires:` 1.1\n"
    )
    assert (tmp_path / "mine/mine.cocci").read_text() == HEADER + COCCI
    assert '"**/*.c",\n    "**/*.h",\n' in (tmp_path / "mine/manifest.toml").read_text()
    refused = patchgen("apply", tmp_path / "mine", cwd=tree)
    assert refused.code == 1 and "lacks `void new_call(struct foo *);`" in refused.err
    need = {"include/linux/foo.h": "void new_call(struct foo *);\n#define old old_call()\n"}
    add_files(tree, git, need)
    made = json.loads(patchgen("apply", tmp_path / "mine", "--json", cwd=tree).out)
    cover = git(tree, "log", "-1", "--format=%B", f"{made['tip']}^")
    comments = (
        "A macro of this name {{ is }} left alone. Please check each call that\n"
        "has an argument which is a macro.\n\n- one\n"
    )
    assert f"\n\nIt does the same.\n\n{comments}" in cover
    assert "A macro" not in git(tree, "log", "-1", "--format=%B", made["tip"])


@pytest.mark.parametrize("source", ["--rename", "--from"])
def test_texts_for_the_author_are_not_mailed(patchgen, git, tree, tmp_path, source):
    add_files(tree, git, {"include/linux/foo.h": "void new_call(struct foo *);\n"})
    (tmp_path / "a.cocci").write_text(HEADER + COCCI)
    value = "old_call=new_call" if source == "--rename" else tmp_path / "a.cocci"
    variant = tmp_path / "mine"
    assert patchgen("new", variant, source, value, cwd=tree).code == 0
    assert patchgen("apply", variant, cwd=tree).code == 0
    mails = "".join(path.read_text() for path in (tree / "outgoing").rglob("*.patch"))
    manifest = (variant / "manifest.toml").read_text()
    comments = [line.lstrip("# ") for line in manifest.split("\n") if line.startswith("# ")]
    assert ("a line with - is removed" in manifest) == (source == "--rename")
    assert not [comment for comment in comments if comment in mails]
    # The reviewer gets the semantic patch, and not what only programs read of it.
    assert "    /// Call new_call() " in mails and "    -old_call@p\n" in mails
    assert not re.findall(r"`patchgen \w+`|Needs:|Options:|Requires:|Confidence:", mails)


@pytest.mark.parametrize(
    ("code", "on", "containing"),
    [
        ("(\n- old(e);\n+ new(e);\n|\n- older(e);\n+ new(e);\n)\n", "**/*.c", ["old", "older"]),
        ("- old(e, LIMIT_OF_OLD);\n+ new(e);\n", "**/*.c", "LIMIT_OF_OLD"),
        ("- old(e);\n+ new(e);\n", "lib/a.c", None),
        ("- e += 1;\n+ e++;\n", "**/*.c", None),
        (
            "- e->a = 0;\n+ new(e);\n@@\nexpression e;\n@@\n- e = f();\n+ g();\n",
            "**/*.c",
            ["a", "f"],
        ),
    ],
)
def test_only_files_with_a_word_that_each_match_needs_are_run(
    patchgen, tmp_path, code, on, containing
):
    cocci = tmp_path / "a.cocci"
    cocci.write_text(f"/// Do it\n@@\nexpression e;\n@@\n{code}")
    variant = tmp_path / "mine"
    made = patchgen("new", variant, "--from", cocci, "--on", on, cwd=tmp_path)
    assert made.code == 0, made.err
    manifest = tomllib.loads((variant / "manifest.toml").read_text())
    assert manifest["patch"][0]["rules"][0].get("containing") == containing


def test_without_a_case_there_is_a_warning(patchgen, tmp_path):
    (tmp_path / "a.cocci").write_text(COCCI)
    result = patchgen("new", "mine", "--from", "a.cocci", cwd=tmp_path)
    assert result.code == 0
    reason = f"{tmp_path} is not a git tree (`--tree` names one that has files that it changes)"
    assert result.err == f"warning: mine.cocci has no golden cases: {reason}\n"
    assert (
        "patchgen apply mine --signoff --tree TREE" in result.out
        and "patchgen test" not in result.out
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@r@\n@@\n-f();\n@script:python@\n@@\nprint(1)\n", "a.cocci:5: a script runs code"),
        ("@script:python@\n@@\nprint(1)\n", "a.cocci: has no `-` or `+` line"),
        ("@r@\n@@\n*f();\n", "a.cocci:2: only marks lines with `*`, so it changes no file"),
        ("@r@\nposition p;\n@@\nf@p();\n", "a.cocci: has no `-` or `+` line"),
        ("@r@\n@@\n-f(;\n", "a.cocci:4:4: spatch: minus: parse error"),
        ("virtual patch\n@r depends on patch@\n@@\n-f();\n", "virtual names (patch)"),
        ("@r@\n@@\n-f(1 <% 2);\n", "begins an expression of a template"),
    ],
)
def test_a_semantic_patch_that_a_variant_cannot_have_is_refused(patchgen, tmp_path, text, message):
    (tmp_path / "a.cocci").write_text("/// A title\n" + text)
    result = patchgen("new", "mine", "--from", "a.cocci", cwd=tmp_path)
    assert (result.code, result.out) == (1, "") and message in result.err
    assert [path.name for path in tmp_path.iterdir()] == ["a.cocci"]


RULE = "@r@\nposition p;\n@@\n-old_call@p\n+new_call\n (...)\n"
EDIT = "EDITME: describe the problem"
# The lines of the purpose, and the subject and the body that they become.
PURPOSES = {
    "one line": (["Call new_call()."], "Call new_call()", EDIT),
    "a sentence of two lines": (
        ["Call new_call() instead", "of old_call()."],
        "Call new_call() instead of old_call()",
        EDIT,
    ),
    "two lines without a full stop": (
        ["Call new_call() instead of", "old_call()"],
        "Call new_call() instead of old_call()",
        EDIT,
    ),
    "two sentences without a full stop": (
        ["Call new_call()", "This is better"],
        "Call new_call()",
        "This is better",
    ),
    "a name at the beginning of a line": (
        ["Call new_call() in", "Linux kernels."],
        "Call new_call() in Linux kernels",
        EDIT,
    ),
    "an abbreviation": (
        ["Call new_call(), i.e. NULL, etc. It is better."],
        "Call new_call(), i.e. NULL, etc. It is better",
        EDIT,
    ),
    "sentences that end in a line": (
        ["Call new_call().  It is better, and it", "is new. Use it."],
        "Call new_call()",
        "It is better, and it is new. Use it.",
    ),
    "a sentence that ends in a filled paragraph": (
        [
            "Call new_call(). The multiplication in a call of",
            "old_call(some_count * sizeof(*pointer)) can overflow, and then",
            "too little memory is allocated:",
            "- a short line",
            "- another",
            "  code();",
            "and that is it,",
            "as all say.",
            "",
            "The next paragraph",
            "is as it was.",
        ],
        "Call new_call()",
        "The multiplication in a call of old_call(some_count * sizeof(*pointer))\n"
        "can overflow, and then too little memory is allocated:\n"
        "- a short line\n- another\n  code();\nand that is it, as all say.\n\n"
        "The next paragraph\nis as it was.",
    ),
    "code below the sentence": (
        ["Call new_call().", "\tnew_call();", "It is better."],
        "Call new_call()",
        "\n\tnew_call();\nIt is better.",
    ),
    "a sentence that begins with a function": (
        ["Call new_call(). old_call() is old."],
        "Call new_call()",
        "old_call() is old.",
    ),
    "five lines": (
        ["Call new_call()", "", "One.", "", "  two();"],
        "Call new_call()",
        "One.\n\n  two();",
    ),
    "a list": (
        ["Call these:", "- new_call()"],
        None,
        "the introduction of a list",
    ),
    "a long sentence": (
        ["Call new_call() since " + "it is better, and " * 3, "the other one is not."],
        None,
        "has 96 characters, but a subject has room for 75",
    ),
    "no lines": ([], None, "it has no /// lines"),
    "the end of a message": (["diff -u of old_call()"], None, "as the end of the message"),
    "the end of a message in the body": (
        ["Call new_call().", "--- ", "diff -u"],
        "Call new_call()",
        "---\n diff -u",
    ),
    "a long line": (
        ["Call new_call().", "word " * 20],
        "Call new_call()",
        "word " * 13 + "word\n" + "word " * 5 + "word",
    ),
}


@pytest.mark.parametrize(("lines", "subject", "body"), PURPOSES.values(), ids=PURPOSES)
def test_the_purpose_becomes_a_message_or_is_refused(
    patchgen, git, tree, tmp_path, lines, subject, body
):
    purpose = "".join(f"/// {line}\n" for line in lines)
    (tmp_path / "a.cocci").write_text(purpose + RULE)
    args = ("new", tmp_path / "mine", "--from", tmp_path / "a.cocci", "--on", "lib/a.c")
    result = patchgen(*args, cwd=tree)
    if subject is None:
        assert (result.code, result.out) == (2, "")
        assert body in result.err and "hint: give" in result.err and "(--title)" in result.err
        assert not (tmp_path / "mine").exists()
        result = patchgen(*args, "--title", "lib: Call it", cwd=tree)
        subject = "Call it"
        body = "\n".join(lines)[:20] or EDIT
    assert (result.code, result.err) == (0, "")
    assert patchgen("check", tmp_path / "mine").code == 0
    assert patchgen("test", tmp_path / "mine").code == 0
    made = json.loads(patchgen("apply", tmp_path / "mine", "--json", cwd=tree).out)
    message = git(tree, "log", "-1", "--format=%B", made["tip"])
    assert message.partition("\n")[0] == f"lib: {subject}"
    assert body in message
    assert all(len(line) <= 75 for line in message.split("\n"))


@pytest.mark.parametrize("title", ["", "  ", "two\nlines", "an \x1b escape", "diff -u"])
def test_a_title_that_cannot_be_a_subject_is_refused(patchgen, tmp_path, title):
    result = patchgen("new", "mine", "--rename", "a=b", "--title", title, cwd=tmp_path)
    assert (result.code, result.out) == (2, "")
    assert "(--title)" in result.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [("mine", "already exists"), ("pvops", "a variant named"), ("two words", "not a valid")],
)
def test_a_name_in_use_and_a_wrong_one_are_refused(patchgen, tmp_path, name, message):
    (tmp_path / "mine").mkdir()
    # Without a source, it is refused before the questions, which need a terminal.
    for args in (("--rename", "a=b"), ()):
        result = patchgen("new", name, *args, cwd=tmp_path)
        assert result.code in (1, 2) and message in result.err
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["mine"]


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("--rename", "a=b", "--from-commit", "HEAD"),
        ("--from-commit", "HEAD", "--title", "x"),
        ("--rename", "a=b", "--base", "HEAD"),
        ("--rename", "a"),
        ("--rename", "a b=c"),
        ("--from", "none.cocci"),
    ],
)
def test_options_that_do_not_fit_are_refused(patchgen, tmp_path, args):
    result = patchgen("new", "mine", *args, cwd=tmp_path)
    assert (result.code, result.out) == (2, "")
    assert list(tmp_path.iterdir()) == []


def test_on_a_terminal_it_asks(tmp_path):
    main, other = os.openpty()
    # After an empty answer, it asks again.
    answers = b"\nold_call\n\nnew_call\nlib/*.c drivers/**/*.c\nlib: Call it\n"
    os.write(main, answers)
    program = [sys.executable, "-m", "patchgen", "new", "mine"]
    environment = {**os.environ, "PYTHONPATH": str(TOP)}
    finished = subprocess.run(
        program, cwd=tmp_path, stdin=other, stdout=subprocess.PIPE, stderr=other, env=environment,
        check=False,
    )  # fmt: skip
    os.close(other)
    shown = os.read(main, 65536).decode()
    os.close(main)
    assert finished.returncode == 0, shown
    assert shown.count("Function to replace: ") == shown.count("Function to call instead: ") == 2
    manifest = (tmp_path / "mine/manifest.toml").read_text()
    assert '"lib/*.c",\n    "drivers/**/*.c",' in manifest and '"lib: Call it"' in manifest
