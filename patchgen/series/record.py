"""What patchgen knows of a series that it made, kept in the tracking section (tracking.py).

Format 1: the JSON of `Record` under the key `patchgen`. It says what was made, from what and with
what, so that the same can be made again on another base, and `patchgen explain` can show it. It
travels with the branch, and b4 sends it along in the header of the cover letter: nothing in it
names a path of the machine that it was made on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from patchgen.errors import BaseError
from patchgen.model.base import Oid
from patchgen.model.plan import Asked, Plan, RunRules
from patchgen.model.series import CommitDraft, Cover, MadePatch, Recipients
from patchgen.series.tracking import Tracking
from patchgen.series.trailers import parse_message


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class RecordedPatch(_Frozen):
    """A patch as it was made. `message` and `content` are digests, to see hand edits by.

    That of the content is of odb/substance.py. `trailers` are those of the manifest, with their
    values. `semantic_patches` are the rendered texts by name,
    `rules` how often each rule matched.
    """

    name: str
    backend: str | None = None
    subject: str
    message: str
    content: str = ""
    trailers: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()
    rules: Mapping[str, int] = {}
    semantic_patches: Mapping[str, str] = {}


class RecordedTesting(_Frozen):
    """What was tested, and of which patches (`content`; series/testing.py).

    `text` is what the cover letter says of it, and `instead` what it would say without.
    """

    content: str
    summary: str
    text: str
    instead: str = ""


class HandWork(_Frozen):
    """What of a series that goes out is not as patchgen makes it.

    `edited` and `left_out` are names of patches, `subjects` what patches are called by name, where
    people may have changed that, and `added` the subjects of commits that patchgen did not make.
    """

    edited: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    subjects: Mapping[str, str] = {}
    added: tuple[str, ...] = ()


class Record(_Frozen):
    """One making of a variant.

    `backends` are those that were named, `made_backends` those that came of it. `definitions` are
    the words of --define, `variables` all values, and `asked` those that are empty and should not
    be. `to`, `cc` and `cover_cc` are people that the user named, next to the maintainers, and
    `variant_cc` those whom the variant names; `found_to` and `found_cc` are all people of the cover
    letter, before somebody edits it, and `cover` is a digest of what it says. `inputs` are digests
    of the folders that templates and rules came from. `split` says by what `patchgen run` divided
    the series; `variant` is the name of a .cocci then. `hand` is what the texts tell of work by
    hand, None where a patchgen made it that did not record that. `testing` comes later, by
    `patchgen verify --record`.
    """

    format: Literal[1] = 1
    variant: str
    revision: int
    base: Oid
    describe: str
    backends: tuple[str, ...] = ()
    made_backends: tuple[str, ...] = ()
    definitions: tuple[str, ...] = ()
    variables: Mapping[str, str | int | bool] = {}
    signed_off: bool = False
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    cover_cc: tuple[str, ...] = ()
    variant_cc: tuple[str, ...] = ()
    asked: tuple[Asked, ...] = ()
    found_to: tuple[str, ...] | None = None
    found_cc: tuple[str, ...] | None = None
    cover: str = ""
    tools: Mapping[str, str] = {}
    inputs: Mapping[str, str] = {}
    patches: tuple[RecordedPatch, ...] = ()
    split: str = ""
    hand: HandWork | None = None
    testing: RecordedTesting | None = None

    def find_patch(self, name: str) -> RecordedPatch | None:
        """Return what is recorded of a patch, by its name in the manifest."""
        return next((patch for patch in self.patches if patch.name == name), None)

    def find_semantic_patches(self, patch: RecordedPatch) -> Mapping[str, str]:
        """Return the rendered texts that made a patch, by name; a campaign has one for all."""
        if self.split:
            return next((each.semantic_patches for each in self.patches), {})
        return patch.semantic_patches

    @property
    def found(self) -> Recipients | None:
        """The people of the cover letter as it was made, None where they are not recorded."""
        if self.found_to is None or self.found_cc is None:
            return None
        return Recipients(self.found_to, self.found_cc)

    def with_found(self, recipients: Recipients) -> Record:
        """Return the record with the people of the cover letter as it is made."""
        return self.model_copy(update={"found_to": recipients.to, "found_cc": recipients.cc})

    def to_document(self) -> dict[str, Any]:
        """Return the record as JSON has it."""
        return self.model_dump(mode="json")


def record_patches(
    record: Record,
    plan: Plan,
    made: Sequence[MadePatch],
    drafts: Mapping[str, CommitDraft],
    cover: Cover,
) -> Record:
    """Return a record with what a plan came to; `drafts` are by the patches' names.

    The patches' `content` is known when they are written.
    """
    patches = []
    for planned, patch in zip(plan.patches, made, strict=True):
        if patch.name in drafts:
            runs = [edit.patch for edit in planned.edits if isinstance(edit, RunRules)]
            recorded = RecordedPatch(
                name=patch.name,
                backend=planned.backend,
                subject=drafts[patch.name].subject,
                message=digest_message(drafts[patch.name].message),
                trailers=planned.trailers,
                files=tuple(str(edit.path) for edit in patch.edits),
                rules={rule.rule: rule.hits for rule in patch.rules},
                semantic_patches={each.name: each.text for each in runs},
            )
            patches.append(recorded)
    update = {"patches": tuple(patches), "cover": digest_cover(cover)}
    return record.model_copy(update=update)


def read_record(tracking: Tracking | None) -> Record | None:
    """Return the record in a tracking section, None where patchgen did not make the series.

    Raises BaseError where it is there and not to be understood.
    """
    if tracking is None or tracking.record is None:
        return None
    try:
        return Record.model_validate(tracking.record)
    except ValidationError as err:
        first = err.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise BaseError(
            f"what the cover letter's commit says of patchgen cannot be read: {field}: "
            f"{first['msg']}",
            hint="was it made by a newer patchgen?",
        ) from None


def digest_message(message: str) -> str:
    """Return a digest of what a commit's message says, apart from its trailers and notes."""
    return hashlib.sha256(parse_message(message).text.strip().encode()).hexdigest()


def digest_cover(cover: Cover) -> str:
    """Return a digest of what a cover letter says, apart from its recipients and notes.

    White space does not count: b4 writes a letter anew, too.
    """
    words = f"{cover.subject} {cover.body}".split()
    return hashlib.sha256(" ".join(words).encode()).hexdigest()
