# SPDX-License-Identifier: GPL-2.0-or-later
"""The cover letter as an empty commit below the patches, in the format of `b4 prep`.

Format, as b4 0.12 to 0.16 read and write it (strategy "commit" of docs/contributor/prep.rst):
the commit has the tree of its parent, the base, and its message is

    SUBJECT
                                          (an empty line, then the body)
    To: ...                               (a paragraph of To and Cc lines, if any)
    ---
    Changes in v4: ...                    (below the cut; may be empty)

    --- b4-submit-tracking ---
    # This section is used internally by b4 prep for tracking purposes.
    {JSON, indented by two}

b4 treats a line that begins with # as a comment, and b4 0.16 reads ># at the beginning of a line as
a # of the text. b4 0.12 leaves ># in the mail, and drops a line with a bare #.

The JSON has `series` (revision: the next one to send; change-id; prefixes; and b4's additions:
history, prerequisites, presubject). b4 preserves other keys, such as `patchgen`, patchgen's record
(series/record.py). b4 finds the commit by the marker, the committer's address (since 0.15) and a
committer date of less than a year ago.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from patchgen.addresses import AddressError, parse_people
from patchgen.controls import has_controls
from patchgen.errors import RefusedError
from patchgen.model.series import Cover, Recipients

MARKER = "--- b4-submit-tracking ---"
_COMMENT = "# This section is used internally by b4 prep for tracking purposes."
_CUT = "---"
_ADDRESSED = re.compile(r"(?P<key>To|Cc): +(?P<people>\S.*)", re.IGNORECASE)
# These become part of headers, refs and file names, and a branch may be a stranger's. b4's
# change-ids are [a-z0-9-]+ (make_msgid_tpt() in ez.py); people may choose others.
_CHANGE_ID = re.compile(r"(?![.-])(?!.*\.\.)[A-Za-z0-9_.+-]{1,200}")
_PREFIX = re.compile(r"[^\[\]]+")
_MESSAGE_ID = re.compile(r"[^\s<>]+")
_MAX_REVISION = 9999


@dataclass(frozen=True, slots=True)
class Tracking:
    """The content of the JSON. `other_keys` has all keys that patchgen does not use, unchanged.

    `history` has the message-ids (without brackets) of each version that was sent, by "vN".
    """

    change_id: str
    revision: int
    prefixes: tuple[str, ...] = ()
    history: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    record: Mapping[str, Any] | None = None
    other_keys: Mapping[str, Any] = field(default_factory=dict)

    def with_sent(self, revision: int, message_ids: tuple[str, ...]) -> Tracking:
        """Return the tracking with a version added to its history, unless it is there already.

        Invalid message-ids, which strangers' mails may have, are left out.
        """
        message_ids = tuple(filter(_is_message_id, message_ids))
        if f"v{revision}" in self.history or not message_ids:
            return self
        return replace(self, history={**self.history, f"v{revision}": message_ids})


def is_cover_commit(message: str) -> bool:
    """Return whether a commit's message is a cover letter with its tracking section."""
    return message.split("\n").count(MARKER) == 1


def format_cover_commit(cover: Cover, tracking: Tracking) -> str:
    """Return the message of the cover letter's commit."""
    series: dict[str, Any] = {
        **tracking.other_keys.get("series", {}),
        "revision": tracking.revision,
        "change-id": tracking.change_id,
        "prefixes": list(tracking.prefixes),
    }
    if tracking.history:
        series["history"] = {version: list(ids) for version, ids in tracking.history.items()}
    document = {**tracking.other_keys, "series": series}
    if tracking.record is not None:
        document["patchgen"] = dict(tracking.record)
    # In ASCII, as b4 writes the JSON: it becomes part of a mail's header.
    text = re.sub(r"^#", ">#", format_cover(cover), flags=re.MULTILINE)
    return f"{text}\n{MARKER}\n{_COMMENT}\n{json.dumps(document, indent=2)}\n"


def parse_cover_commit(message: str) -> tuple[Cover, Tracking]:
    """Read the message of a cover letter's commit.

    Raises RefusedError if the tracking section is not in the format of b4 and patchgen.
    """
    text, _, section = message.partition(f"\n{MARKER}\n")
    try:
        document = json.loads(section[section.index("{") :])
        series = document["series"]
        history = series.get("history", {})
        tracking = Tracking(
            change_id=str(series["change-id"]),
            revision=int(series["revision"]),
            prefixes=tuple(map(str, series.get("prefixes", ()))),
            history={version: tuple(map(str, ids)) for version, ids in history.items()},
            record=document.get("patchgen"),
            other_keys={**document, "series": dict(series)},
        )
        _check(tracking)
    except (ValueError, LookupError, TypeError, AttributeError) as err:
        raise RefusedError(
            f"the tracking section in the cover letter's commit cannot be read: {err!r}",
            code="cover-damaged",
            hint=f'restore the JSON after "{MARKER}"; only b4 and patchgen should edit it',
        ) from None
    text = re.sub(r"^#.*\n?", "", text, flags=re.MULTILINE)
    return parse_cover(re.sub(r"^>#", "#", text, flags=re.MULTILINE)), tracking


def _is_message_id(text: str) -> bool:
    return bool(_MESSAGE_ID.fullmatch(text)) and not has_controls(text)


def _check(tracking: Tracking) -> None:
    """Raise ValueError for a value that is not valid in a mail's header, or as a version."""
    if not _CHANGE_ID.fullmatch(tracking.change_id):
        raise ValueError(f"the change-id {tracking.change_id!r}")
    if not 1 <= tracking.revision <= _MAX_REVISION:
        raise ValueError(f"the revision {tracking.revision}")
    for prefix in tracking.prefixes:
        if has_controls(prefix) or not _PREFIX.fullmatch(prefix):
            raise ValueError(f"the prefix {prefix!r}")
    for message_id in itertools.chain(*tracking.history.values()):
        if not _is_message_id(message_id):
            raise ValueError(f"the message-id {message_id!r}")


def format_cover(cover: Cover) -> str:
    """Return subject, body, recipients and the notes below the cut as one text."""
    people = [f"To: {person}\n" for person in cover.recipients.to]
    people += [f"Cc: {person}\n" for person in cover.recipients.cc]
    addressed = "\n" + "".join(people) if people else ""
    notes = f"\n{_CUT}\n{cover.notes}" if cover.notes else ""
    return f"{cover.subject}\n\n{cover.body}{addressed}{notes}"


def parse_cover(text: str) -> Cover:
    """Parse a cover letter's text: subject, body, and the notes below the first cut.

    To and Cc are lines of the body's last paragraph.
    """
    above, _, below = f"{text.strip()}\n".partition(f"\n{_CUT}\n")
    subject, _, body = above.partition("\n")
    paragraphs = re.sub(r"\n{3,}", "\n\n", body.strip("\n")).split("\n\n")
    people: dict[str, list[str]] = {"to": [], "cc": []}
    prose = []
    for line in paragraphs.pop().split("\n"):
        if (match := _ADDRESSED.fullmatch(line)) is not None:
            people[match["key"].lower()] += _split(match)
        else:
            prose.append(line)
    paragraphs += ["\n".join(prose)] if prose else []
    body = "\n\n".join(paragraphs)
    recipients = Recipients(tuple(people["to"]), tuple(people["cc"]))
    return Cover(subject, f"{body}\n", f"{below.strip()}\n" if below.strip() else "", recipients)


def _split(match: re.Match[str]) -> tuple[str, ...]:
    """Return the people in a line; b4 accepts several in one line, too.

    A line that cannot be parsed is returned unchanged; formatting the mails later refuses it.
    """
    try:
        people = tuple(map(str, parse_people(match["people"])))
    except AddressError:
        return (match["people"],)
    return people if len(people) > 1 else (match["people"],)
