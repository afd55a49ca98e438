# SPDX-License-Identifier: GPL-2.0-or-later
"""A journal that cannot be read never means that nothing was sent."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from patchgen.errors import RefusedError
from patchgen.model.series import Mail
from patchgen.odb import Repository
from patchgen.pipeline.journal import Journal, MailState, begin_entries, set_state

MAIL = Mail("v4-0001-x.patch", b"Subject: [PATCH v4 1/1] x\nMessage-ID: <a@x>\n\nBecause.\n")
ENTRIES = begin_entries([MAIL])


@pytest.fixture
def repository(tmp_path, git) -> Iterator[Repository]:
    git(tmp_path, "init", "-q", tmp_path / "tree")
    opened = Repository(tmp_path / "tree")
    yield opened
    opened.close()


def write(repository: Repository) -> Journal:
    journal = Journal(repository, "20210820-x-0123456789ab", 4)
    with journal.lock():
        journal.write([set_state(entry, MailState.SENT) for entry in ENTRIES])
    return journal


def path_of(repository: Repository):
    [path] = (repository.git_dir / "patchgen" / "send").glob("*.json")
    return path


def test_what_is_written_is_read_and_without_a_file_nothing_was_begun(repository):
    journal = write(repository)
    [entry], _ = journal.read()
    assert (entry.file, entry.message_id, entry.state) == (MAIL.file_name, "a@x", MailState.SENT)
    path_of(repository).unlink()
    assert journal.read()[0] == ()


def whole(**changed: object) -> str:
    """Return a journal of one mail, with other values; None takes a value away."""
    mail = {"file": "a", "message_id": "a@x", "subject": "x", "digest": "0", "state": "sent"}
    wishes = {"to": [], "cc": [], "cover_cc": [], "in_reply_to": None}
    document = {"format": 1, "wishes": wishes, "mails": [mail], **changed}
    return json.dumps({key: value for key, value in document.items() if value is not None})


DAMAGED = {
    "empty": "",
    "cut": whole()[:-20],
    "no object": "[]",
    "no keys": "{}",
    "without entries": whole(mails=[]),
    "without mails": whole(mails=None),
    "of another format": whole(format=2),
    "of no format": whole(format=None),
    "without wishes": whole(wishes=None),
    "in a state that is none": whole(mails=[{"file": "a", "state": "lost"}]),
    "too deep": "[" * 100_000,
    "not UTF-8": "\udcff",
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_journal_is_named_and_stops_everything(repository, text):
    journal = write(repository)
    path_of(repository).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(RefusedError, match=r"\.json cannot be read") as refused:
        journal.read()
    assert "archive" in (refused.value.hint or "")


@pytest.mark.parametrize("kind", ["folder", "loop", "pipe"])
def test_what_is_in_the_journals_place_and_no_file_stops_everything(repository, kind):
    journal = write(repository)
    path = path_of(repository)
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path)
    else:
        os.mkfifo(path)
    with pytest.raises(RefusedError, match=r"\.json cannot be read"):
        journal.read()


def test_the_journal_of_damaged_texts_is_read_where_it_is_whole(repository):
    journal = write(repository)
    path_of(repository).write_text(whole())
    [entry], _ = journal.read()
    assert entry.state is MailState.SENT
