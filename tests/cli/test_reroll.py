# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen reroll` on the toy tree: a newer base, hand edits, conflicts, change logs, tags."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Patchgen
from tests.support.checks import apply_mails, snapshot

V4, V5 = "patchgen/pvops-v4", "patchgen/pvops-v5"
MM = "arch/x86/mm/mem_encrypt.c"
KVM = "arch/x86/kernel/kvm.c"
HAND = "/* By hand. */\nstatic int __init early_set_memory_and_notify("
REVIEWED = "Reviewed-by: Bea <bea@example.org>"
Git = Callable[..., str]


@pytest.fixture
def applied(pvops: Path, git: Git) -> Path:
    """Return the toy tree with v4 made on its first commit, and a newer commit on master."""
    for path, line in ((MM, "/* newer */\n"), (KVM, "/* newer, too */\n")):
        (pvops / path).write_text(line + (pvops / path).read_text())
    git(pvops, "commit", "-q", "-a", "-m", "newer")
    return pvops


def reroll(patchgen: Patchgen, tree: Path, *args: str | Path) -> dict:
    completed = patchgen("reroll", "--tree", tree, "--json", *args)
    assert completed.code == 0, completed.err + completed.out
    return json.loads(completed.out)


def message(git: Git, tree: Path, revision: str) -> str:
    return git(tree, "show", "-s", "--format=%B", revision)


def edit(git: Git, tree: Path, branch: str, subject: str, change: Callable[[], str | None]) -> None:
    """Rewrite one commit of a branch as a person would: check it out, change, pick the rest."""
    commits = git(tree, "rev-list", "--reverse", f"master~1..{branch}").split()
    [at] = [
        n for n, oid in enumerate(commits) if subject in git(tree, "show", "-s", "--format=%s", oid)
    ]
    git(tree, "checkout", "-q", "--detach", commits[at])
    new = change()
    args = ["-m", new] if new is not None else ["--no-edit"]
    git(tree, "commit", "-q", "-a", "--amend", "--allow-empty", *args)
    for oid in commits[at + 1 :]:
        git(tree, "cherry-pick", oid)
    git(tree, "update-ref", f"refs/heads/{branch}", "HEAD")
    git(tree, "checkout", "-q", "master")


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new))


def spaced_call(tree: Path) -> None:
    replace(tree / KVM, "kvm_sev_hypercall3(KVM_HC", "kvm_sev_hypercall3( KVM_HC")


def test_makes_the_series_again_on_a_newer_base(patchgen, applied, git):
    before = snapshot(applied, without=V5)
    document = reroll(patchgen, applied, V4, "--onto", "master")
    assert document["branch"] == V5 and document["revision"] == 5
    assert document["range_diff"] == ""
    assert (
        git(applied, "rev-parse", f"{V5}~5").strip() == git(applied, "rev-parse", "master").strip()
    )
    cover = message(git, applied, f"{V5}~4")
    base = git(applied, "rev-parse", "--short=12", "master").strip()
    assert f"---\nChanges in v5:\n- Regenerate the series on {base}\n\nChanges in v4:\n" in cover
    assert '"revision": 5' in cover
    assert message(git, applied, V5).endswith("---\nChanges in v5:\n(no changes since v4)\n\n")
    after = snapshot(applied, without=V5)
    assert [
        line for line in after.splitlines() if "refs/patchgen/made/" not in line
    ] == before.splitlines()
    mails = [Path(mail) for mail in document["mails"]]
    assert [mail.name[:7] for mail in mails] == [f"v5-000{n}" for n in range(5)]
    clone = applied.parent / "clone"
    git(applied.parent, "clone", "-q", applied, clone)
    tree = git(applied, "rev-parse", f"{V5}^{{tree}}").strip()
    assert apply_mails(clone, "origin/master", mails[1:]) == tree
    assert "Changes in v5" not in git(clone, "log", "-1", "am")


def test_carries_what_people_wrote(patchgen, applied, git):
    def by_hand() -> str:
        replace(applied / MM, "static int __init early_set_memory_and_notify(", HAND)
        message_text = git(applied, "log", "-1", "--format=%B")
        return message_text.replace("Call pv_ops", "Simply call pv_ops").replace(
            "Signed-off-by", f"{REVIEWED}\nSigned-off-by"
        )

    def cover() -> str:
        message_text = git(applied, "log", "-1", "--format=%B")
        return (
            message_text.replace("Guests with encrypted", "As all know, guests with encrypted")
            .replace("\nCc: ", "\nCc: New <new@example.org>\nCc: ", 1)
            .replace("To: x86@example.org\n", "")
        )

    edit(git, applied, V4, "Notify page", by_hand)
    edit(git, applied, V4, "x86: Route", cover)
    git(applied, "checkout", "-q", V4)
    (applied / "Documentation").mkdir()
    (applied / "Documentation/op.txt").write_text("The op.\n")
    git(applied, "add", "-A", "Documentation")
    git(applied, "commit", "-q", "-m", "Documentation: Tell of the op")
    git(applied, "checkout", "-q", "master")

    document = reroll(patchgen, applied, V4, "--onto", "master", "--changes", "callers=Say so")
    assert document["patches"][-1] == "Documentation: Tell of the op"
    assert document["dropped_tags"] == []
    assert "/* By hand. */" in git(applied, "show", f"{V5}:{MM}")
    assert git(applied, "show", f"{V5}:{MM}").startswith("/* newer */")
    message_text = message(git, applied, f"{V5}~3")
    assert "Simply call pv_ops" in message_text and REVIEWED in message_text
    assert "The result was then edited by hand." in " ".join(message_text.split())
    assert message_text.rstrip().endswith("---\nChanges in v5:\n- Say so")
    letter = message(git, applied, f"{V5}~5")
    assert "As all know, guests with encrypted" in letter
    assert "Changes in v5:\n- x86/mm: Say so\n" in letter
    assert "Cc: New <new@example.org>\n" in letter and "To: x86@example.org" not in letter
    mail = Path(document["mails"][1]).read_text()
    assert "new@example.org" in mail and "x86@example.org" not in mail
    # The next one finds what was made for v5, and carries the same again.
    again = reroll(patchgen, applied, V5)
    assert again["revision"] == 6 and again["range_diff"] == ""
    assert "/* By hand. */" in git(applied, "show", f"patchgen/pvops-v6:{MM}")
    assert message(git, applied, "patchgen/pvops-v6~3").count("Changes in v") == 2


def cover_edited(git: Git, tree: Path) -> str:
    """Return v4's cover letter with another text, somebody more and somebody less."""
    message_text = git(tree, "log", "-1", "--format=%B")
    for old, new in (
        ("Guests with encrypted", "As all know, guests with encrypted"),
        ("  Tested:  not yet", "  Tested:  I booted it."),
        ("To: Kay Vee Em <kvm@example.org>\n", ""),
        ("Cc: toy-mm@", "Cc: New <new@example.org>\nCc: toy-mm@"),
    ):
        assert message_text.count(old) == 1, old
        message_text = message_text.replace(old, new)
    return message_text


def has_cover_edits(git: Git, tree: Path, document: dict) -> None:
    letter = message(git, tree, f"{document['branch']}~4")
    assert "As all know, guests with encrypted" in letter and "  Tested:  I booted it." in letter
    mails = [Path(mail).read_text() for mail in document["mails"]]
    assert all("new@example.org" in mail for mail in mails)
    assert not any("kvm@example.org" in mail for mail in mails)
    # Nobody else gets what he did not get before.
    assert ["mem@example.org" in mail for mail in mails] == [True, False, True, False, False]


def test_the_cover_letter_tells_of_no_hand_edit_that_is_not_in_the_series(patchgen, applied, git):
    """The hypercall was edited, the base has it by now, and a commit was written by hand."""
    header = applied / "arch/x86/include/asm/kvm_para.h"
    hypercall = "x86/kvm: Add a hypercall for SEV guests that needs no alternatives"
    name = "static inline long kvm_sev_hypercall3("

    def by_hand() -> None:
        replace(header, name, f"/* By hand. */\n{name}")

    edit(git, applied, V4, hypercall, by_hand)
    git(applied, "cherry-pick", f"{V4}~1")
    git(applied, "checkout", "-q", V4)
    (applied / "op.txt").write_text("The op.\n")
    git(applied, "add", "op.txt")
    git(applied, "commit", "-q", "-m", "Documentation: Tell of the op")
    git(applied, "checkout", "-q", "master")
    args = ("reroll", "--tree", applied, V4, "--onto", "master")
    completed = patchgen(*args, "--changes", "hypercall=Say so")
    assert completed.code == 1 and "v5 has no patch 'hypercall'" in completed.err
    document = reroll(patchgen, applied, V4, "--onto", "master")
    assert hypercall not in document["patches"]
    letter = message(git, applied, f"{V5}~{len(document['patches'])}")
    text, _, _ = letter.partition("--- b4-submit-tracking")
    assert text.count(hypercall) == 1 and "edited by hand" not in text
    assert f"The base already has these changes:\n\n  {hypercall}\n    arch/" in text
    assert "These patches were written by hand:\n\n  Documentation: Tell of the op\n" in text


def test_an_edit_of_nothing_but_the_cover_letter(patchgen, applied, git):
    edit(git, applied, V4, "x86: Route", lambda: cover_edited(git, applied))
    has_cover_edits(git, applied, reroll(patchgen, applied, V4, "--onto", "master"))
    has_cover_edits(git, applied, reroll(patchgen, applied, V5))


def test_clones_without_reflogs_carry_edits_all_the_same(patchgen, applied, git, tmp_path):
    def by_hand() -> str:
        spaced_call(applied)
        return git(applied, "log", "-1", "--format=%B").replace(
            "makes this hypercall", "issues this hypercall"
        )

    edit(git, applied, V4, "Tell the host", by_hand)
    edit(git, applied, V4, "x86: Route", lambda: cover_edited(git, applied))
    tree = applied
    for old, new in ((V4, V5), (V5, "patchgen/pvops-v6")):
        clone = tmp_path / new.rpartition("-")[2]
        git(tmp_path, "clone", "-q", tree, clone)
        git(clone, "branch", old, f"origin/{old}")
        document = reroll(patchgen, clone, old, "--onto", "origin/master")
        assert "kvm_sev_hypercall3( KVM_HC" in git(clone, "show", f"{new}:{KVM}")
        assert git(clone, "show", f"{new}:{KVM}").startswith("/* newer, too */")
        message_text = message(git, clone, new)
        assert (
            "issues this hypercall" in message_text
            and "The result was then edited by hand." in message_text
        )
        has_cover_edits(git, clone, document)
        tree = clone


def test_without_the_original_the_texts_of_the_branch_remain(patchgen, applied, git, tmp_path):
    folder = tmp_path / "mine"
    shutil.copytree(Path("semantic-patches/pvops").absolute(), folder)
    args = ("--variant", f"{folder}/", "--tree", applied, "--base", "master~1")
    assert patchgen("apply", *args, "--force", "--quiet").code == 0
    edit(git, applied, V4, "x86: Route", lambda: cover_edited(git, applied))
    edit(git, applied, V4, "Notify page", lambda: "x86/mm: Tell\n\nBecause.\n")
    git(applied, "update-ref", f"refs/heads/{V4}", f"{V4}~1")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", applied, clone)
    git(clone, "branch", V4, f"origin/{V4}")
    template = folder / "op/message.txt.j2"
    template.write_text(template.read_text().replace("The ", "Now the ", 1))
    document = reroll(patchgen, clone, V4, "--onto", "origin/master", "--variant", f"{folder}/")
    assert document["patches"] == [
        "x86/paravirt: Add an op for page encryption status changes",
        "x86/mm: Tell",
        "x86/kvm: Add a hypercall for SEV guests that needs no alternatives",
    ]
    assert sorted(document["remarks"]) == [
        'left out, as on the branch: "x86/kvm: Tell the host about page encryption status changes '
        'under SEV"',
        'the message is that of the branch: "x86/mm: Tell"',
    ]
    text = "the cover letter could not be generated again, so its lists and numbers are "
    assert f"{text}those of v4" in document["warnings"]
    assert "As all know, guests with encrypted" in message(git, clone, f"{V5}~3")


@pytest.mark.parametrize("how", ["split", "squashed"])
def test_a_patch_that_was(patchgen, applied, git, how):
    """Split or squashed, with messages that say nothing of how it was made."""
    git(applied, "checkout", "-q", "--detach", f"{V4}~2")
    if how == "split":
        subject = message(git, applied, "HEAD").partition("\n")[0]
        git(applied, "reset", "-q", "--soft", "HEAD~1")
        git(applied, "reset", "-q", MM)
        git(applied, "commit", "-q", "-m", "x86/mm: Walk", "-m", "Because.")
        git(applied, "commit", "-q", "-a", "-m", subject, "-m", "The rest.")
    else:
        git(applied, "reset", "-q", "--soft", "HEAD~2")
        git(applied, "commit", "-q", "-m", "x86: Add and use an op", "-m", "Because.")
    for oid in (f"{V4}~1", V4):
        git(applied, "cherry-pick", oid)
    tree = git(applied, "rev-parse", "HEAD^{tree}").strip()
    git(applied, "update-ref", f"refs/heads/{V4}", "HEAD")
    git(applied, "checkout", "-q", "-f", "master")
    document = reroll(patchgen, applied, V4)
    assert git(applied, "rev-parse", f"{V5}^{{tree}}").strip() == tree
    assert document["range_diff"] == ""
    subject = "x86: Add and use an op" if how == "squashed" else "x86/mm: Walk"
    assert document["patches"][how == "split"] == subject
    cover = message(git, applied, f"{V5}~{len(document['patches'])}")
    edited = subject if how == "squashed" else "x86/mm: Notify page encryption status changes"
    assert f"were edited by hand afterwards:\n\n  {edited}" in cover


def test_an_edit_follows_its_code_to_another_file(patchgen, applied, git):
    def by_hand() -> None:
        replace(applied / MM, "static int __init early_set_memory_and_notify(", HAND)

    edit(git, applied, V4, "Notify page", by_hand)
    # As between v5.17 and v5.18: the file has another name, and its old one something else.
    amd = MM.replace(".c", "_amd.c")
    git(applied, "mv", MM, amd)
    (applied / MM).write_text("/* What all platforms share. */\n")
    git(applied, "add", "-f", MM)
    git(applied, "commit", "-q", "-m", "move")
    reroll(patchgen, applied, V4, "--onto", "master")
    assert "/* By hand. */" in git(applied, "show", f"{V5}:{amd}")
    assert git(applied, "show", f"{V5}:{MM}") == "/* What all platforms share. */\n"


@pytest.mark.parametrize("header", ["encoding ISO-8859-1\n", ""], ids=["declared", "undeclared"])
def test_names_in_another_encoding_survive(patchgen, applied, git, header):
    head, _, text = git(applied, "cat-file", "commit", V4).partition("\n\n")
    head = re.sub("author .* <.*>", "author Jürgen Müller <jm@example.org>", head)
    head += f"\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n -----END PGP SIGNATURE-----\n{header}"
    content = f"{head}\n{text.replace('log a hypercall', 'prüfe es')}".encode("iso-8859-1")
    (applied.parent / "commit").write_bytes(content)
    args = ("hash-object", "-t", "commit", "-w", applied.parent / "commit")
    git(applied, "update-ref", f"refs/heads/{V4}", git(applied, *args).strip())
    reroll(patchgen, applied, V4, "--onto", "master")
    written = git(applied, "cat-file", "commit", V5)
    assert "author Jürgen Müller <jm@example.org>" in written and "so prüfe es that" in written
    assert "gpgsig" not in written and "encoding" not in written
    assert "\ncommitter Ada Übergang <ada@example.org>" in written


def test_a_tag_is_dropped_where_the_patch_changed(patchgen, applied, git):
    def tag() -> str:
        return git(applied, "log", "-1", "--format=%B").rstrip() + f"\n{REVIEWED}\n"

    edit(git, applied, V4, "Add a hypercall", tag)
    edit(git, applied, V4, "Add an op", tag)
    document = reroll(patchgen, applied, V4, "--define", "hypercall=kvm_sev_call3")
    assert document["dropped_tags"] == [
        f'{REVIEWED} ("x86/kvm: Add a hypercall for SEV guests that needs no alternatives")'
    ]
    message_text = message(git, applied, f"{V5}~1")
    above, _, below = message_text.partition("\n---\n")
    assert REVIEWED not in above
    assert "- Drop Reviewed-by of Bea <bea@example.org>, as the patch has changed" in below
    assert REVIEWED in message(git, applied, f"{V5}~3")


def test_a_tag_of_a_patch_that_was_not_sent_is_not_dropped_as_changed(patchgen, applied, git):
    """v4 was sent without the patch that a person added to the branch afterwards."""
    assert patchgen("import", "--tree", applied, V4, "--series", V4, "-v", "4").code == 0
    git(applied, "checkout", "-q", V4)
    (applied / KVM).write_text((applied / KVM).read_text() + "/* mine */\n")
    git(applied, "commit", "-q", "-a", "-m", f"x86/kvm: Mine\n\nBecause.\n\n{REVIEWED}")
    git(applied, "checkout", "-q", "master")
    document = reroll(patchgen, applied, V4)
    assert document["dropped_tags"] == [f'{REVIEWED} ("x86/kvm: Mine")']
    reason = "as v4 has no patch with its subject or its change"
    assert document["dropped_because"] == [reason]
    below = message(git, applied, V5).partition("\n---\n")[2]
    assert reason in " ".join(below.split()) and "has changed" not in below


def test_a_reroll_of_an_older_version_than_was_sent_warns(patchgen, applied, git):
    assert patchgen("import", "--tree", applied, V4, "--series", V4, "-v", "4").code == 0
    assert reroll(patchgen, applied, V4, "--dry-run")["warnings"] == []
    reroll(patchgen, applied, V4)
    assert patchgen("import", "--tree", applied, V5, "--series", V4, "-v", "5").code == 0
    assert reroll(patchgen, applied, V5, "--dry-run")["warnings"] == []
    document = reroll(patchgen, applied, V4, "--dry-run")
    assert document["revision"] == 6
    [warning] = document["warnings"]
    assert warning.startswith(f"v5 was sent, but this reroll starts from {V4}, which has v4")
    assert warning.endswith(f"; {V5} has it")


def test_a_tag_of_a_patch_that_is_not_made_any_more_is_listed(patchgen, applied, git, tmp_path):
    folder = tmp_path / "mine"
    shutil.copytree(Path("semantic-patches/pvops").absolute(), folder)
    manifest = folder / "backends/sev/manifest.toml"
    blocks = manifest.read_text().split("[[patch]]\n")
    manifest.write_text(
        "[[patch]]\n".join(block for block in blocks if not block.startswith('name = "sev"'))
    )

    def tag() -> str:
        return git(applied, "log", "-1", "--format=%B").rstrip() + f"\n{REVIEWED}\n"

    edit(git, applied, V4, "Tell the host", tag)
    document = reroll(patchgen, applied, V4, "--variant", f"{folder}/")
    assert "Tell the host" not in "".join(document["patches"])
    assert document["dropped_because"] == ["as the patch is not in v5"]


def test_verify_sees_a_message_that_does_not_tell_of_the_hand_edit(patchgen, applied, git):
    def by_hand() -> None:
        replace(applied / KVM, "kvm_sev_hypercall3(KVM_HC", "kvm_sev_hypercall3( KVM_HC")

    args = ("--tree", applied, "--skip", "build", "--skip", "checkpatch")
    claim = "the message says that patchgen generated the code, but does not mention the hand edits"
    assert claim not in patchgen("verify", V4, *args).out
    edit(git, applied, V4, "Tell the host", by_hand)
    assert claim in patchgen("verify", V4, *args).out
    reroll(patchgen, applied, V4)
    assert claim not in patchgen("verify", V5, *args).out


def test_a_reroll_stops_at_a_conflict_and_resumes(patchgen, applied, git):
    def by_hand() -> str:
        spaced_call(applied)
        return git(applied, "log", "-1", "--format=%B").replace(
            "makes this hypercall", "issues this hypercall"
        )

    edit(git, applied, V4, "Tell the host", by_hand)
    before = snapshot(applied, without="none")
    args = ("reroll", "--tree", applied, V4, "--onto", "master", "--define", "hypercall=new_call")
    completed = patchgen(*args)
    assert completed.code == 1
    assert "stopped at: x86/kvm: Tell the host" in completed.err
    files = [Path(line.strip()) for line in completed.err.splitlines() if line.startswith("  /")]
    assert [path.name for path in files] == ["kvm.c", "COMMIT-MESSAGE"]
    assert snapshot(applied, without="none") == before
    for path in files:
        assert "<<<<<<< made-for-v5" in path.read_text()
        assert ">>>>>>> edited-in-v4" in path.read_text()
    completed = patchgen("reroll", "--tree", applied, "--continue")
    assert completed.code == 1 and f"{files[0]} still has conflict markers" in completed.err
    completed = patchgen(*args)
    assert completed.code == 1 and "another reroll is waiting" in completed.err
    for path in files:
        theirs = re.sub(
            r"<<<<<<< .*?=======\n(.*?)>>>>>>> [^\n]*\n", r"\1", path.read_text(), flags=re.S
        )
        path.write_text(theirs.replace("kvm_sev_hypercall3", "new_call"))
    reroll(patchgen, applied, "--continue")
    assert "new_call( KVM_HC" in git(applied, "show", f"{V5}:{KVM}")
    assert "issues this hypercall by new_call()" in message(git, applied, V5)
    completed = patchgen("reroll", "--tree", applied, "--continue")
    assert completed.code == 1 and "no reroll is waiting here" in completed.err


def test_abort_forgets_the_conflict(patchgen, applied, git):
    edit(git, applied, V4, "Tell the host", lambda: spaced_call(applied))
    assert patchgen("reroll", "--tree", applied, V4, "--define", "hypercall=x").code == 1
    assert patchgen("reroll", "--tree", applied, "--abort").code == 0
    assert patchgen("reroll", "--tree", applied, "--abort").code == 1
    reroll(patchgen, applied, V4)


def test_a_dry_run_tells_of_a_conflict_and_waits_for_nothing(patchgen, applied, git):
    edit(git, applied, V4, "Tell the host", lambda: spaced_call(applied))
    args = ("reroll", "--tree", applied, V4, "--define", "hypercall=x")
    completed = patchgen(*args, "--dry-run")
    assert completed.code == 1 and "would stop at: x86/kvm: Tell the host" in completed.err
    assert f"\n  {KVM}\n" in completed.err
    assert not (applied / ".git/patchgen").exists()
    assert patchgen("reroll", "--tree", applied, "--abort").code == 1


def test_a_stopped_reroll_resumes_with_its_own_options(patchgen, applied, git):
    edit(git, applied, V4, "Tell the host", lambda: spaced_call(applied))
    git(applied, "branch", "other", V4)
    args = ("--tree", applied, "--onto", "master", "--define", "hypercall=x")
    completed = patchgen("reroll", *args, V4)
    [path] = [Path(line.strip()) for line in completed.err.splitlines() if line.startswith("  /")]
    for more in (("--force",), ("-v", "7"), (V4,), ("--dry-run",)):
        completed = patchgen("reroll", "--tree", applied, "--continue", *more)
        assert (
            completed.code == 2 and "--continue can only be combined with --tree" in completed.err
        ), more
    path.write_text(re.sub(r"<<<.*?=======\n(.*?)>>>[^\n]*\n", r"\1", path.read_text(), flags=re.S))
    # Whatever the name of the base means by now.
    base = git(applied, "rev-parse", "master").strip()
    git(applied, "commit", "-q", "--allow-empty", "-m", "later")
    reroll(patchgen, applied, "--continue")
    assert git(applied, "rev-parse", f"{V5}~5").strip() == base


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "deleted"])
def test_a_conflict_without_markers_has_a_file_for_each_side(patchgen, applied, git, kept):
    sev, logo = "arch/x86/kernel/sev.c", "arch/x86/logo.bin"

    def by_hand() -> None:
        (applied / sev).write_text((applied / sev).read_text() + "/* by hand */\n")
        (applied / logo).write_bytes(b"\0ours")
        (applied / logo).chmod(0o755)
        git(applied, "add", "-f", logo)

    edit(git, applied, V4, "Add a hypercall", by_hand)
    (applied / logo).write_bytes(b"\0theirs")
    git(applied, "add", "-f", logo)
    git(applied, "rm", "-q", sev)
    git(applied, "commit", "-q", "-m", "newest")
    completed = patchgen("reroll", "--tree", applied, V4, "--onto", "master", "--json")
    assert completed.code == 1
    sides = [Path(path) for path in json.loads(completed.out)["sides"]]
    assert [path.name for path in sides] == [
        "sev.c.edited-in-v4",
        "logo.bin.made-for-v5",
        "logo.bin.edited-in-v4",
    ]
    completed = patchgen("reroll", "--tree", applied, "--continue")
    assert completed.code == 1 and f"{sides[0]} is still there" in completed.err
    for path in (sides[0], sides[2]):
        path.rename(path.with_suffix("")) if kept else path.unlink()
    sides[1].unlink()
    reroll(patchgen, applied, "--continue")
    there = git(applied, "ls-tree", V5, sev, logo)
    if kept:
        assert git(applied, "show", f"{V5}:{sev}").endswith("/* by hand */\n")
        assert git(applied, "show", f"{V5}:{logo}") == "\0ours" and "100755" in there
    else:
        assert there == ""


def test_order_drops_and_what_the_base_has_by_now(patchgen, applied, git):
    # The base gets the hypercall; a person takes the last patch out, and reorders the others.
    hypercall, op = f"{V4}~1", f"{V4}~3"
    git(applied, "cherry-pick", hypercall)
    git(applied, "checkout", "-q", "--detach", f"{V4}~4")
    for oid in (hypercall, op, f"{V4}~2"):
        git(applied, "cherry-pick", oid)
    git(applied, "update-ref", f"refs/heads/{V4}", "HEAD")
    git(applied, "checkout", "-q", "master")
    document = reroll(patchgen, applied, V4, "--onto", "master")
    assert document["patches"] == [
        "x86/paravirt: Add an op for page encryption status changes",
        "x86/mm: Notify page encryption status changes through pv_ops",
    ]
    subject = "x86/kvm: Add a hypercall for SEV guests that needs no alternatives"
    taken = git(applied, "rev-parse", "master").strip()
    assert sorted(document["remarks"]) == [
        f'dropped, the base has it, by {taken[:12]} ("{subject}"): "{subject}"',
        'left out, as on the branch: "x86/kvm: Tell the host about page encryption status changes '
        'under SEV"',
    ]
    letter = " ".join(message(git, applied, f"{V5}~2").split())
    items = letter.partition("Changes in v5:")[2].partition("Changes in v4:")[0]
    assert f'- Drop "{subject}": the base has it, by {taken[:12]} ("{subject}")' in items


def test_a_version_that_is_not_out_is_made_again(patchgen, applied, git):
    edit(git, applied, V4, "Tell the host", lambda: spaced_call(applied))
    document = reroll(patchgen, applied, V4, "-v", "4", "--onto", "master")
    assert document["branch"] == V4
    assert "kvm_sev_hypercall3( KVM_HC" in git(applied, "show", f"{V4}:{KVM}")
    # Nobody has seen a v4 yet that this one could differ from.
    message_text = git(applied, "log", "--format=%B", f"master..{V4}")
    assert "no changes since" not in message_text and "Regenerate the series" not in message_text
    completed = patchgen("reroll", "--tree", applied, V4, "-v", "3")
    assert completed.code == 2 and f"v3 is older than {V4}, which has v4" in completed.err
    completed = patchgen("import", "--tree", applied, V4, "--series", V4, "-v", "4")
    assert completed.code == 0, completed.err
    completed = patchgen("reroll", "--tree", applied, V4, "-v", "4")
    assert completed.code == 1 and "v4 was sent already" in completed.err
    assert reroll(patchgen, applied, V4)["revision"] == 5


def test_the_change_log_of_a_version_that_was_not_sent_is_merged(patchgen, applied, git):
    done = patchgen("import", "--tree", applied, V4, "--series", V4, "-v", "4")
    assert done.code == 0, done.err
    assert reroll(patchgen, applied, V4, "--changes", "Collect tags")["revision"] == 5
    args = ("--changes", "Say more", "--changes", "sev=Explain it")
    assert reroll(patchgen, applied, V5, *args)["revision"] == 6
    notes = message(git, applied, "patchgen/pvops-v6~4").partition("\n---\n")[2]
    [head, _] = re.split(r"(?<=\n)\n(?=Changes in v4:)", notes)
    subject = "x86/kvm: Tell the host about page encryption status changes under SEV"
    items = f'Changes in v6: - Say more - "{subject}": Explain it - Collect tags'
    assert " ".join(head.split()) == items
    patch = message(git, applied, "patchgen/pvops-v6")
    assert patch.endswith("\n---\nChanges in v6:\n- Explain it\n\n")
    unchanged = message(git, applied, "patchgen/pvops-v6~1")
    assert unchanged.endswith("\n---\nChanges in v6:\n(no changes since v4)\n\n")


def test_the_cover_letter_alone_has_changed(patchgen, applied, git):
    args = ("reroll", "--tree", applied, V4, "-v", "4", "--dry-run")
    assert "\nNo patch has changed.\n" in patchgen(*args).out
    assert not reroll(patchgen, applied, V4, "--dry-run")["cover_changed"]
    done = patchgen(*args, "--onto", "master")
    assert "\nNo patch has changed; the cover letter has.\n" in done.out
    assert reroll(patchgen, applied, V4, "--dry-run", "--onto", "master")["cover_changed"]


def test_change_logs_from_files(patchgen, applied, git):
    folder = applied / "changelog" / "v5"
    folder.mkdir(parents=True)
    (folder / "cover.txt").write_text("- Rebase.\n- Mention the\n  weather.\n")
    (folder / "op.txt").write_text("Rename it.\n")
    reroll(patchgen, applied, V4)
    items = "- Rebase.\n- Mention the weather.\n- x86/paravirt: Rename it.\n"
    assert f"Changes in v5:\n{items}" in message(git, applied, f"{V5}~4")
    assert message(git, applied, f"{V5}~3").rstrip().endswith("Changes in v5:\n- Rename it.")
    (folder / "nothing.txt").write_text("x\n")
    completed = patchgen("reroll", "--tree", applied, V4, "--force")
    assert (
        completed.code == 1
        and f"{folder / 'nothing.txt'}: the series has no patch 'nothing'" in completed.err
    )


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (["none"], "branch 'none' does not exist"),
        (["master"], "has no record of how it was generated"),
        ([V4, "--onto", "none"], "has no commit 'none'"),
        ([V4, "--changelog", "none"], "none is not a folder of change logs"),
        ([V4, "--continue", "--abort"], "cannot be combined"),
        ([V4, "--variant", "./none"], "manifest.toml"),
    ],
)  # fmt: skip
def test_an_invalid_request_is_refused_with_the_reason(patchgen, applied, args, problem):
    before = snapshot(applied, without="none")
    completed = patchgen("reroll", "--tree", applied, *args)
    assert completed.code in (1, 2) and problem in completed.err, completed.err
    assert snapshot(applied, without="none") == before


def test_a_branch_without_a_record_is_refused(patchgen, toy, git):
    patchgen("apply", "--variant", "pvops", "--tree", toy, "--no-b4", "--quiet")
    assert len(git(toy, "rev-list", f"master..{V4}").split()) == 4
    completed = patchgen("reroll", "--tree", toy, V4)
    assert completed.code == 1 and "has no record of how it was generated" in completed.err
