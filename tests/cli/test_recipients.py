# SPDX-License-Identifier: GPL-2.0-or-later
"""Who gets which mail: maintainers, the user's own wishes, and what was edited by hand."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.conftest import Patchgen

V4 = "patchgen/pvops-v4"


def recipients(patchgen: Patchgen, tree: Path, branch: str = V4) -> list[set[str]]:
    """Return the addresses of people mail of a branch, cover letter first."""
    result = patchgen("send", "--tree", tree, branch, "--dry-run", "--json")
    assert result.code == 0, result.err
    mails = json.loads(result.out)["mails"]
    return [{who.rpartition("<")[2].rstrip(">") for who in m["to"] + m["cc"]} for m in mails]


def apply(patchgen: Patchgen, tree: Path, *args: str) -> None:
    result = patchgen("apply", "--variant", "pvops", "--tree", tree, "--signoff", "--quiet", *args)
    assert result.code == 0, result.err


def test_the_cover_letter_is_sent_to_all_recipients(patchgen, pvops):
    cover, *patches = recipients(patchgen, pvops)
    assert cover == set.union(*patches)
    assert "mem@example.org" in patches[1] and "mem@example.org" not in patches[2]


def test_a_dry_run_needs_no_server(patchgen, pvops):
    result = patchgen("send", "--tree", pvops, V4, "--dry-run")
    assert result.code == 0 and "5 mails, " in result.out
    has_server = any(os.access(f"/usr/{lib}/sendmail", os.X_OK) for lib in ("sbin", "lib"))
    assert has_server or "warning: git is not configured to send mails; git config" in result.err


CONFIG = '[recipients]\nignore = ["kvm@example.org"]\ncc_cover = ["chief@example.org"]\n'


def trust(patchgen: Patchgen, tree: Path) -> None:
    result = patchgen("trust", "--tree-config", "--tree", tree)
    assert result.code == 0, result.err


def test_a_configuration_file_adds_and_ignores(patchgen, toy):
    folder = Path(os.environ["HOME"]) / ".config" / "patchgen"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('[recipients]\ncc = ["Bea <bea@example.org>"]\n')
    (toy / ".patchgen.toml").write_text(CONFIG)
    trust(patchgen, toy)
    apply(patchgen, toy)
    cover, *patches = recipients(patchgen, toy)
    assert "chief@example.org" in cover
    assert not any("chief@example.org" in people for people in patches)
    for people in (cover, *patches):
        assert "bea@example.org" in people and "kvm@example.org" not in people


def test_a_configuration_that_came_with_a_tree_changes_no_recipients(patchgen, toy):
    """A stranger's branch can bring one."""
    apply(patchgen, toy)
    before = recipients(patchgen, toy)
    (toy / ".patchgen.toml").write_text(CONFIG)
    warning = (
        "warning: " + str(toy / ".patchgen.toml") + " is not trusted, so its recipients are not"
    )
    args = ("apply", "--variant", "pvops", "--tree", toy, "--signoff", "--force")
    for command in (args, ("send", "--tree", toy, V4, "--dry-run")):
        result = patchgen(*command)
        assert result.code == 0 and warning in result.err, result.err
        assert "chief@example.org" not in result.out
    assert recipients(patchgen, toy) == before
    trust(patchgen, toy)
    result = patchgen(*args)
    assert warning not in result.err
    assert "recipients from .patchgen.toml: ignored: kvm@example.org\n" in result.err
    assert (
        "recipients from .patchgen.toml: Cc of the cover letter: chief@example.org\n" in result.err
    )
    # What it says now was never trusted.
    (toy / ".patchgen.toml").write_text(CONFIG + 'to = ["eve@example.org"]\n')
    result = patchgen("reroll", "--tree", toy, V4)
    assert result.code == 0 and warning in result.err
    assert ["eve@example.org" in people for people in recipients(patchgen, toy)] == [False] * 5


def test_an_untrusted_configuration_is_not_read(patchgen, toy, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("password = hidden\n")
    (toy / ".patchgen.toml").symlink_to(secret)
    result = patchgen("apply", "--variant", "pvops", "--tree", toy)
    assert result.code == 1 and "is not a regular file" in result.err and "hidden" not in result.err


def test_people_of_the_command_line_stay_through_a_reroll(patchgen, toy):
    apply(patchgen, toy, "--to", "list@example.org", "--cc-cover", "chief@example.org")
    for branch in (V4, "patchgen/pvops-v5"):
        cover, *patches = recipients(patchgen, toy, branch)
        assert {"list@example.org", "chief@example.org"} <= cover
        assert ["list@example.org" in people for people in patches] == [True] * 4
        assert not any("chief@example.org" in people for people in patches)
        result = patchgen("reroll", "--tree", toy, branch, "--quiet")
        assert result.code == 0, result.err


def test_the_mailmap_of_the_base_is_used(patchgen, toy, git):
    (toy / ".mailmap").write_text("Kay Vee Em <kay@example.org> <kvm@example.org>\n")
    git(toy, "add", "-f", ".mailmap")
    git(toy, "commit", "-q", "-m", "mailmap")
    apply(patchgen, toy)
    cover, *_ = recipients(patchgen, toy)
    assert "kay@example.org" in cover and "kvm@example.org" not in cover


def test_x86_always_gets_the_list_as_well(patchgen, toy, git):
    text = (toy / "MAINTAINERS").read_text()
    (toy / "MAINTAINERS").write_text(text.replace("x86@example.org", "x86@kernel.org"))
    git(toy, "commit", "-q", "-a", "-m", "x86@kernel.org")
    apply(patchgen, toy)
    for people in recipients(patchgen, toy):
        assert ("x86@kernel.org" in people) == ("linux-kernel@vger.kernel.org" in people)
    assert "x86@kernel.org" in recipients(patchgen, toy)[0]


@pytest.mark.parametrize(
    ("args", "env", "problem"),
    [
        (["--to", "Foo"], {}, "'Foo' is not an address"),
        (["--to", "Foo x@y"], {}, "'Foo x@y' is not an address"),
        (["--cc", "j\u00f6rg@example.org"], {}, "before the @"),
        (["--cc-cover", "Eve\x1b <e@example.org>"], {}, "control characters"),
        ([], {"GIT_COMMITTER_EMAIL": "j\u00f6rg@ex\u00e4mple.de"}, "your address cannot be used"),
        ([], {"GIT_AUTHOR_EMAIL": "j@ex\u00e4mple.de"}, "user.email j@xn--exmple-cua.de"),
        ([], {"GIT_AUTHOR_NAME": "Eve \x1b[1m Ada"}, "your name has control characters"),
    ],
)  # fmt: skip
def test_an_address_that_no_mail_can_have_is_refused_before_the_work(
    patchgen, toy, git, monkeypatch, args, env, problem
):
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SPATCH", "/nonexistent/spatch")
    result = patchgen("apply", "--variant", "pvops", "--tree", toy, *args)
    assert result.code in (1, 2) and problem in result.err and "\x1b" not in result.err, result.err
    assert V4 not in git(toy, "branch", "--list") and not (toy / "outgoing").exists()


def test_a_domain_in_other_letters_and_an_alias_are_mailed(patchgen, toy, git, tmp_path):
    (tmp_path / "aliases").write_text("alias boss Boss <boss@example.org>\n")
    git(toy, "config", "sendemail.aliasesFile", tmp_path / "aliases")
    git(toy, "config", "sendemail.aliasFileType", "mutt")
    apply(patchgen, toy, "--to", "Foo <m@ex\u00e4mple.org>", "--cc", "boss")
    for people in recipients(patchgen, toy):
        assert {"m@xn--exmple-cua.org", "boss"} <= people


def test_control_characters_of_a_variant_never_reach_a_subject(patchgen, toy, git, tmp_path):
    variant = tmp_path / "pvops"
    shutil.copytree(Path(__file__).parents[2] / "semantic-patches/pvops", variant)
    [cover] = list(variant.rglob("cover*"))[:1]
    text = cover.read_text()
    cover.write_text(text.replace("x86", "x86\x07", 1))
    result = patchgen("apply", "--variant", variant, "--tree", toy)
    assert result.code == 1 and "control characters" in result.err and "\x07" not in result.err
    assert V4 not in git(toy, "branch", "--list") and not (toy / "outgoing").exists()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[recipients]\nto = ["Foo x@y"]\n', "2: recipients.to: 'Foo x@y' is not an address"),
        ("[recipients]\ncopy = []\n", "2: recipients.copy: unknown key 'copy'"),
        ("[recipients]\nto = 3\n", "2: recipients.to: "),
        ("[recipients\n", "1:"),
    ],
)
def test_a_wrong_configuration_is_named(patchgen, toy, text, problem):
    folder = Path(os.environ["HOME"]) / ".config" / "patchgen"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(text)
    (toy / ".patchgen.toml").write_text(text)
    result = patchgen("trust", "--tree-config", "--tree", toy)
    assert result.code == 1 and f"/.patchgen.toml:{problem}" in result.err, result.err
    for args in (
        ("apply", "--variant", "pvops"),
        # Before the semantic patch is even read.
        ("run", "no.cocci", "--split", "file"),
        ("reroll", "no-such-branch"),
        ("send", "no-such-branch", "--dry-run"),
    ):
        result = patchgen(*args, "--tree", toy)
        assert result.code == 1 and f"/config.toml:{problem}" in result.err, result.err
    assert not (toy / "outgoing").exists()


def test_apply_and_reroll_print_the_recipients_that_the_mails_have(patchgen, toy):
    (toy / ".patchgen.toml").write_text(CONFIG)
    trust(patchgen, toy)
    args = ("apply", "--variant", "pvops", "--tree", toy, "--signoff")
    dry = patchgen(*args, "--dry-run").out
    output = patchgen(*args).out
    cover = recipients(patchgen, toy)[0]
    again = patchgen("reroll", "--tree", toy, V4).out
    for out in (dry, output, again):
        lines = [line for line in out.split("\n") if line.startswith(("To: ", "Cc: "))]
        assert {line[4:].rpartition("<")[2].rstrip(">") for line in lines} == cover
