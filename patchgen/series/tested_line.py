# SPDX-License-Identifier: GPL-2.0-or-later
"""The line `Tested:` of a cover letter.

`patchgen verify --record` writes it. It is valid only for the base and the patches that were
tested: the recorded text is removed from the letter when they change. Text that people wrote is
preserved.
"""

from __future__ import annotations

import hashlib
import re
import textwrap
from collections.abc import Sequence
from dataclasses import replace

from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.model.series import Cover
from patchgen.odb import Git, read_commits
from patchgen.series.branch import SeriesBranch
from patchgen.series.record import Record, RecordedTesting, digest_cover
from patchgen.series.trailers import parse_message

NOT_YET = "not yet"
CHECKPATCH_IS_CLEAN = "checkpatch --strict is clean"
_LABEL = "  Tested:  "
_INDENT = " " * len(_LABEL)
_WIDTH = 72
_LINE = re.compile(rf"^{_LABEL}.*(?:\n{_INDENT}\S.*)*", re.MULTILINE)


def digest_tested(base: Oid, commits: Sequence[Commit], summary: str) -> str:
    """Return a digest of what the tests of a summary depend on: the base, and each patch's tree.

    checkpatch reads the messages, too. Trailers and the text below the cut are left out: tags and
    change logs are added after the test.
    """
    parts: list[str] = [commit.tree for commit in commits]
    if CHECKPATCH_IS_CLEAN in summary:
        parts += [parse_message(commit.message).text for commit in commits]
    return hashlib.sha256("\0".join((base, *parts)).encode()).hexdigest()


def put_testing(cover: Cover, record: Record, summary: str, content: str) -> tuple[Cover, Record]:
    """Return letter and record with a summary of the tests, added to the text people wrote there.

    `content` is a `digest_tested`. A previous record is replaced.
    """
    cover, record = take_out_testing(cover, record)
    line = _LINE.search(cover.body)
    words = " ".join(line[0].removeprefix(_LABEL).split()) if line else NOT_YET
    statement = summary if words == NOT_YET else f"{words}; {summary}"
    text = textwrap.fill(
        statement,
        _WIDTH,
        initial_indent=_LABEL,
        subsequent_indent=_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
    instead = line[0] if line else ""
    if line:
        body = cover.body[: line.start()] + text + cover.body[line.end() :]
    else:
        body = f"{cover.body.rstrip()}\n\n{text}\n"
    testing = RecordedTesting(content=content, summary=summary, text=text, instead=instead)
    return replace(cover, body=body), record.model_copy(update={"testing": testing})


def take_out_testing(cover: Cover, record: Record) -> tuple[Cover, Record]:
    """Return letter and record without the recorded tests.

    Text in the letter that was changed by hand is preserved: it is now a person's statement.
    """
    testing = record.testing
    if testing is None:
        return cover, record
    # b4 may have rewrapped the letter.
    words = re.compile(r"[ \t]*" + r"\s+".join(map(re.escape, testing.text.split())))
    body = words.sub(lambda _: testing.instead, cover.body, count=1)
    body = re.sub(r"\n{3,}", "\n\n", body).rstrip() + "\n"
    return replace(cover, body=body), record.model_copy(update={"testing": None})


def is_generated_cover(cover: Cover, record: Record) -> bool:
    """Return whether nobody has edited a cover letter, as far as its record shows."""
    return record.cover in ("", digest_cover(take_out_testing(cover, record)[0]))


def keep_testing(
    git: Git, base: Oid, commits: Sequence[Oid], cover: Cover, record: Record, earlier: Record
) -> tuple[Cover, Record, tuple[str, ...]]:
    """Return letter and record with an earlier record's tests, if these patches were tested.

    If other patches were, a warning is returned, too.
    """
    testing = earlier.testing
    if testing is None:
        return cover, record, ()
    written = read_commits(git, base, commits[-1])
    if testing.content != digest_tested(base, written, testing.summary):
        return cover, record, (_describe_outdated(testing),)
    return (*put_testing(cover, record, testing.summary, testing.content), ())


def _describe_outdated(testing: RecordedTesting) -> str:
    return (
        f"the patches have changed since they were tested ({testing.summary[:60]}...), so the "
        "cover letter no longer mentions these tests"
    )


def choose_cover(
    series: SeriesBranch, cover: Cover, *, advice: str = ""
) -> tuple[Cover, tuple[str, ...]]:
    """Return the letter of a branch without outdated test results, and warnings.

    They end with the `advice` on how to test the patches.
    """
    record = series.record
    advice = f"; {advice}" if advice else ""
    if record is not None and record.testing is not None:
        if record.testing.content == digest_tested(
            series.base, series.commits, record.testing.summary
        ):
            return cover, ()
        outdated = _describe_outdated(record.testing)
        return take_out_testing(cover, record)[0], (f"{outdated}{advice}",)
    line = _LINE.search(cover.body)
    if line is not None and line[0] == f"{_LABEL}{NOT_YET}":
        return cover, (f"the cover letter says that the patches are not tested{advice}",)
    return cover, ()
