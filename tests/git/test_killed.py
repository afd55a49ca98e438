# SPDX-License-Identifier: GPL-2.0-or-later
"""Killed at any moment, patchgen leaves all refs with their old values, or all with the new ones.

The same command then completes the work, and removes the files of the killed run from TMPDIR and
from the folder of the mails.
"""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from tests.cli.test_reroll import edit
from tests.support.killing import DATE, KILLS, Campaign

pytestmark = pytest.mark.slow

V4 = "patchgen/pvops-v4"
_RULE = "/// Use new_call()\n@@\n@@\n- old_call();\n+ new_call();\n"
_CODE = "static inline void call(void)\n{\n\told_call();\n}\n"
_REPLY = """\
From: Bea <bea@example.org>
Subject: Re: [PATCH v4 1/4] x86/paravirt
Message-ID: <answer@example.org>
In-Reply-To: <ID>

Reviewed-by: Bea <bea@example.org>
"""


def prepare_apply(patchgen, git, tree):
    return ("apply", "--variant", "pvops"), "already exists"


def prepare_reroll(patchgen, git, tree):
    file = tree / "arch/x86/kernel/kvm.c"
    file.write_text(file.read_text() + "/* newer */\n")
    git(tree, "commit", "-q", "-a", "-m", "newer")
    args = ("reroll", V4, "--onto", "master", "--output-directory", "out")
    return args, "already exists"


def prepare_continue(patchgen, git, tree):
    args, _ = prepare_reroll(patchgen, git, tree)

    def by_hand() -> str:
        message = git(tree, "log", "-1", "--format=%B")
        return message.replace("makes this hypercall", "issues this hypercall")

    edit(git, tree, V4, "Tell the host", by_hand)
    result = patchgen(*args[:4], "--tree", tree, "--define", "hypercall=new_call")
    [file] = [Path(line.strip()) for line in result.err.splitlines() if line.startswith("  /")]
    merged = re.sub(
        r"<<<<<<< .*?=======\n(.*?)>>>>>>> [^\n]*\n", r"\1", file.read_text(), flags=re.S
    )
    file.write_text(merged)
    return ("reroll", "--continue"), "no reroll is waiting here"


def prepare_trailers(patchgen, git, tree):
    [mail] = tree.rglob("outgoing/**/v4-0001-*.patch")
    [line] = [text for text in mail.read_text().splitlines() if text.startswith("Message-ID")]
    reply = _REPLY.replace("<ID>", line.partition(": ")[2])
    (tree.parent / "reply.eml").write_text(reply)
    return ("trailers", V4, str(tree.parent / "reply.eml")), "there already"


def prepare_import(patchgen, git, tree):
    git(tree, "checkout", "-q", "-b", "by-hand")
    for number in (1, 2):
        (tree / f"file{number}").write_text(f"{number}\n")
        git(tree, "add", "-f", f"file{number}")
        git(tree, "commit", "-q", "-m", f"x86: Do {number}", "-m", "Because.")
    args = ("-v3", "--thread", "--base=master", "--stdout", "master..")
    (tree.parent / "v3.mbox").write_text(git(tree, "format-patch", *args))
    git(tree, "checkout", "-q", "master")
    git(tree, "branch", "-q", "-D", "by-hand")
    args = ("import", str(tree.parent / "v3.mbox"), "--series", V4)
    return args, "is already recorded as sent"


def prepare_split(patchgen, git, tree):
    for name in ("drivers/net/a.c", "fs/f.c"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(_CODE)
    git(tree, "add", "-f", ".")
    git(tree, "commit", "-q", "-m", "start")
    (tree.parent / "x.cocci").write_text(_RULE)
    return ("run", str(tree.parent / "x.cocci"), "--split", "directory"), "already exists"


# Commands that begin with a series.
NEEDS_SERIES = ("reroll", "reroll --continue", "trailers", "import")
PREPARE = {
    "apply": prepare_apply,
    "reroll": prepare_reroll,
    "reroll --continue": prepare_continue,
    "trailers": prepare_trailers,
    "import": prepare_import,
    "run --split": prepare_split,
}


@pytest.fixture
def campaign(request, patchgen, git, toy, tmp_path, monkeypatch) -> Campaign:
    """Return the campaign of a command, by its name."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", DATE)
    if request.param in NEEDS_SERIES:
        request.getfixturevalue("pvops")
    args, repeated = PREPARE[request.param](patchgen, git, toy)
    return Campaign(toy, args, repeated, tmp_path)


# Where each command is killed: in the middle, before it moves refs, and before it moves the mails
# to their folder. test_killed_at_every_step tries these and all others.
CHOSEN = {
    "apply": ("middle", "refs", "mails"),
    "reroll": ("refs", "mails"),
    "reroll --continue": ("refs",),
    "trailers": ("refs",),
    "import": ("refs",),
    "run --split": ("middle", "mails"),
}


@pytest.mark.parametrize(("campaign", "points"), CHOSEN.items(), ids=CHOSEN, indirect=["campaign"])
def test_killed_at_chosen_steps(campaign, points):
    last, moves_refs = len(campaign.whole.events), campaign.whole.moves_refs
    numbers = {"middle": last // 2, "refs": moves_refs, "mails": moves_refs + 1}
    for point in points:
        campaign.try_event(numbers[point], whole_group=numbers[point] % 2 == 0)


@pytest.mark.parametrize("campaign", ["apply"], indirect=True)
def test_interrupted_it_cleans_up_and_says_what_it_wrote(campaign):
    last, moves_refs = len(campaign.whole.events), campaign.whole.moves_refs
    for number, events in (
        (signal.SIGHUP, (last // 2,)),
        # At once, and again while it cleans up.
        (signal.SIGINT, (last // 2, last // 2 + 1, last // 2 + 3)),
        # Before the ref is moved, before the folder is renamed, and while it cleans up.
        *((signal.SIGTERM, (event,)) for event in (moves_refs, moves_refs + 1, last - 5)),
    ):
        campaign.try_signal(number, *events)


@pytest.mark.torture
@pytest.mark.parametrize("campaign", PREPARE, indirect=True)
def test_killed_at_random_moments(campaign):
    campaign.try_moments(KILLS, seed=20210820)


@pytest.mark.torture
@pytest.mark.parametrize("campaign", PREPARE, indirect=True)
def test_killed_at_every_step(campaign):
    for number in range(1, len(campaign.whole.events) + 1):
        campaign.try_event(number, whole_group=number % 2 == 0)
