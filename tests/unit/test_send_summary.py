# SPDX-License-Identifier: GPL-2.0-or-later
"""The summary of `patchgen send` fits on a screen, and counts what it omits."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, strategies as st

from patchgen.cli.send_summary import list_everything, summarize
from patchgen.commands.send import SendPlan
from patchgen.model.series import Cover, Recipients, SendableVersion
from patchgen.pipeline.journal import JournalEntry, SendOptions


def plan_of(
    recipients: list[Recipients],
    *,
    subject: str = "x86: Do it",
    bcc: tuple[str, ...] = (),
    warnings: tuple[str, ...] = (),
) -> SendPlan:
    version = SendableVersion("it", "id", 4, Cover("x", ""), ())
    entries = tuple(
        JournalEntry(f"{n}.patch", f"{n}@x", subject, "", to=people.to, cc=people.cc)
        for n, people in enumerate(recipients)
    )
    numbers = tuple(range(len(entries)))
    return SendPlan(version, SendOptions(), entries, numbers, bcc, warnings)


def test_people_are_grouped_by_the_mails_that_they_get():
    maintainer, boss, one = "Mem <mem@x>", "Boss <boss@x>", "one@x"
    recipients = [
        Recipients((maintainer,), (boss, "list@x", one)),
        Recipients((maintainer,), (boss, "list@x")),
        Recipients(("MEM@x",), (one, boss, "list@x")),
    ]
    assert summarize(plan_of(recipients, bcc=("me@x",)), ["lint: Odd (patch 1)"]).lines == [
        "it, v4",
        "  0 x86: Do it",
        "  1 x86: Do it",
        "  2 x86: Do it",
        "  all mails  To: Mem <mem@x>",
        "  all mails  Cc: Boss <boss@x>, list@x",
        "  mails 0, 2  Cc: one@x",
        "3 mails, 4 recipients; 3 of them get all mails",
        "Bcc of all mails: me@x",
        "note: lint: Odd (patch 1)",
    ]


def test_a_note_is_not_cut_where_the_screen_has_room_for_it():
    notes = [" ".join(["word"] * 40), "the last"]
    plan = plan_of([Recipients(("a@x",), ())])
    summary = summarize(plan, notes)
    assert summary.is_whole and len(summary.lines) == 8
    assert " ".join(" ".join(summary.lines[4:]).split()) == f"note: {notes[0]} note: the last"
    # What is cut can be viewed.
    summary = summarize(plan, notes[:1] * 8)
    assert not summary.is_whole and len(summary.lines) == 7
    assert not summarize(plan_of([Recipients(("a@x",), ())] * 20), notes).is_whole


@pytest.mark.parametrize(
    ("recipients", "line"),
    [
        ([("a@x",)], "1 mail, 1 recipient; 1 of them gets all mails"),
        ([("a@x", "b@x"), ("a@x",)], "2 mails, 2 recipients; 1 of them gets all mails"),
        ([("a@x",), ("b@x",)], "2 mails, 2 recipients; 0 of them get all mails"),
    ],
)
def test_one_person_is_counted_in_the_singular(recipients, line):
    assert line in summarize(plan_of([Recipients(people, ()) for people in recipients]), []).lines


ADDRESS = st.builds("{}{}@example.org".format, st.sampled_from("abcdeé界"), st.integers(0, 60))
# A name with a comma is quoted: without quotes it would be two recipients.
PERSON = st.one_of(ADDRESS, st.builds('"{}" <{}>'.format, st.text("aé界, ", max_size=90), ADDRESS))
PEOPLE = st.lists(PERSON, max_size=40).map(tuple)
TEXTS = st.lists(st.text("a é界\n", max_size=700), max_size=12)


@given(
    recipients=st.lists(st.builds(Recipients, PEOPLE, PEOPLE), min_size=1, max_size=50),
    subject=st.text("aé界\x1b", max_size=120),
    bcc=PEOPLE,
    notes=TEXTS,
    warnings=TEXTS.map(tuple),
)
@example(
    recipients=[Recipients((), ())],
    subject="",
    bcc=("a" * 18 + "界" * 8 + " <a0@example.org>", "a0@example.org"),
    notes=[],
    warnings=(),
)
def test_it_fits_on_one_screen_with_the_question(recipients, subject, bcc, notes, warnings):
    plan = plan_of(recipients, subject=subject, bcc=bcc, warnings=warnings)
    summary = summarize(plan, notes)
    rows = 0
    for line in summary.lines:
        assert "\n" not in line and "\x1b" not in line
        assert sum(2 if character == "界" else 1 for character in line) <= 80
        rows += 1
    for warning in summary.warnings:
        for line in f"warning: {warning}".split("\n"):
            rows += max(1, -(-sum(2 if c == "界" else 1 for c in line) // 80))
    assert rows < 24
    everything = list_everything(plan, notes)
    for people in recipients:
        for person in people.to + people.cc:
            assert any(line.endswith(f": {person}") for line in everything.lines)
    if summary.is_whole:
        shown = " ".join(" ".join(summary.lines).split())
        for people in recipients:
            for person in people.to + people.cc:
                address = re.sub(r".*<|>$", "", person)
                assert address in shown


@given(
    recipients=st.lists(st.builds(Recipients, PEOPLE, PEOPLE), min_size=1, max_size=50),
    subject=st.text("aé界", max_size=120),
    bcc=PEOPLE,
    notes=TEXTS,
    warnings=TEXTS.map(tuple),
)
def test_in_a_pipe_everything_is_shown(recipients, subject, bcc, notes, warnings):
    plan = plan_of(recipients, subject=subject, bcc=bcc, warnings=warnings)
    summary = summarize(plan, notes, fits_screen=False)
    assert summary.is_whole and summary.warnings == list(warnings)
    assert sum(line.endswith(subject) for line in summary.lines) >= len(recipients)
    assert summary.lines[len(summary.lines) - len(notes) :] == [f"note: {note}" for note in notes]
    shown = "\n".join(summary.lines)
    # The first form of a name with the same address is shown.
    for address in {
        re.sub(r".*<|>$", "", person) for people in recipients for person in people.to + people.cc
    }:
        assert address in shown
    assert all(person in shown for person in bcc)


def test_what_is_left_out_is_counted():
    crowd = tuple(f"person{number}@example.org" for number in range(200))
    summary = summarize(plan_of([Recipients(crowd)] * 40), [])
    assert not summary.is_whole
    text = "\n".join(summary.lines)
    [mails] = re.findall(r"\.\.\. and (\d+) more mails", text)
    assert int(mails) + len(re.findall(r"x86: Do it", text)) == 40
    [people] = re.findall(r"and (\d+) more$", text, re.MULTILINE)
    assert int(people) + text.count("person") == 200
