# SPDX-License-Identifier: GPL-2.0-or-later
"""The texts that people write: the beginnings of a campaign's messages and of its cover letter.

They come from the user's files or editor, else from the header of the semantic patch: its `///`
lines are the message, and its `//#` lines go below the cut, where `git am` drops them. The cover
letter, which no commit keeps, begins with both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from patchgen.campaign.prefixes import TREEWIDE, find_shared_prefix
from patchgen.coccinelle import Header, find_summary_fault, refill, split_purpose
from patchgen.controls import escape_controls
from patchgen.errors import RefusedError
from patchgen.model.sweep import CampaignRequest
from patchgen.series import RecordedPatch, Trailer, parse_message

# Leaves room for a prefix.
_MAX_SUBJECT = 55
# Lines at which `git am` ends a message (git-mailinfo(1)); `---` begins the notes.
_CUT = re.compile(r"^(?:---[ \t]+\S|diff -|Index: ).*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Text:
    """A text that a person writes: a subject, "" for none, and a body without trailers.

    `notes` are below the cut.
    """

    subject: str = ""
    body: str = ""
    trailers: tuple[Trailer, ...] = ()
    notes: str = ""

    def __str__(self) -> str:
        trailers = "\n".join(map(str, self.trailers))
        notes = f"---\n{self.notes}" if self.notes else ""
        parts = (self.subject, self.body, trailers, notes)
        return "\n\n".join(part for part in parts if part) + "\n"


@dataclass(frozen=True, slots=True)
class CampaignTexts:
    """The beginning of the messages, whose subject has no prefix, and of the cover letter.

    `summary` is the subject that the semantic patch gives; `without_sentence` is why that is only
    the name of its file, else "".
    """

    message: Text
    cover: Text
    summary: str = ""
    without_sentence: str = ""


def parse_text(text: str, name: str) -> Text:
    """Parse what a person wrote in the file `name`.

    The first line is the subject if an empty line follows it, or if it is the only one. Raises
    RefusedError for a line that would end the message for `git am`.
    """
    text = escape_controls(text.replace("\r\n", "\n"), allow="\n\t").strip("\n")
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    first, _, rest = text.partition("\n")
    has_subject = bool(first.strip()) and (not rest or rest.startswith("\n"))
    # A message needs a subject to be parsed.
    message = parse_message(text if has_subject else f"-\n\n{text}")
    if (match := _CUT.search(message.text)) is not None:
        raise RefusedError(
            f"{name}: a line would end the message for `git am`: {match[0]}",
            code="message-cut",
            hint="indent it",
        )
    subject = message.subject.strip() if has_subject else ""
    body = "\n\n".join(part for part in (message.body, message.lead) if part)
    return Text(subject, body, message.trailers, message.notes)


def choose_texts(request: CampaignRequest, header: Header, name: str) -> CampaignTexts:
    """Return the user's texts, else those of the semantic patch `name`.

    The cover letter has a subject only if the user wrote one; `name_cover` adds it. Raises
    RefusedError for a text with a line that would end it for `git am`.
    """
    summary, without_sentence = _summarise(header.purpose, name)
    purpose = parse_text(f"-\n\n{refill(header.purpose)}", name)
    notes = refill(header.comments)
    message = replace(purpose, subject=summary, notes=notes)
    cover = Text(body="\n\n".join(part for part in (purpose.body, notes) if part))
    if request.message is not None:
        message = parse_text(request.message, "the message")
        message = replace(message, subject=message.subject or summary)
    if request.cover is not None:
        cover = parse_text(request.cover, "the cover letter")
    if request.subject:
        message = replace(message, subject=request.subject)
    return CampaignTexts(message, cover, summary, without_sentence)


def name_cover(
    texts: CampaignTexts, subjects: Sequence[str], earlier: Sequence[RecordedPatch]
) -> CampaignTexts:
    """Return the texts, with a subject of the cover letter if the user has not written one.

    It begins with the prefix that all `subjects`, those of the patches, share. The patches of the
    `earlier` version with the same summary count, too, so that the subject stays the same when the
    base has some of them.
    """
    if texts.cover.subject:
        return texts
    summary = re.compile(re.escape(texts.message.subject), re.IGNORECASE)
    former = [patch.subject for patch in earlier if summary.search(patch.subject)]
    matches = [summary.search(subject) for subject in (*subjects, *former)]
    found = [match for match in matches if match is not None]
    prefixes = [match.string[: match.start()] for match in found]
    prefix = find_shared_prefix(prefixes if len(found) == len(matches) else [])
    # If all patches continue in lower case, the cover letter does, too.
    written = {match[0] for match in found}
    text = written.pop() if len(written) == 1 and prefix != TREEWIDE else texts.message.subject
    return replace(texts, cover=replace(texts.cover, subject=f"{prefix}{text}"))


def _summarise(purpose: str, name: str) -> tuple[str, str]:
    """Return the phrase for the subjects: the first sentence of a semantic patch's purpose.

    If that cannot be a subject, it is the name of the file, and the second value states why.
    """
    sentence, _ = split_purpose(purpose)
    fault = find_summary_fault(sentence, _MAX_SUBJECT)
    if fault:
        return f"Apply {PurePosixPath(name).name}", fault
    return sentence[:1].upper() + sentence[1:], ""
