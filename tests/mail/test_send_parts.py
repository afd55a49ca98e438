# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen send --only`: a version is sent in parts, in one thread, and no mail twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from patchgen.errors import UsageError
from patchgen.send.parts import choose_part
from tests.conftest import Patchgen
from tests.mail.test_send import V4, delivered_once, ids, parse
from tests.support.campaign_tree import BRANCH, make_campaign_tree
from tests.support.smtp import Server

ACKED = "Acked-by: Kay Vee Em <kvm@example.org>"
Git = Callable[..., str]


def send(patchgen: Patchgen, tree: Path, *args: str, branch: str = V4):
    return patchgen("send", "--tree", tree, branch, "--yes", "--skip-checks", *args)


def labels(server: Server) -> list[str]:
    """Return the numbers of the patches that arrived: "2/4"."""
    return [str(parse(mail)["Subject"]).partition("]")[0].split()[-1] for mail in server.received]


def rewrite(git: Git, tree: Path, number: int, old: str, new: str) -> None:
    """Change the message of a patch of the series, from 1, as `git rebase -i` would."""
    commits = git(tree, "rev-list", "--reverse", f"{V4}~4..{V4}").split()
    git(tree, "checkout", "-q", "--detach", commits[number - 1])
    text = git(tree, "show", "-s", "--format=%B", "HEAD")
    assert old in text
    git(tree, "commit", "-q", "--amend", "-m", text.replace(old, new, 1))
    for oid in commits[number:]:
        git(tree, "cherry-pick", oid)
    git(tree, "update-ref", f"refs/heads/{V4}", "HEAD")
    git(tree, "checkout", "-q", "master")


def test_parts_are_one_thread_though_the_series_changes_between_them(patchgen, git, series, server):
    first = send(patchgen, series, "--only", "1")
    assert first.code == 0, first.err
    assert labels(server) == ["0/4", "1/4"] and git(series, "tag", "--list") == ""
    assert f"Sent 2 mails; 3 are not sent yet: `patchgen send {V4}` sends" in first.out
    rewrite(git, series, 1, "Signed-off-by", f"{ACKED}\nSigned-off-by")
    # This changes the message-ids of all mails.
    rewrite(git, series, 4, "\n\n", "\n\nAs all know, this is so.\n\n")
    second = send(patchgen, series, "--only", "3")
    assert second.code == 0, second.err
    assert second.out.startswith(f"{V4}, v4: 1 of 5 mails\n  3 ")
    last = send(patchgen, series)
    assert last.code == 0, last.err
    assert labels(server) == ["0/4", "1/4", "3/4", "2/4", "4/4"]
    delivered_once(server.received)
    cover, *answers = ids(server.received)
    assert {str(parse(mail)["In-Reply-To"]) for mail in server.received[1:]} == {cover}
    assert {str(parse(mail)["References"]) for mail in server.received[1:]} == {cover}
    [tag] = [name for name in git(series, "tag", "--list").split() if V4 not in name]
    content = git(series, "cat-file", "-p", tag)
    recorded = [line.split()[1] for line in content.splitlines() if line.startswith("message-id")]
    in_order = [cover, answers[0], answers[2], answers[1], answers[3]]
    assert [f"<{message_id}>" for message_id in recorded] == in_order
    assert "was sent already" in send(patchgen, series).err


def test_a_fault_in_a_part_is_resumed_with_the_mails_of_that_part(patchgen, series, server):
    server.faults[2] = "451"
    assert send(patchgen, series, "--only", "1-3", "--cc", "list@example.org").code == 1
    for args in ((), ("--only", "4")):
        refused = send(patchgen, series, *args)
        assert refused.code == 1 and "2 of 5 mails of this version have been" in refused.err
    resumed = send(patchgen, series, "--resume")
    assert resumed.code == 0, resumed.err
    assert "Sent 2 mails; 1 is not sent yet" in resumed.out
    assert labels(server) == ["0/4", "1/4", "2/4", "3/4"]
    nothing = send(patchgen, series, "--resume")
    assert nothing.code == 1 and "nothing to resume" in nothing.err
    # The people of the first part get the last one, too.
    assert send(patchgen, series).code == 0
    assert labels(server)[-1] == "4/4"
    assert all("list@example.org" in mail.recipients for mail in server.received)
    delivered_once(server.received)


def test_the_text_of_a_sent_patch_may_not_change(patchgen, git, series, server):
    assert send(patchgen, series, "--only", "2").code == 0
    rewrite(git, series, 2, "\n\n", "\n\nNew.\n\n")
    result = send(patchgen, series, "--only", "3")
    assert result.code == 1 and "has changed since" in result.err
    assert labels(server) == ["0/4", "2/4"]


def test_the_cover_letter_may_be_sent_first_and_the_journal_has_the_recipients(
    patchgen, series, server
):
    assert send(patchgen, series, "--only", "0").code == 0
    assert labels(server) == ["0/4"]
    assert send(patchgen, series, "--only", "2").code == 0
    again = send(patchgen, series, "--only", "1,2")
    assert again.code == 2 and "mail 2, " in again.err and "was sent on 20" in again.err
    [path] = (series / ".git/patchgen/send").glob("*.json")
    document = json.loads(path.read_text())
    sent = [mail for mail in document["mails"] if mail["state"] == "sent"]
    assert [mail["file"][:7] for mail in sent] == ["v4-0000", "v4-0002"]
    for mail, received in zip(sent, server.received, strict=True):
        assert mail["time"] > 0
        named = [person.partition("<")[2].rstrip(">") or person for person in mail["to"]]
        named += [person.partition("<")[2].rstrip(">") or person for person in mail["cc"]]
        assert sorted(named) == sorted(received.recipients)
    shown = patchgen("send", "--tree", series, V4, "--dry-run", "--json", "--only", "4")
    assert shown.code == 0, shown.err
    plan = json.loads(shown.out)
    assert plan["part"] == [4]
    assert [mail["state"] for mail in plan["mails"]] == [
        "sent", "waiting", "sent", "waiting", "waiting"
    ]  # fmt: skip


@pytest.fixture
def campaign(tmp_path: Path, patchgen: Patchgen, git: Git, server: Server) -> Path:
    """Return a tree with a campaign of three patches, configured for the server."""
    tree = tmp_path / "linux"
    rule = make_campaign_tree(tree)
    for key, value in (("smtpServer", "127.0.0.1"), ("smtpServerPort", str(server.port))):
        git(tree, "config", f"sendemail.{key}", value)
    args = ("run", rule, "--tree", tree, "--split", "-o", tmp_path / "out", "--quiet")
    done = patchgen(*args, "--cc", "me@example.org")
    assert done.code == 0, done.err
    return tree


def test_a_campaign_is_sent_by_git_trees_and_its_next_version_answers_it(
    patchgen, git, campaign, server
):
    done = send(patchgen, campaign, "--only", "git://git.example.org/f.git", branch=BRANCH)
    assert done.code == 0, done.err
    assert labels(server) == ["0/3", "2/3"]
    # The generated mails have an empty To, which RFC 5322 does not allow.
    addressed = [(str(mail["To"]), str(mail["Cc"])) for mail in map(parse, server.received)]
    assert addressed == [
        ("netdev@example.org, me@example.org", "None"),
        ("Fay <fay@example.org>, me@example.org", "None"),
    ]
    assert send(patchgen, campaign, "--only", "net", branch=BRANCH).code == 0
    assert labels(server) == ["0/3", "2/3", "1/3"]
    rerolled = patchgen("reroll", BRANCH, "--tree", campaign, "--quiet")
    assert rerolled.code == 0, rerolled.err
    cover = git(campaign, "show", "-s", "--format=%B", "patchgen/call-v2~3")
    link = ids(server.received)[0].strip("<>")
    assert f"- Link to v1: https://lore.kernel.org/r/{link}" in cover


def edit_patch(git: Git, tree: Path, number: int, edit: Callable[[str], str], file: str) -> None:
    """Add a tag to a patch of the campaign, from 1, edit its text, and append a line to a file."""
    commits = git(tree, "rev-list", "--reverse", f"master..{BRANCH}").split()
    git(tree, "checkout", "-q", "--detach", commits[number])
    text = git(tree, "show", "-s", "--format=%B", "HEAD")
    tagged = edit(text).replace("\n---\n", f"\n\n{ACKED}\n---\n")
    if file:
        (tree / file).write_text((tree / file).read_text() + "/* one more line */\n")
    git(tree, "commit", "-qa", "--amend", "-m", tagged)
    for oid in commits[number + 1 :]:
        git(tree, "cherry-pick", oid)
    git(tree, "update-ref", f"refs/heads/{BRANCH}", "HEAD")
    git(tree, "checkout", "-q", "master")


@pytest.mark.parametrize(
    ("old", "new", "file", "changes"),
    [
        ("", "", "", "\n(no changes since v1)\n"),
        ("which takes", "taking", "", ""),
        ("", "", "fs/f/f.c", "Drop Acked-by of Kay Vee Em"),
    ],
    ids=["tag", "text", "code"],
)
def test_the_next_version_differs_from_what_was_sent_and_not_from_the_branch(
    patchgen, git, campaign, old, new, file, changes
):
    assert send(patchgen, campaign, "--only", "2", branch=BRANCH).code == 0
    edit_patch(git, campaign, 2, lambda text: text.replace(old, new), file)
    assert patchgen("reroll", BRANCH, "--tree", campaign, "--quiet").code == 0
    text, _, notes = git(campaign, "show", "-s", "--format=%B", "patchgen/call-v2~1").partition(
        "\n---\n"
    )
    assert (ACKED in text) == (not file)
    assert changes in notes and ("no changes" in notes) == ("no changes" in changes)


def test_a_journal_without_digests_of_changes_does_not_retain_tags(patchgen, git, campaign):
    """Journals from before 0.2 have only a digest of text and change."""
    assert send(patchgen, campaign, "--only", "2", branch=BRANCH).code == 0
    [path] = (campaign / ".git/patchgen/send").glob("*.json")
    journal = json.loads(path.read_text())
    for mail in journal["mails"]:
        del mail["change"]
    path.write_text(json.dumps(journal))
    edit_patch(git, campaign, 2, str, "fs/f/f.c")
    assert patchgen("reroll", BRANCH, "--tree", campaign, "--quiet").code == 0
    text = git(campaign, "show", "-s", "--format=%B", "patchgen/call-v2~1")
    assert ACKED not in text.partition("\n---\n")[0]


def test_a_version_of_which_a_part_was_sent_is_not_made_again(patchgen, campaign, server):
    v2 = "patchgen/call-v2"
    rerolled = patchgen("reroll", BRANCH, "--tree", campaign, "--quiet")
    assert rerolled.code == 0, rerolled.err
    assert send(patchgen, campaign, "--only", "2", branch=v2).code == 0
    again = patchgen("reroll", v2, "--tree", campaign, "--dry-run", "-v", "2")
    assert again.code == 1 and "v2 was sent already" in again.err
    older = patchgen("reroll", BRANCH, "--tree", campaign, "--dry-run")
    assert older.code == 0 and older.out.startswith("v3, 3 patches\n")
    assert f"v2 was sent, but this reroll starts from {BRANCH}" in older.err
    sent = send(patchgen, campaign, "--only", "1", branch=BRANCH)
    assert "v2 was sent already, and is newer than these mails" in sent.err


NAMED = """; it has [mail-number]:
  net (1/3 net: Use new_call(), which takes a lock)
  f (2/3 f: Use new_call(), which takes a lock)
  treewide (3/3 treewide: Use new_call(), which takes a lock)
"""


def test_a_wrong_selection_is_a_usage_error(patchgen, campaign, server):
    for args, text in (
        (("--only", "5"), "the mails have the numbers 0 to 3, not 5"),
        (("--only", "nosuch"), "the series has no patch 'nosuch'"),
        (("--only", "nosuch"), NAMED),
        (("--only", ","), "no mail is selected"),
        (("--only", "1", "--resume"), "--only cannot be combined with --resume"),
    ):
        done = send(patchgen, campaign, *args, branch=BRANCH)
        assert done.code == 2 and text in done.err
    assert server.received == []


def test_numbers_ranges_and_names_select_mails():
    names = {"net": [2, 5], "f": [1]}
    assert choose_part(" 0, 3-4,net ", names, 6) == {0, 2, 3, 4, 5}
    assert choose_part("cover,f", names, 6) == {0, 1}
    for wrong in ("4-3", "6", "", "-1", "net f"):
        with pytest.raises(UsageError):
            choose_part(wrong, names, 6)
