# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen import` and `patchgen explain` of series that were posted, or applied from mails."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.checks import snapshot

V4 = "patchgen/pvops-v4"


@pytest.fixture
def posted(git, toy: Path, tmp_path: Path) -> Path:
    """Return an mbox with a v3 of two patches that somebody mails by hand on master."""
    git(toy, "checkout", "-q", "-b", "by-hand")
    for number in (1, 2):
        (toy / f"file{number}").write_text(f"{number}\n")
        git(toy, "add", "-f", f"file{number}")
        git(toy, "commit", "-q", "-m", f"x86: Do {number}", "-m", "Because.")
    args = ("-v3", "--cover-letter", "--thread", "--base=master", "--stdout", "master..")
    mails = git(toy, "format-patch", *args)
    mails = mails.replace("*** SUBJECT HERE ***", "x86: Do it").replace(
        "*** BLURB HERE ***", "All."
    )
    git(toy, "checkout", "-q", "master")
    git(toy, "branch", "-q", "-D", "by-hand")
    path = tmp_path / "v3.mbox"
    path.write_text(mails)
    return path


def test_a_posted_version_is_recorded_for_the_series(patchgen, pvops, posted, git):
    before = snapshot(pvops, without="none")
    args = ("import", "--tree", pvops, posted, "--series", V4, "--json")
    result = patchgen(*args)
    assert result.code == 0, result.err
    document = json.loads(result.out)
    assert document["revision"] == 3 and len(document["message_ids"]) == 3
    assert document["patches"] == ["x86: Do 1", "x86: Do 2"]
    assert document["base"] == git(pvops, "rev-parse", "master").strip()
    content = git(pvops, "cat-file", "-p", document["tag"])
    assert content.partition("\n\n")[2].startswith("x86: Do it\n\nAll.\n\n---\nbase-commit: ")
    other_lines = [
        line for line in snapshot(pvops, without="none").splitlines() if "tags/sent" not in line
    ]
    assert other_lines == before.splitlines()
    against = ("verify", V4, "--tree", pvops, "--skip", "build", "--skip", "checkpatch")
    compared = patchgen(*against, "--against", document["tag"])
    assert compared.code == 1 and "x86: Do 1" in compared.out
    again = patchgen(*args)
    assert again.code == 1 and "is already recorded as sent" in again.err


def test_an_imported_branch_equals_itself(patchgen, pvops, git):
    result = patchgen("import", "--tree", pvops, V4, "--series", V4, "-v", "3", "--json")
    assert result.code == 0, result.err
    tag = json.loads(result.out)["tag"]
    # As b4 has it: on the base, without the commit of the cover letter, which is in the tag.
    assert git(pvops, "rev-parse", f"{tag}~4") == git(pvops, "rev-parse", "master")
    content = git(pvops, "cat-file", "tag", tag).partition("\n\n")[2]
    assert content.startswith("x86: Route page encryption status changes through pv_ops\n\nGuests")
    against = ("verify", V4, "--tree", pvops, "--skip", "build", "--skip", "checkpatch")
    assert patchgen(*against, "--against", tag).code == 0
    assert patchgen(*against, "--against", "v3").code == 0
    missing = patchgen(*against, "--against", "v2")
    assert missing.code == 1 and "'v2' is not a file, folder, branch or commit" in missing.err


def test_the_version_that_is_named_is_taken_from_several(patchgen, pvops, tmp_path):
    for path in (pvops / "outgoing" / "pvops-v4").glob("v4-*"):
        for version in ("v2", "v3"):
            text = path.read_text().replace("[PATCH v4", f"[PATCH {version}")
            name = path.name.replace("v4", version)
            (tmp_path / name).write_text(text.replace("-v4-", f"-{version}-"))
    args = ("import", "--tree", pvops, tmp_path, "--series", V4, "--json")
    result = patchgen(*args, "-v", "5")
    assert result.code == 2 and "has v2, v3, not v5" in result.err
    document = json.loads(patchgen(*args, "-v", "2").out)
    assert document["revision"] == 2 and "-v2-0-" in document["message_ids"][0]
    [path] = tmp_path.glob("v3-0002*")
    path.unlink()
    result = patchgen(*args, "-v", "3")
    assert (
        result.code == 1 and "is incomplete: of 4 patches of v3, these are missing: 2" in result.err
    )


def test_a_version_without_a_cover_letter(patchgen, pvops, git, tmp_path):
    for path in (pvops / "outgoing" / "pvops-v4").glob("v4-000[1-4]*"):
        (tmp_path / path.name).write_text(path.read_text().replace("[PATCH v4", "[PATCH v3"))
    result = patchgen("import", "--tree", pvops, tmp_path, "--series", V4, "--json")
    assert result.code == 0, result.err
    ids = json.loads(result.out)["message_ids"]
    assert ["-v4-1-" in ids[0], len(ids)] == [True, 4]
    box = tmp_path / "box"
    box.write_text(
        f"From: B <b@example.org>\nSubject: Re: it\nMessage-ID: <a@x>\nIn-Reply-To: <{ids[0]}>\n\n"
        "Acked-by: B <b@example.org>\n"
    )
    document = json.loads(patchgen("trailers", "--tree", pvops, V4, box, "--json").out)
    assert [tag["patch"] for tag in document["applied"]] == [1]
    result = patchgen("reroll", "--tree", pvops, V4, "--quiet")
    assert result.code == 0, result.err
    assert "Link to" not in git(pvops, "show", "-s", "--format=%B", "patchgen/pvops-v5~4")


def test_answers_to_an_imported_version_find_their_patches(patchgen, pvops, git, tmp_path):
    for path in (pvops / "outgoing" / "pvops-v4").glob("v4-*"):
        text = path.read_text().replace("[PATCH v4", "[PATCH v3").replace("-v4-", "-v3-")
        (tmp_path / path.name).write_text(text)
    result = patchgen("import", "--tree", pvops, tmp_path, "--series", V4, "--json")
    assert result.code == 0, result.err
    document = json.loads(result.out)
    assert document["revision"] == 3
    box = tmp_path / "box"
    box.write_text(
        "From: B <b@example.org>\nSubject: Re: it\nMessage-ID: <a@x>\n"
        f"In-Reply-To: <{document['message_ids'][3]}>\n\nAcked-by: B <b@example.org>\n"
    )
    document = json.loads(patchgen("trailers", "--tree", pvops, V4, box, "--json").out)
    assert [(tag["patch"], tag["matched_by"]) for tag in document["applied"]] == [(3, "message-id")]


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (["none"], "'none' is not a file, folder, branch or commit"),
        (["v3.mbox", "--series", "none"], "branch 'none' does not exist"),
        (["v3.mbox", "--series", "master"], "cannot tell where the series on"),
        (["empty"], "empty has no mails"),
        (["v3.mbox", "--base", "none"], "has no commit 'none'"),
    ],
)
def test_an_error_states_what_is_wrong(patchgen, pvops, posted, args, problem):
    (posted.parent / "empty").write_text("")
    before = snapshot(pvops, without="none")
    result = patchgen("import", "--tree", pvops, *args, cwd=posted.parent)
    assert result.code in (1, 2) and problem in result.err, result.err
    assert snapshot(pvops, without="none") == before


def test_explains_what_a_commit_was_made_from(patchgen, pvops, git, tmp_path):
    clone = tmp_path / "elsewhere"
    git(tmp_path, "clone", "-q", "--branch", V4, pvops, clone)
    result = patchgen("explain", "--tree", clone, "HEAD~1", "--json")
    assert result.code == 0, result.err
    document = json.loads(result.out)
    assert document["patch"]["name"] == "hypercall" and document["edited"] == []
    assert document["series"]["variables"]["hypercall"] == "kvm_sev_hypercall3"
    assert document["series"]["tools"]["spatch"]
    assert set(document["series"]["inputs"]) == {"pvops", "templates"}
    [smpl] = document["patch"]["semantic_patches"].values()
    assert "@sev_hypercall@" in smpl
    shown = patchgen("explain", "--tree", clone, "HEAD~1").out
    assert "patch: hypercall (backend sev)" in shown and "@sev_hypercall@" in shown
    assert str(pvops) not in result.out and "/" + "root" not in result.out
    source = clone / "arch/x86/kernel/kvm.c"
    source.write_text(source.read_text() + "/* by hand */\n")
    git(clone, "commit", "-q", "-a", "--amend", "-m", "x86/kvm: Another", "-m", "Text.")
    changed = patchgen("explain", "--tree", clone, "HEAD").out
    assert "patch: sev (backend sev)" in changed and "edited by hand: code, message" in changed
    cover = patchgen("explain", "--tree", clone, "HEAD~4")
    assert "the cover letter of a series" in cover.out
    nothing = patchgen("explain", "--tree", clone, "origin/master")
    assert nothing.code == 1 and "has no record" in nothing.err


def test_explains_what_somebody_added_in_between(patchgen, pvops, git):
    git(pvops, "checkout", "-q", "--detach", f"{V4}~1")
    source = pvops / "arch/x86/kernel/kvm.c"
    source.write_text(source.read_text() + "/* by hand */\n")
    git(pvops, "commit", "-q", "-a", "-m", "x86/kvm: Add a comment")
    git(pvops, "cherry-pick", V4)
    git(pvops, "branch", "-q", "-f", V4)
    git(pvops, "checkout", "-q", "master")
    for key, value in {
        "diff.noprefix": "true",
        "diff.algorithm": "patience",
        "color.ui": "always",
        "i18n.logOutputEncoding": "ISO-8859-1",
    }.items():
        git(pvops, "config", key, value)
    # It touches the file of the patch that comes after it, and is not that patch.
    shown = patchgen("explain", "--tree", pvops, f"{V4}~1").out
    assert "added by hand to a series that patchgen generated" in shown
    assert "patch: sev (backend sev)" in patchgen("explain", "--tree", pvops, V4).out
    assert "state: as generated" in patchgen("explain", "--tree", pvops, f"{V4}~5").out


def test_an_answer_is_not_read_as_the_cover_letter(patchgen, toy, posted, git):
    answer = "From x Mon Sep 17 00:00:00 2001\nFrom: Bea <bea@example.org>\n"
    answer += "Subject: Re: [PATCH v3 0/2] x86: Wrong\nMessage-ID: <b@example.org>\n\nNo.\n\n"
    posted.write_text(answer + posted.read_text())
    result = patchgen("import", "--tree", toy, posted, "--json")
    assert result.code == 0, result.err
    document = json.loads(result.out)
    assert "b@example.org" not in document["message_ids"] and len(document["message_ids"]) == 3
    content = git(toy, "cat-file", "-p", document["tag"])
    assert content.partition("\n\n")[2].startswith("x86: Do it\n\nAll.\n\n---\n")


def test_no_message_id_is_recorded_where_one_is_missing(patchgen, toy, posted):
    """Else answers would go to the patch after the one that they are for."""
    first, mark, rest = posted.read_text().partition("Subject: [PATCH v3 1/2]")
    head, _, name = first.rpartition("Message-")
    posted.write_text(f"{head}X-No-{name}{mark}{rest}")
    result = patchgen("import", "--tree", toy, posted, "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["message_ids"] == []


def test_the_same_mails_give_the_same_tag_on_another_day(patchgen, toy, posted, git, monkeypatch):
    text = re.sub(
        "^Date: .*", "Date: Fri, 20 Aug 2021 09:00:00 +0200", posted.read_text(), flags=re.MULTILINE
    )
    posted.write_text(text)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1629460000")
    result = patchgen("import", "--tree", toy, posted, "--json")
    assert result.code == 0, result.err
    tag = json.loads(result.out)["tag"]
    dates = git(toy, "log", "-2", "--format=%ad %cd", "--date=raw", tag).split()
    assert dates == ["1629442800", "+0200"] * 4
    assert "1629460000 +0000" in git(toy, "cat-file", "-p", tag)


def test_a_ref_that_git_cannot_write_is_not_a_version_that_was_sent(patchgen, toy, posted):
    args = ("import", "--tree", toy, posted, "--json")
    tag = json.loads(patchgen(*args).out)["tag"]
    (toy / f".git/refs/tags/{tag}").rename(toy / f".git/refs/tags/{tag}.lock")
    result = patchgen(*args)
    assert result.code == 1 and "already recorded as sent" not in result.err
    assert f"the tag {tag} cannot be written" in result.err and ".lock" in result.err


RELAYED = "From: Zoe via linux-foo <foo@lists.example.org>\n"


def _change_mails(posted: Path, pattern: str, new: str) -> None:
    text, count = re.subn(pattern, new, posted.read_text(), flags=re.MULTILINE)
    assert count
    posted.write_text(text)


@pytest.mark.parametrize(
    ("headers", "author"),
    [
        ("From: Zoe <zoe@example.org>\n", "Zoe <zoe@example.org>"),
        (RELAYED + "Reply-To: zoe@example.org\n", "Zoe <zoe@example.org>"),
        (
            RELAYED + "To: foo@lists.example.org\n"
            "Reply-To: =?utf-8?q?Zo=C3=A9?= <zoe@example.org>, foo@lists.example.org\n",
            "Zoé <zoe@example.org>",
        ),
        (
            "From: \"'Zoe' via foo\" <foo@groups.example.org>\nReply-To: foo@x.org, bar@x.org\n"
            "X-Original-From: Zoe Zett <zoe@example.org>\n",
            "Zoe Zett <zoe@example.org>",
        ),
        (
            "From: Zoe via B4 Relay <devnull+zoe.example.org@kernel.org>\n"
            "Reply-To: zoe@example.org\n",
            "Zoe <zoe@example.org>",
        ),
        # The list has not marked From, and Reply-To may be any address.
        ("From: Zoe <zoe@example.org>\nReply-To: foo@x.org\n", "Zoe <zoe@example.org>"),
    ],
)
def test_a_list_does_not_become_the_author(patchgen, toy, posted, git, headers, author):
    _change_mails(posted, "^From: .*\n", headers.replace("\\", r"\\"))
    result = patchgen("import", "--tree", toy, posted, "--json")
    assert result.code == 0, result.err
    tip = json.loads(result.out)["tip"]
    assert git(toy, "log", "-2", "--format=%an <%ae>", tip).splitlines() == [author] * 2


@pytest.mark.parametrize(
    "header", [RELAYED, "From: Zoe <devnull+zoe.example.org@kernel.org>\n"], ids=["list", "relay"]
)
def test_an_author_in_the_body_is_used_and_a_missing_one_is_an_error(
    patchgen, toy, posted, git, header
):
    _change_mails(posted, "^From: .*\n", header)
    before = snapshot(toy, without="none")
    result = patchgen("import", "--tree", toy, posted)
    assert result.code == 1 and "does not name its author: a list has replaced" in result.err
    assert snapshot(toy, without="none") == before
    _change_mails(posted, "^Because", "From: Yan <yan@example.org>\n\nBecause")
    result = patchgen("import", "--tree", toy, posted, "--json")
    tip = json.loads(result.out)["tip"]
    assert (
        git(toy, "log", "-2", "--format=%an <%ae>", tip).split("\n")[:2]
        == ["Yan <yan@example.org>"] * 2
    )


@pytest.mark.parametrize(
    ("headers", "date"),
    [
        ("Date: Fri, 20 Aug 21 09:00 EDT\n", "1629464400 -0400"),
        ("Date: Fri, 20 Aug 2021 09:00:00 +0530 (IST)\n", "1629430200 +0530"),
        ("Received: by x; Fri, 20 Aug 2021 09:00:00 -0330\n", "1629462600 -0330"),
        (
            "Date: soon\nReceived: by y; Sat, 21 Aug 2021 09:00:00 +0000\n"
            "Received: by x;\n\tFri, 20 Aug 2021 09:00:00 +0000\n",
            "1629450000 +0000",
        ),
    ],
)
def test_a_patch_has_the_date_of_its_mail(patchgen, toy, posted, git, headers, date):
    _change_mails(posted, "^Date: .*\n", headers)
    result = patchgen("import", "--tree", toy, posted, "--json")
    assert result.code == 0, result.err
    tip = json.loads(result.out)["tip"]
    shown = git(toy, "log", "-2", "--format=%ad", "--date=raw", tip)
    assert shown.splitlines() == [date] * 2


def test_a_date_that_nobody_can_read_is_an_error(patchgen, toy, posted):
    _change_mails(posted, "^Date: .*\n", "Date: yesterday evening\n")
    result = patchgen("import", "--tree", toy, posted)
    assert result.code == 1 and "is not a date: yesterday evening [mail-damaged]\n" in result.err


LIST_OF_CHANGES = "Changes in v3:\n- this\n\nChanges in v2:\n- that\n\n"


@pytest.mark.parametrize("by", ["message-ids", "cover letter", "changes", "reply"])
def test_the_thread_names_the_version_where_the_patches_do_not(patchgen, toy, posted, by):
    lost = "Subject: [PATCH" if by == "cover letter" else "Subject:"
    number = r" \1" if by == "cover letter" else ""
    _change_mails(posted, r"^Subject: \[PATCH v3( [12]/2\])", lost + number)
    if by != "cover letter":
        _change_mails(posted, r"^Subject: \[PATCH v3 0/2\]", "Subject:")
    text = posted.read_text()
    ids = re.findall(r"^Message-I[dD]: <(.*)>", text, re.MULTILINE)
    if by == "message-ids":
        for number, message_id in enumerate(ids):
            text = text.replace(message_id, f"20260301-it-v3-{number}-0123456789ab@example.org")
    elif by == "changes":
        text = text.replace("\n---\n", f"\n---\n{LIST_OF_CHANGES}", 1)
    elif by == "reply":
        text += (
            "\nFrom b Fri Aug 20 09:00:00 2021\nFrom: Bea <bea@example.org>\nMessage-ID: <r@x>\n"
            f"Subject: Re: [PATCH v3 1/2] x86: Do 1\nIn-Reply-To: <{ids[1]}>\n\nFine.\n"
        )
    posted.write_text(text)
    result = patchgen("import", "--tree", toy, posted, "--json")
    assert result.code == 0, result.err
    document = json.loads(result.out)
    assert document["revision"] == 3 and document["patches"] == ["x86: Do 1", "x86: Do 2"]
