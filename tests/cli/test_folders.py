# SPDX-License-Identifier: GPL-2.0-or-later
"""Each version has its folder of mails: what is in it goes out, and nothing else is touched."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from patchgen.mail import Existing, StagedFolder, find_mails_of, find_own_mails, name_folder
from patchgen.model.series import Mail
from tests.support.small_variant import apply_small as apply, make_small_tree, message_ids


@pytest.fixture
def tree(tmp_path, git) -> Path:
    return make_small_tree(tmp_path, git)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def printed_mails(out: str, cwd: Path) -> list[str]:
    """Return the files that a shell gives to the git send-email that was printed."""
    _, _, command = out.partition("# or: git send-email ")
    script = f"printf '%s\\n' {command.splitlines()[0]}"
    done = subprocess.run(["sh", "-c", script], cwd=cwd, capture_output=True, text=True, check=True)
    return [Path(line).name for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("branch", "revision", "folder"),
    [
        ("patchgen/pvops-v5", 5, "pvops-v5"),
        ("pvops-v5", 5, "pvops-v5"),
        ("topic", 1, "topic-v1"),
        ("topic/deep-v2", 2, "topic/deep-v2"),
        ("topic-v1", 12, "topic-v1-v12"),
        ("patchgen", 1, "patchgen-v1"),
    ],
)
def test_a_branch_and_version_has_a_folder_of_its_own(branch, revision, folder):
    assert str(name_folder(branch, revision)) == folder


def test_versions_and_variants_never_share_a_folder(patchgen, tree, git):
    one = apply(patchgen, tree)
    two = apply(patchgen, tree, "-v", "2")
    words = ("--split", "file", "--subject", "Use it", "--json")
    run = patchgen("run", tree.parent / "free.cocci", "--tree", tree, *words)
    three = json.loads(run.out)["series"]
    outgoing = tree / "outgoing"
    assert names(outgoing) == [".gitignore", "free-v1", "mine-v1", "mine-v2"]
    for document, folder in ((one, "mine-v1"), (two, "mine-v2"), (three, "free-v1")):
        assert names(outgoing / folder) == [Path(mail).name for mail in document["mails"]]
    assert git(tree, "status", "--porcelain", "--untracked-files=all") == ""


def test_a_folder_that_was_there_gets_no_gitignore(patchgen, tree, git):
    (tree / ".gitignore").write_text("*.o\n")
    git(tree, "add", ".gitignore")
    git(tree, "commit", "-q", "-m", "ignore")
    (tree / "outgoing").mkdir()
    apply(patchgen, tree)
    assert names(tree / "outgoing") == ["mine-v1"]
    apply(patchgen, tree, "-o", tree, "--force")
    assert (tree / ".gitignore").read_text() == "*.o\n"
    apply(patchgen, tree, "--branch", "other", "-o", tree.parent / "new")
    assert names(tree.parent / "new") == ["0000-cover-letter.patch", "0001-toy-Do-it.patch"]


def test_force_replaces_the_mails_of_version_1_only(patchgen, tree):
    """A series of two patches, then the same as one: no mail of the first may stay."""
    rule, out = tree.parent / "free.cocci", tree.parent / "out"
    words = ("run", rule, "--tree", tree, "--subject", "Use kvfree()", "-o", out)
    first = patchgen(*words, "--split", "file")
    assert first.code == 0, first.err
    assert len(names(out)) == 3
    (out / "0007-mine.patch").write_text("Subject: [PATCH 7/9] mine\n\n")
    (out / "notes").write_text("mine\n")
    again = patchgen(*words, "--split", "none", "--force")
    assert again.code == 0, again.err
    made = ["0000-cover-letter.patch", "0001-treewide-Use-kvfree.patch"]
    assert names(out) == [*made, "0007-mine.patch", "notes"]
    # A pattern would send the other series' mail, too.
    assert printed_mails(again.out, Path.cwd()) == made


def test_mails_of_another_series_are_not_overwritten_with_force(patchgen, tree, git):
    apply(patchgen, tree, "-o", tree.parent / "out")
    before = {path: path.read_bytes() for path in (tree.parent / "out").iterdir()}
    refs = git(tree, "for-each-ref")
    words = ("--variant", tree.parent / "mine", "--tree", tree, "--branch", "other")
    for force in ([], ["--force"]):
        done = patchgen("apply", *words, "-o", tree.parent / "out", *force)
        assert done.code == 1
    assert "0000-cover-letter.patch is not a mail of this version of the series" in done.err
    assert {path: path.read_bytes() for path in (tree.parent / "out").iterdir()} == before
    assert git(tree, "for-each-ref") == refs


def test_a_series_without_a_cover_commit_is_made_anew_with_its_mails(patchgen, tree):
    first = apply(patchgen, tree, "--no-b4")
    (tree.parent / "mine" / "new.j2").write_text("config NEW\n\tbool\n")
    again = apply(patchgen, tree, "--no-b4", "--force")
    assert again["change_id"] == first["change_id"]
    assert names(tree / "outgoing" / "mine-v1") == [Path(mail).name for mail in again["mails"]]


def test_an_empty_folder_is_taken_without_force(patchgen, tree):
    (tree.parent / "empty").mkdir()
    assert len(apply(patchgen, tree, "-o", tree.parent / "empty")["mails"]) == 2


def edit(git, tree: Path, branch: str) -> None:
    """Let a person reword the only patch of a branch."""
    words = ("-p", f"{branch}~1", "-m", "toy: Reword it\n\nSo.\n", f"{branch}^{{tree}}")
    git(tree, "update-ref", f"refs/heads/{branch}", git(tree, "commit-tree", *words).strip())


def test_format_writes_the_stale_mails_of_an_edited_branch_again(patchgen, tree, git):
    first = apply(patchgen, tree, "--to", "bea@example.org")
    branch = first["branch"]
    edit(git, tree, branch)
    done = patchgen("format", branch, "--tree", tree, "--json")
    assert done.code == 0, done.err
    again = json.loads(done.out)
    folder = tree / "outgoing" / "mine-v1"
    assert names(folder) == ["0000-cover-letter.patch", "0001-toy-Reword-it.patch"]
    assert [Path(mail).name for mail in again["mails"]] == names(folder)
    assert "\nTo: bea@example.org\n" in (folder / "0001-toy-Reword-it.patch").read_text()
    plan = patchgen("send", branch, "--tree", tree, "--dry-run", "--json")
    sent = [f"<{mail['message_id']}>" for mail in json.loads(plan.out)["mails"]]
    assert message_ids(again) == sent


def test_format_keeps_what_is_not_of_the_version(patchgen, tree, git):
    branch = apply(patchgen, tree)["branch"]
    mine = tree / "outgoing" / "mine-v1" / "0009-mine.patch"
    mine.write_text("Subject: [PATCH 9/9] mine\n\n")
    edit(git, tree, branch)
    done = patchgen("format", branch, "--tree", tree)
    assert done.code == 1
    assert (
        "has a file that is not a mail of this version of the series: 0009-mine.patch" in done.err
    )
    done = patchgen("format", branch, "--tree", tree, "--force")
    assert done.code == 0, done.err
    assert mine.exists() and not (mine.parent / "0001-toy-Do-it.patch").exists()
    assert printed_mails(done.out, Path.cwd()) == [
        "0000-cover-letter.patch",
        "0001-toy-Reword-it.patch",
    ]


def test_format_refuses_a_branch_without_a_cover_letter(patchgen, tree):
    done = patchgen("format", "master", "--tree", tree)
    assert done.code == 1 and not (tree / "outgoing").exists()


def test_the_printed_commands_name_the_branch_where_a_tag_has_its_name(patchgen, tree, git):
    git(tree, "tag", "mine-v1", "master")
    words = ("--variant", tree.parent / "mine", "--tree", tree, "--branch", "mine-v1")
    done = patchgen("apply", *words)
    assert done.code == 0, done.err
    log = next(line for line in done.out.splitlines() if line.startswith("  git "))
    shown = subprocess.run(shlex.split(log), capture_output=True, text=True, check=True).stdout
    assert "+config NEW" in shown
    done = patchgen(
        "send", "--tree", tree, "mine-v1", "--dry-run", "--skip-checks", "--to", "a@b.org"
    )
    assert done.code == 0, done.err


COVER = Mail("0000-c.patch", b"Message-ID: <c>\nSubject: [PATCH 0/1] x\n\nchange-id: a-1\n")


OWN_ID = "<1-a-v1-0-f@x>"


@pytest.mark.parametrize(
    "head",
    [
        "Subject: Re: [PATCH 1/1] x\nMessage-ID: <reply@x>",
        "Subject: Re: [PATCH 0/1] x\nMessage-ID: <reply@x>",
        "Subject: Re: [PATCH 1/1] x\nMessage-ID: <1-a-v1-1-f@x>",
        "Subject: [PATCH 1/1] x\nMessage-ID: <somebody-elses-patch@x>",
        "Subject: [PATCH 2/1] x\nMessage-ID: <1-a-v1-1-f@x>",
    ],
)
def test_an_answer_that_was_saved_with_the_mails_is_not_removed(tmp_path, head):
    cover = Mail(
        "0000-c.patch",
        f"Message-ID: {OWN_ID}\nSubject: [PATCH 0/1] x\n\nchange-id: a-1\n".encode(),
    )
    (tmp_path / cover.file_name).write_bytes(cover.content)
    patch = tmp_path / "0001-x.patch"
    patch.write_text(
        f"Message-ID: <1-a-v1-1-f@x>\nIn-Reply-To: {OWN_ID}\nSubject: [PATCH 1/1] x\n\ndiff\n"
    )
    answer = f"{head}\nIn-Reply-To: {OWN_ID}\n\nFine.\nchange-id: a-1\n"
    (tmp_path / "from-bea.patch").write_text(answer)
    assert find_own_mails(tmp_path, cover) == (tmp_path / cover.file_name, patch)
    # That the subject of version 1 does not name it makes no difference.
    assert find_mails_of(tmp_path, "a-1", 1) == (tmp_path / cover.file_name, patch)


@pytest.mark.parametrize(
    "text",
    [
        "Message-ID: <c>\nSubject: [PATCH v2 0/1] x\n\nchange-id: a-1\n",
        "Message-ID: <c>\nSubject: [PATCH 0/1] x\n\nchange-id: other-1\n",
        "Message-ID: <d>\nIn-Reply-To: <b>\nSubject: [PATCH 1/1] y\n\n",
        "Subject: [PATCH 0/1] x\n\nchange-id: a-1\n",
        "In-Reply-To: <>\nSubject: [PATCH 1/1] x\n\n",
        "\0\n" * 10,
        "Content-Type: multipart/mixed; boundary=a\n\n" + "--a\n" * 3000,
    ],
)
def test_what_is_not_recognisably_of_the_version_is_not_removed(tmp_path, text):
    (tmp_path / "0001-other.patch").write_text(text)
    assert find_own_mails(tmp_path, COVER) == ()


def test_a_link_is_never_followed_or_overwritten(tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(COVER.content)
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / COVER.file_name).symlink_to(secret)
    with (
        pytest.raises(Exception, match="is not overwritten"),
        StagedFolder(folder, [COVER], existing=Existing.ANYTHING),
    ):
        pass
    assert secret.read_bytes() == COVER.content


def test_a_kill_never_leaves_a_folder_that_git_would_show(tmp_path, monkeypatch):
    hidden = tmp_path / "outgoing"
    write = Path.write_text

    def look_and_write(self: Path, text: str) -> int:
        assert not hidden.exists() or (hidden / ".gitignore").exists()
        return write(self, text)

    monkeypatch.setattr(Path, "write_text", look_and_write)
    target = hidden / "topic-v1"
    with StagedFolder(target, [COVER], existing=Existing.NOTHING, hidden=hidden) as staged:
        staged.publish()
    assert (names(hidden), names(tmp_path)) == ([".gitignore", "topic-v1"], ["outgoing"])
    assert (hidden / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("name", ["\udcff", "\u202ex", "x\x85y"], ids=ascii)
def test_a_branch_that_mails_cannot_name_is_refused_before_the_work(patchgen, tree, git, name):
    words = ("--variant", tree.parent / "mine", "--tree", tree, "--branch", name)
    done = patchgen("apply", *words)
    assert (done.code, done.out) == (2, "")
    assert "choose another name" in done.err and "(--branch)" in done.err
    assert git(tree, "branch", "--list").split() == ["*", "master"]


def test_a_branch_that_mails_cannot_name_gets_none(patchgen, tree):
    apply(patchgen, tree, "--branch", "topic")
    (tree / ".git/refs/heads/topic").rename(tree / ".git/refs/heads/\udcff")
    done = patchgen("format", "\udcff", "--tree", tree)
    assert (done.code, done.out) == (2, "") and "`git branch -m` renames a branch" in done.err


def test_mails_go_to_the_work_tree_in_which_the_command_runs(patchgen, tree, git, tmp_path):
    apply(patchgen, tree)
    linked = tmp_path / "linked"
    git(tree, "worktree", "add", "-q", linked, "patchgen/mine-v1")
    document = json.loads(patchgen("format", "--json", cwd=linked).out)
    folder = linked / "outgoing/mine-v1"
    assert [str(folder / name) for name in names(folder)] == document["mails"]
    assert git(linked, "status", "--porcelain", "--untracked-files=all") == ""
    # Commands that write no mails read the branch, not a folder of mails.
    send = ("send", "--to", "a@example.org", "--dry-run", "--skip-checks")
    for args in (("status", "--onto", "master"), send):
        runs = [patchgen(*args, "patchgen/mine-v1", cwd=folder) for folder in (tree, linked)]
        assert runs[0] == runs[1] and runs[0].code == 0, runs
    git(tree, "worktree", "remove", linked)


def test_the_setting_is_one_folder_for_all_work_trees(patchgen, tree, git, tmp_path, monkeypatch):
    apply(patchgen, tree)
    git(tree, "worktree", "add", "-q", tmp_path / "linked", "patchgen/mine-v1")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    config = tmp_path / "settings/patchgen/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'outgoing = "{tmp_path}/all"\n')
    for folder in (tree, tmp_path / "linked"):
        result = patchgen("format", "patchgen/mine-v1", "--json", cwd=folder)
        mails = json.loads(result.out)["mails"]
        assert {str(Path(mail).parent) for mail in mails} == {str(tmp_path / "all/mine-v1")}
