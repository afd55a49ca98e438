# SPDX-License-Identifier: GPL-2.0-or-later
"""b4 and patchgen take turns on one branch: each continues the work of the other."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.conftest import Patchgen
from tests.mail.conftest import b4_programs
from tests.mail.test_send import parse
from tests.support import TOP
from tests.support.checks import apply_mails
from tests.support.mail_forms import write_mbox

V4, V5, V6 = (f"patchgen/pvops-v{number}" for number in (4, 5, 6))
KVM = "arch/x86/kernel/kvm.c"
BEA = "Bea <bea@example.org>"
REVIEWED = f"Reviewed-by: {BEA}"
Git = Callable[..., str]
B4 = Callable[..., str]

pytestmark = pytest.mark.slow


@pytest.fixture
def branch(series: Path, git: Git, server) -> Path:
    """Return the series, configured so that b4 asks and signs nothing, with v4 checked out."""
    for key, value in {
        "sendemail.from": "ada@example.org",
        "b4.prep-pre-flight-checks": "disable-all",
        "b4.send-no-patatt-sign": "yes",
    }.items():
        git(series, "config", key, value)
    git(series, "checkout", "-q", V4)
    return series


def cover(git: Git, tree: Path, branch: str) -> str:
    args = ("log", "-1", "--grep=b4-submit-tracking", "--format=%B", branch)
    return git(tree, *args)


def notes(git: Git, tree: Path, branch: str) -> str:
    """Return what is below the cut of a cover letter."""
    return cover(git, tree, branch).partition("\n---\n")[2].partition("\n--- b4-submit")[0]


def tracking(git: Git, tree: Path, branch: str) -> dict:
    section = cover(git, tree, branch).partition("--- b4-submit-tracking ---")[2]
    document: dict = json.loads(section[section.index("{") :])
    return document


def reroll(patchgen: Patchgen, git: Git, tree: Path, *args: str) -> dict:
    git(tree, "checkout", "-q", "master")
    result = patchgen("reroll", "--tree", tree, "--json", *args)
    assert result.code == 0, result.err + result.out
    document: dict = json.loads(result.out)
    git(tree, "checkout", "-q", document["branch"])
    return document


def answer(to: str, thread: str, body: str, subject: str = "Re: it") -> bytes:
    message = EmailMessage()
    message["From"] = BEA
    message["Subject"] = subject
    message["Message-ID"] = f"<{abs(hash((to, body)))}@example.org>"
    message["Date"] = "Mon, 23 Nov 2026 15:00:00 +0000"
    message["In-Reply-To"] = to
    message["References"] = f"{thread} {to}"
    message.set_content(body)
    return message.as_bytes()


def test_what_b4_sent_is_known(patchgen, branch, git, b4, server, tmp_path):
    b4(branch, "send")
    sent = [parse(mail) for mail in server.received]
    assert [mail["Subject"][:12] for mail in sent] == [f"[PATCH v4 {n}/" for n in range(5)]
    assert tracking(git, branch, V4)["series"]["revision"] == 5
    ids = [mail["Message-ID"] for mail in sent]
    # b4 notes the first of them only.
    (tmp_path / "box").write_bytes(answer(ids[3], ids[0], REVIEWED))
    document = json.loads(patchgen("trailers", "--tree", branch, tmp_path / "box", "--json").out)
    assert [(tag["patch"], tag["matched_by"]) for tag in document["applied"]] == [(3, "message-id")]
    assert patchgen("explain", "--tree", branch, "HEAD").code == 0
    # People go on editing the branch when v4 is out.
    source = branch / KVM
    text = source.read_text()
    source.write_text(text.replace("kvm_sev_hypercall3(KVM_HC", "kvm_sev_hypercall3( KVM_HC"))
    git(branch, "commit", "-q", "-a", "--amend", "--no-edit")
    document = reroll(patchgen, git, branch, V4, "--onto", "master")
    assert document["revision"] == 5
    assert " ! 4: " in document["range_diff"] and "kvm_sev_hypercall3( KVM_HC" in git(
        branch, "show", V5
    )
    messages = [git(branch, "log", "-1", "--format=%B", f"{V5}~{n}") for n in range(4)]
    assert ["(no changes since v4)" in message for message in messages] == [False, True, True, True]
    assert [REVIEWED in message for message in messages] == [False, True, False, False]
    below = notes(git, branch, V5)
    assert "EDITME" not in below and below.count("Link to v4: ") == 1
    assert below.startswith("Changes in v5:\n") and "\nChanges in v4:\n" in below
    assert ids[0].strip("<>") in below
    series = tracking(git, branch, V5)["series"]
    assert series["revision"] == 5 and series["history"] == {"v4": [ids[0].strip("<>")]}
    # And b4 knows the branch, and v4 as the one before.
    assert "revision: 5" in b4(branch, "prep", "--show-info")
    compared = b4(branch, "prep", "--compare-to", "v4")
    assert compared.count("+    (no changes since v4)") == 3
    assert "-+\tret = kvm_sev_hypercall3(KVM_HC" in compared.replace(" ", "", 4)
    b4(branch, "send")
    assert [parse(mail)["Subject"][:12] for mail in server.received[5:]] == [
        f"[PATCH v5 {n}/" for n in range(5)
    ]
    assert reroll(patchgen, git, branch, V5)["revision"] == 6
    assert "Link to v5: " in notes(git, branch, V6)


def test_what_b4_edits_is_carried(patchgen, branch, git, b4, tmp_path):
    editor = tmp_path / "editor"
    editor.write_text(
        "#!/bin/sh\n"
        "sed -i -e 's/^Guests with encrypted/As b4 knows, guests with encrypted/' \\\n"
        "  -e 's/^Changes in v4:/Changes in v4:\\n- Say so in b4./' \\\n"
        "  -e '/^To: Kay Vee Em/d' \\\n"
        "  -e 's/^\\(Cc: toy-mm.*\\)/\\1\\nCc: New <new@example.org>/' \"$1\"\n"
    )
    editor.chmod(0o755)
    b4(branch, "prep", "--edit-cover", editor=str(editor))
    b4(branch, "prep", "--set-prefixes", "RFC", "tip")
    reroll(patchgen, git, branch, V4, "--onto", "master")
    assert "As b4 knows, guests with encrypted" in cover(git, branch, V5)
    assert "Changes in v4:\n- Say so in b4." in notes(git, branch, V5)
    assert tracking(git, branch, V5)["series"]["prefixes"] == ["RFC", "tip"]
    # The same from what patchgen left.
    editor.write_text("#!/bin/sh\nsed -i 's/^As b4 knows/As all know/' \"$1\"\n")
    b4(branch, "prep", "--edit-cover", editor=str(editor))
    b4(branch, "prep", "--force-revision", "9")
    document = reroll(patchgen, git, branch, V5)
    assert document["revision"] == 9
    last = document["branch"]
    letter = cover(git, branch, last)
    assert "As all know, guests with encrypted" in letter and "To: Kay Vee Em" not in letter
    assert "Cc: New <new@example.org>" in letter
    out = tmp_path / "out"
    b4(branch, "send", "-o", out, "--no-sign")
    theirs = sorted(path for path in out.iterdir())
    assert [parse_file(path)["Subject"][:21] for path in theirs] == [
        f"[PATCH RFC tip v9 {n}/4" for n in range(5)
    ]
    ours = [Path(mail) for mail in document["mails"]]
    for one, other in zip(ours, theirs, strict=True):
        assert parse_file(one)["Subject"] == parse_file(other)["Subject"]
        assert "new@example.org" in one.read_text() and "kvm@example.org" not in one.read_text()
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", branch, clone)
    tree = git(branch, "rev-parse", f"{last}^{{tree}}").strip()
    assert apply_mails(clone, "origin/master", theirs[1:]) == tree


def parse_file(path: Path) -> EmailMessage:
    from tests.support.smtp import Received

    return parse(Received("", [], path.read_bytes()))


def test_a_reroll_keeps_the_tags_that_b4_collects(patchgen, branch, git, b4, tmp_path):
    mails = sorted((branch / "outgoing" / "pvops-v4").glob("v4-*.patch"))
    ids = [parse_file(mail)["Message-ID"] for mail in mails]
    subject = "Re: [PATCH v4 2/4] x86/mm: Notify page encryption status changes through pv_ops"
    thread = [mail.read_bytes().partition(b"\n")[2] for mail in mails]
    dated = [b"Date: Mon, 23 Nov 2026 14:00:00 +0000\n" + mail for mail in thread]
    box = [*dated, answer(ids[2], ids[0], REVIEWED, subject)]
    with lore(box) as port:
        # The one is what 0.12 reads, the other 0.16.
        git(branch, "config", "b4.searchmask", f"http://127.0.0.1:{port}/all/?q=%s")
        git(branch, "config", "b4.midmask", f"http://127.0.0.1:{port}/all/%s")
        b4(branch, "--no-interactive", "trailers", "-u")
    assert REVIEWED in git(branch, "log", "-1", "--format=%B", f"{V4}~2")
    (tmp_path / "box").write_bytes(answer(ids[2], ids[0], REVIEWED, subject))
    document = json.loads(patchgen("trailers", "--tree", branch, tmp_path / "box", "--json").out)
    assert [tag["reason"] for tag in document["not_applied"]] == ["the patch has it already"]
    shown = patchgen("explain", "--tree", branch, f"{V4}~2").out
    assert "patch: callers" in shown and "state: as generated" in shown
    document = reroll(patchgen, git, branch, V4, "--onto", "master")
    assert document["dropped_tags"] == [] and document["range_diff"] == ""
    message = git(branch, "log", "-1", "--format=%B", f"{V5}~2")
    assert message.count(REVIEWED) == 1 and message.rstrip().endswith("(no changes since v4)")


@contextmanager
def lore(mails: list[bytes]) -> Iterator[int]:
    """Serve an archive that answers any search with these mails, and yield the port."""
    box = write_mbox(mails)

    class Archive(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(gzip.compress(box))

        def log_message(self, *args: object) -> None:
            """Stay silent."""

    server = HTTPServer(("127.0.0.1", 0), Archive)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_b4_compares_with_what_was_imported(patchgen, branch, git, b4, tmp_path):
    """Like a v3 that was posted without either of them: one patch less, another subject."""
    git(branch, "checkout", "-q", "--detach", f"{V4}~1")
    git(branch, "commit", "-q", "--amend", "-m", "x86/kvm: Another subject", "-m", "Because.")
    args = ("-v3", "--cover-letter", "--thread", f"--base={V4}~5", "--stdout", f"{V4}~4..HEAD")
    (tmp_path / "v3.mbox").write_text(git(branch, "format-patch", *args))
    git(branch, "checkout", "-q", V4)
    result = patchgen("import", "--tree", branch, tmp_path / "v3.mbox", "--series", V4)
    assert result.code == 0, result.err
    compared = b4(branch, "prep", "--compare-to", "v3")
    assert compared.count(" = ") == 2 and " ! 3:  " in compared and " > 4:  " in compared
    reroll(patchgen, git, branch, V4, "--onto", "master")
    compared = b4(branch, "prep", "--compare-to", "v3")
    # By now, each patch has the changes of v5 below the cut.
    assert compared.count("+    (no changes since v3)") == 2 and " > 4:  " in compared
    assert "Link to v3: " in notes(git, branch, V5)


@pytest.mark.parametrize("b4", b4_programs()[-1:], indirect=True)
def test_b4_has_the_commands_that_the_comparison_names(b4, tmp_path):
    """The newer b4: 0.12 does not have all of them."""
    page = (TOP / "docs" / "compared.md").read_text(encoding="utf-8")
    named = re.findall(r"`b4 (\w+)(?:\s(--[\w-]+))?`", page)
    assert len(named) > 5
    for command, option in named:
        assert option in b4(tmp_path, command, "--help"), (command, option)
