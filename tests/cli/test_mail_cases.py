# SPDX-License-Identifier: GPL-2.0-or-later
"""Mails as people send them, one folder each in tests/data/mail, and what becomes of them.

Message-ids in these files are replaced by those of the series that the test makes.
"""

from __future__ import annotations

import base64
import bz2
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from patchgen.mail import parse_mail, read_message_id
from patchgen.model.series import Mail
from tests.support.kernels import commit_all
from tests.support.prepared import TOY_TREE

DATA = Path(__file__).parents[1] / "data" / "mail"
V4 = "patchgen/pvops-v4"
BEA = "Bea Bee <bea@example.org>"
_OF_THE_DAY = re.compile(rb"20261128-pvops-v4-(\d)-d8364697b3df@example\.org")


@pytest.fixture(scope="module")
def shared_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a toy tree in which the first test that needs it makes v4, and no test changes it."""
    tree = tmp_path_factory.mktemp("mails") / "toy"
    shutil.copytree(TOY_TREE, tree, symlinks=True)
    commit_all(tree, "toy")
    return tree


@pytest.fixture
def v4(shared_tree, patchgen) -> tuple[Path, list[str]]:
    """Return the tree with v4 on a branch, and the message-ids of its mails."""
    cached = shared_tree.parent / "made.json"
    if not cached.exists():
        args = ("apply", "--variant", "pvops", "--backend", "sev", "--tree", shared_tree)
        result = patchgen(*args, "--signoff", "--json")
        assert result.code == 0, result.err
        cached.write_text(result.out)
    paths = json.loads(cached.read_text())["mails"]
    mails = [Mail(path, Path(path).read_bytes()) for path in paths]
    return shared_tree, [read_message_id(parse_mail(mail)) for mail in mails]


def fill_in(name: str, ids: list[str], target: Path) -> Path:
    """Write a case's box with the message-ids of this series."""
    content = (DATA / name / "box.mbox").read_bytes()
    target.write_bytes(_OF_THE_DAY.sub(lambda match: ids[int(match[1])].encode(), content))
    return target


def collect(patchgen, v4, name: str, tmp_path: Path) -> dict:
    tree, ids = v4
    box = fill_in(name, ids, tmp_path / "box.mbox")
    result = patchgen("trailers", "--tree", tree, V4, box, "--dry-run", "--json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def added(document: dict) -> list[tuple[int, str]]:
    return [(tag["patch"], tag["trailer"]) for tag in document["applied"]]


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        ("key-case", [(1, "Tested-by"), (2, "Reviewed-by"), (3, "Acked-by")]),
        ("tag-after-inline-diff", [(2, "Reviewed-by")]),
        ("tag-flowed", [(2, "Reviewed-by")]),
        ("tag-two-people", [(2, "Reviewed-by")]),
        ("tag-outlook-link", [(2, "Reviewed-by")]),
        ("tag-thanks", [(2, "Reviewed-by")]),
        (
            "reviewed-and-tested-by",
            [
                (1, "Acked-by"),
                (1, "Tested-by"),
                (2, "Reviewed-by"),
                (2, "Tested-by"),
                (3, "Reviewed-by"),
                (3, "Tested-by"),
            ],
        ),
    ],
)
def test_a_tag_is_read_in_whatever_form_people_write_it(patchgen, v4, tmp_path, name, tags):
    document = collect(patchgen, v4, name, tmp_path)
    assert sorted(added(document)) == [(number, f"{key}: {BEA}") for number, key in tags]


def test_a_line_that_names_two_people_credits_only_the_sender(patchgen, v4, tmp_path):
    document = collect(patchgen, v4, "tag-two-people", tmp_path)
    [left] = document["not_applied"]
    assert left["trailer"] == "Reviewed-by: Cy Cee <cy@example.org>"
    assert left["reason"] == "the mail is from bea@example.org"


@pytest.mark.parametrize(
    ("name", "reason", "patches"),
    [
        ("who-via-list", "the mail is from kernel@lists.example.com; its Reply-To", [2]),
        ("who-plus", "the mail is from bea+lkml@example.org; the addresses are similar", [2]),
        ("tag-some-patches", 'restricts it to "patches 1 and 2"', [1, 2]),
        ("tag-html", "it is in HTML, where a quote may not be recognised", [2]),
    ],
)
def test_a_tag_in_doubt_is_listed_and_added_if_accepted(
    patchgen, v4, tmp_path, name, reason, patches
):
    tree, ids = v4
    box = fill_in(name, ids, tmp_path / "box.mbox")
    shown = patchgen("trailers", "--tree", tree, V4, box, "--dry-run").out
    assert reason in shown and f"  [1] Reviewed-by: {BEA}\n" in shown
    assert "is added with --accept N" in shown and "Nothing to add." in shown
    args = ("trailers", "--tree", tree, V4, box, "--dry-run", "--json", "--accept", "1")
    document = json.loads(patchgen(*args).out)
    assert added(document) == [(number, f"Reviewed-by: {BEA}") for number in patches]
    assert document["not_applied"] == []
    result = patchgen(*args[:-1], "2")
    assert result.code == 1 and "no tag with the number 2 is in doubt" in result.err


def test_a_condition_above_two_tags_keeps_both_from_being_added(patchgen, v4, tmp_path):
    document = collect(patchgen, v4, "tag-condition", tmp_path)
    assert added(document) == []
    assert [tag["trailer"] for tag in document["not_applied"]] == [
        f"Reviewed-by: {BEA}",
        f"Tested-by: {BEA}",
    ]


def test_utf_8_without_a_declared_charset_is_read_as_utf_8(patchgen, v4, tmp_path):
    document = collect(patchgen, v4, "cs-none-8bit", tmp_path)
    assert added(document) == [(2, "Reviewed-by: Béa Bee <bea@example.org>")]


def test_a_name_that_cannot_be_decoded_is_listed_and_not_added(patchgen, v4, tmp_path):
    tree, ids = v4
    head = f"From: {BEA}\nIn-Reply-To: <{ids[2]}>\nContent-Type: text/plain; charset=".encode()
    for declared, name in (
        (b"utf-8", b"B\xe9a"),
        (b"y", b"B\xe9a"),
        (b"us-ascii", b"B\xe9a"),
        (b"utf-8", b"B\xef\xbf\xbda"),
        (b"utf-8", "BÃ©a".encode()),
        (b"utf-8", b"=?klingon?q?B=e9a?="),
    ):
        box = tmp_path / "box"
        box.write_bytes(head + declared + b"\n\nAcked-by: " + name + b" <bea@example.org>\n")
        result = patchgen("trailers", "--tree", tree, V4, box, "--dry-run", "--json")
        assert result.code == 0, result.err
        document = json.loads(result.out)
        [left] = document["not_applied"]
        assert left["reason"] == "it has characters that could not be decoded", (declared, name)
        assert document["applied"] == []


def test_a_note_below_a_tag_is_added_to_the_commit(patchgen, v4, git, tmp_path):
    tree, ids = v4
    clone = tmp_path / "clone"
    shutil.copytree(tree, clone, symlinks=True)
    box = fill_in("tag-bracket-line-below", ids, tmp_path / "box.mbox")
    result = patchgen("trailers", "--tree", clone, V4, box)
    assert result.code == 0, result.err
    message = git(clone, "show", "-s", "--format=%B", f"{V4}~2")
    assert f"\nReviewed-by: {BEA}\n[for the x86 bits]\n" in message
    seen = git(clone, "show", "-s", "--format=%(trailers:only,unfold)", f"{V4}~2")
    assert "Signed-off-by: Ada" in seen and f"Reviewed-by: {BEA}" in seen


def test_a_tag_is_added_to_the_block_of_a_message_with_two_notes(patchgen, v4, git, tmp_path):
    tree, _ = v4
    clone = tmp_path / "clone"
    shutil.copytree(tree, clone, symlinks=True)
    git(clone, "checkout", "-q", "-f", V4)
    git(clone, "commit", "-q", "--amend", "-F", DATA / "msg-two-notes" / "message")
    again = patchgen("trailers", "--tree", clone, V4, DATA / "msg-two-notes" / "box.mbox", "--json")
    assert again.code == 0, again.err
    document = json.loads(again.out)
    # The subject lacks "[PATCH]", and nothing else contradicts it.
    assert [tag["reason"] for tag in document["not_applied"]] == ["the patch has it already"]
    box = tmp_path / "box"
    mail = (DATA / "msg-two-notes" / "box.mbox").read_text()
    box.write_text(mail.replace("Bea Bee", "Dee").replace("bea@", "dee@"))
    assert json.loads(patchgen("trailers", "--tree", clone, V4, box, "--json").out)["applied"]
    seen = git(clone, "show", "-s", "--format=%(trailers:only)", V4).split("\n")
    keys = [line.partition(":")[0] for line in seen if line]
    assert keys == ["Reviewed-by", "Signed-off-by", "Signed-off-by", "Reviewed-by"]


@pytest.mark.parametrize("packer", ["gzip", "xz", "bzip2"])
def test_a_compressed_box_is_read_by_its_content(patchgen, v4, tmp_path, packer):
    tree, ids = v4
    with (DATA / "fmt-gzip" / "t.mbox.gz").open("rb") as stream:
        content = subprocess.run(["gzip", "-dc"], stdin=stream, capture_output=True, check=True)
    content = _OF_THE_DAY.sub(lambda match: ids[int(match[1])].encode(), content.stdout)
    box = tmp_path / "a-name-that-says-nothing"
    if packer == "bzip2":
        box.write_bytes(bz2.compress(content))
    else:
        packed = subprocess.run([packer, "-c"], input=content, capture_output=True, check=True)
        box.write_bytes(packed.stdout)
    result = patchgen("trailers", "--tree", tree, V4, box, "--dry-run", "--json")
    assert result.code == 0, result.err
    assert added(json.loads(result.out)) == [(2, f"Reviewed-by: {BEA}")]


def test_a_small_file_that_unpacks_to_a_huge_one_ends_in_a_message(patchgen, v4, tmp_path):
    box = tmp_path / "box.gz"
    command = f"head -c 300M /dev/zero | gzip -1 > {box}"
    subprocess.run(["sh", "-c", command], check=True)
    result = patchgen("trailers", "--tree", v4[0], V4, box, "--dry-run")
    assert result.code == 1 and "limit of 128 MiB when decompressed" in result.err


@pytest.mark.parametrize(
    "content", [b"hello\n", b"\x1f\x8b\x08damaged", b"\0" * 100, b"PK\x03\x04", b"a: b\n\nc\n"]
)
def test_an_input_without_any_mail_is_an_error(patchgen, v4, tmp_path, content):
    box = tmp_path / "box"
    box.write_bytes(content)
    result = patchgen("trailers", "--tree", v4[0], V4, box, "--dry-run")
    assert result.code == 1 and ("has no mails" in result.err or "damaged" in result.err)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("old-thread-in-box", "[v3 2/4] x86/mm: Notify page encryption status changes"),
        ("old-subject-v3-recorded", "its subject names v3, not v4"),
    ],
)
def test_a_review_of_an_older_version_is_listed_as_outdated(patchgen, v4, tmp_path, name, reason):
    document = collect(patchgen, v4, name, tmp_path)
    assert document["applied"] == []
    [left] = document["not_applied"]
    assert reason in left["reason"]


ODD = {
    "group-from": b"From: Bent-Type: text/plain; chara <bea@example.org>\n",
    "parentheses": b"From: " + b"(" * 100_000 + b" <bea@example.org>\n",
    "nested": b"From: b@x.org\nContent-Type: multipart/mixed; boundary=b0\n\n"
    + b"".join(
        b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (n, n + 1) for n in range(2000)
    ),
    "two senders": b"From: b@x.org\nFrom: c@x.org\n",
    "large": b"From: b@x.org\n\n" + b"x" * (26 << 20) + b"\n",
}


@pytest.mark.parametrize("name", ODD)
def test_one_odd_mail_does_not_stop_the_others(patchgen, v4, tmp_path, name):
    tree, ids = v4
    good = f"From: {BEA}\nMessage-ID: <g@x>\nIn-Reply-To: <{ids[3]}>\n\nAcked-by: {BEA}\n".encode()
    box = tmp_path / "box"
    start = b"From x@y Thu Jan  1 00:00:00 1970\n"
    odd = ODD[name].replace(b"\n", b"\nSubject: odd\n", 1) + b"\nAcked-by: Bea <bea@example.org>\n"
    box.write_bytes(start + odd + b"\n" + start + good)
    result = patchgen("trailers", "--tree", tree, V4, box, "--dry-run", "--json")
    assert result.code == 0, result.err
    document = json.loads(result.out)
    assert added(document) == [(3, f"Acked-by: {BEA}")]
    assert [mail["mail"] for mail in document["unreadable"]] == ["mail 1 of box"]
    shown = patchgen("trailers", "--tree", tree, V4, box, "--dry-run").out
    assert "not read:\n  mail 1 of box: it" in shown


def test_control_characters_of_a_mail_are_shown_as_text(patchgen, v4, tmp_path):
    tree, ids = v4
    box = tmp_path / "box"
    box.write_bytes(
        f"From: Eve <eve@x.org>\nIn-Reply-To: <{ids[1]}>\n"
        "Subject: =?utf-8?q?Re:_=1B]0;X=07_x?=\n\n"
        "Acked-by: \x1b[33mEve\x1b]0;X\x07 <eve@x.org>\n"
        "\x1b[1mReviewed-by: Eve <eve@x.org>\n".encode()
    )
    result = patchgen("trailers", "--tree", tree, V4, box, "--dry-run")
    assert result.code == 0 and "\x1b" not in result.out + result.err and "\x07" not in result.out
    assert result.out.count("it has control characters") == 2
    assert "\\x1b[33mEve" in result.out and "Nothing to add." in result.out


# --- series ----------------------------------------------------------------------------------


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """Return the small repository that the series in tests/data/mail are based on."""
    tree = tmp_path / "lines"
    tree.mkdir()
    for name, word in (("a.c", "line"), ("b.c", "bline")):
        (tree / name).write_text("".join(f"{word} {number}\n" for number in range(40)))
    commit_all(tree, "lines")
    return tree


@pytest.mark.parametrize(
    ("name", "revision", "patches", "ids"),
    [
        ("i-PATCHv3", 3, ["x86: Do 1", "x86: Do 2"], 3),
        ("l-v6.1-only", 1, ["x86: Do 1", "x86: Do 2"], 3),
        ("i-body-From_", 3, ["x86: Do 1", "x86: Do 2"], 3),
        ("i-dup", 3, ["x86: Do 1", "x86: Do 2"], 3),
        ("i-utf8-path", 3, ["x86: path"], 2),
        ("j-crlf-mail", 3, ["x86: Do 1", "x86: Do 2"], 3),
        ("k-cover-charset-y", 3, ["x86: Do 1", "x86: Do 2"], 3),
        ("cover-interdiff", 3, ["x86: Do 1", "x86: Do 2"], 0),
        ("v-last-base64", 3, ["x86: Do 1", "x86: Do 2", "x86: Do 3"], 4),
    ],
)
def test_a_posted_series_is_read_whole(patchgen, lines, git, name, revision, patches, ids):
    source = DATA / name
    source = source if len(list(source.iterdir())) > 1 else source / "v3.mbox"
    result = patchgen("import", "--tree", lines, source, "--base", "master", "--json")
    assert result.code == 0, result.err
    document = json.loads(result.out)
    assert document["revision"] == revision
    assert document["patches"] == patches
    assert len(document["message_ids"]) == ids
    files = git(lines, "diff", "--name-only", "-z", "master", document["tag"]).strip("\0")
    assert set(files.split("\0")) <= {"a.c", "b.c", "grüße.c"}
    assert "\r" not in git(lines, "show", f"{document['tag']}:b.c")
    body = git(lines, "log", "--format=%B", f"master..{document['tag']}")
    assert ("From what I see this is right." in body) == (name == "i-body-From_")
    skipped = [word for check in ("lint", "build", "checkpatch") for word in ("--skip", check)]
    checked = patchgen("verify", source, "--tree", lines, "--base", "master", *skipped)
    assert checked.code == 0, checked.err + checked.out


def test_the_cover_letter_is_not_lost_with_an_unknown_charset(patchgen, lines, git):
    source = DATA / "k-cover-charset-y" / "v3.mbox"
    result = patchgen("import", "--tree", lines, source, "--base", "master", "--json")
    tag = json.loads(result.out)["tag"]
    assert "\n\nx86: Do it\n\nAll.\n\n---\n" in git(lines, "cat-file", "tag", tag)


def test_an_incomplete_folder_is_refused_by_verify_import_and_send(patchgen, v4):
    tree, _ = v4
    folder = DATA / "send-missing-last"
    for args in (
        ("verify", folder, "--base", "master"),
        ("verify", V4, "--skip", "build", "--skip", "checkpatch", "--against", folder),
        ("import", folder, "--base", "master"),
        ("send", folder, "--yes", "--skip-checks"),
    ):
        result = patchgen(*args, "--tree", tree)
        assert result.code == 1, result.out
        assert "is incomplete: of 4 patches of v4, these are missing: 4" in result.err, result.err


def test_a_base64_patch_among_others_is_checked_too(patchgen, lines, tmp_path):
    head, mark, encoded = (DATA / "v-last-base64" / "v3.mbox").read_text().partition("base64\n\n")
    patch = base64.b64decode(encoded).replace(b"bline 39", b"bline 93")
    box = tmp_path / "v3.mbox"
    box.write_text(head + mark + base64.encodebytes(patch).decode())
    result = patchgen("verify", box, "--tree", lines, "--base", "HEAD")
    assert result.code == 1 and "mail 4 of v3.mbox does not apply" in result.err


@pytest.mark.parametrize(("old", "new"), [("", ""), ("i/", "w/")])
def test_a_diff_with_other_prefixes_or_none_applies(patchgen, lines, tmp_path, old, new):
    text = (DATA / "i-PATCHv3" / "v3.mbox").read_text()
    for name in ("a.c", "b.c"):
        text = text.replace(f"a/{name} b/{name}", f"{old}{name} {new}{name}")
        text = text.replace(f"--- a/{name}", f"--- {old}{name}")
        text = text.replace(f"+++ b/{name}", f"+++ {new}{name}")
    box = tmp_path / "v3.mbox"
    box.write_text(text)
    result = patchgen("import", box, "--tree", lines, "--base", "master", "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["patches"] == ["x86: Do 1", "x86: Do 2"]
