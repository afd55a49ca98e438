# SPDX-License-Identifier: GPL-2.0-or-later
"""The record of how patchgen made a series, stored in the tracking section (tracking.py).

Format 1: the JSON of `Record` under the key `patchgen`. It has the inputs, the tools and the
resulting patches, so that a reroll can make the series again on another base, and `patchgen
explain` can show it. It is part of the branch, and b4 sends it in a header of the cover letter, so
it contains no path of the machine that made it.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError

from patchgen.errors import RefusedError
from patchgen.model.base import Base, Oid
from patchgen.model.plan import EmptyVariable, RunRules
from patchgen.model.series import (
    CommitDraft,
    Cover,
    MadePatch,
    RecipientPolicy,
    RecipientRoles,
    Recipients,
    SeriesOptions,
)
from patchgen.series.tracking import Tracking
from patchgen.series.trailers import parse_message

if TYPE_CHECKING:
    from patchgen.spec import SeriesPlan


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class RecordedPatch(_Frozen):
    """The record of a generated patch.

    `message` and `content` are digests that reveal hand edits; odb/changes.py computes the
    latter. `trailers` are those of the manifest, with their values. `semantic_patches` are the
    rendered texts by name, `rules` the number of hits of each rule. `group` names what the
    files of a campaign's patch have in common: the tree, the maintainers, the folder, ...
    """

    name: str
    group: tuple[str, ...] = ()
    backend: str | None = None
    subject: str
    message: str
    content: str = ""
    trailers: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()
    rules: Mapping[str, int] = {}
    semantic_patches: Mapping[str, str] = {}


class RecordedTesting(_Frozen):
    """A test of the patches that `content` identifies (series/tested_line.py).

    `text` is the line about it in the cover letter, and `instead` the line that it replaced.
    """

    content: str
    summary: str
    text: str
    instead: str = ""


def _check_folder(name: str) -> str:
    if name.startswith("/") or ".." in name.split("/"):
        raise ValueError(f"{name!r} is not a folder of the tree")
    return name


# A stranger may have written the record, and these names become paths of files for spatch.
_HeaderName = Annotated[str, StringConstraints(pattern=r"^patchgen-[0-9]+-[^/\x00-\x1f]+$")]
_FolderName = Annotated[str, AfterValidator(_check_folder)]


class RecordedRun(_Frozen):
    """The options of `patchgen run --split`, with the texts of files in place of their names.

    `sources` are the files that the semantic patch names. `since` is a commit. `only_built` is true
    for a run with a .config, which is not recorded. `macros` None means those of the tree.
    """

    sources: Mapping[str, str] = {}
    paths: tuple[str, ...] = ()
    since: Oid | None = None
    only_built: bool = False
    macros: str | None = None
    macro_files: str = ""
    isomorphisms: str = ""
    headers: Mapping[_HeaderName, str] = {}
    folders: tuple[_FolderName, ...] = ()
    with_headers: bool = True
    style: bool = True
    timeout_s: int
    max_patches: int | None = None
    subject: str | None = None
    message: str | None = None
    cover: str | None = None


class HandWork(_Frozen):
    """How hand edits make a series differ from the one that patchgen generates.

    `edited` and `left_out` are names of patches, `subjects` the present subjects of patches by
    name, which people may have changed, and `added` the subjects of commits that people added.
    `squashed` maps the patches among those left out whose lines are in another patch to the name of
    that one, "" for a commit that a person added. Older records have none.
    """

    edited: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    squashed: Mapping[str, str] = {}
    subjects: Mapping[str, str] = {}
    added: tuple[str, ...] = ()

    @property
    def gone(self) -> frozenset[str]:
        """The names of the patches whose change the series does not have."""
        return frozenset(self.left_out) - set(self.squashed)


class Record(_Frozen):
    """How a version of a series was made.

    `backends` are those that the user named, `made_backends` those of the series, and `applied` the
    patches that the base, or an earlier one, has according to its history. `definitions` are
    the arguments of --define, `variables` all values, and `asked` the empty variables that need a
    value. `to`, `cc` and `cover_cc` are people that the user named in addition to the maintainers,
    and `variant_cc` people that the variant names. `found_to` and `found_cc` are all recipients of
    the cover letter as generated, and `cover` is a digest of its text. `inputs` are digests of the
    folders with templates and rules. If `patchgen run` made the series, `split` is how it was
    divided, `variant` is the name of the .cocci, and `recipients` and `max_recipients` are its
    policy for recipients, and `run` its other options. `hand` are the hand edits that the messages
    mention. `run` and `hand` are None if the patchgen that made the series did not record them.
    `patchgen verify --record` adds `testing`.
    """

    format: Literal[1] = 1
    variant: str
    revision: int
    base: Oid
    describe: str
    backends: tuple[str, ...] = ()
    made_backends: tuple[str, ...] = ()
    applied: tuple[str, ...] = ()
    definitions: tuple[str, ...] = ()
    variables: Mapping[str, str | int | bool] = {}
    signed_off: bool = False
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    cover_cc: tuple[str, ...] = ()
    variant_cc: tuple[str, ...] = ()
    asked: tuple[EmptyVariable, ...] = ()
    found_to: tuple[str, ...] | None = None
    found_cc: tuple[str, ...] | None = None
    cover: str = ""
    tools: Mapping[str, str] = {}
    inputs: Mapping[str, str] = {}
    patches: tuple[RecordedPatch, ...] = ()
    split: str = ""
    recipients: RecipientRoles = RecipientRoles.ALL
    max_recipients: int | None = None
    run: RecordedRun | None = None
    hand: HandWork | None = None
    testing: RecordedTesting | None = None

    @property
    def options(self) -> SeriesOptions:
        """The options of the series, as `record_options` recorded them."""
        return SeriesOptions(
            sign_off=self.signed_off, to=self.to, cc=self.cc, cover_cc=self.cover_cc
        )

    @property
    def policy(self) -> RecipientPolicy:
        """The policy for recipients."""
        return RecipientPolicy(self.recipients, self.max_recipients)

    def join_definitions(self, definitions: Sequence[str]) -> tuple[str, ...]:
        """Return the recorded definitions and new ones, which replace those of the same names."""
        names = {definition.partition("=")[0] for definition in definitions}
        recorded = [text for text in self.definitions if text.partition("=")[0] not in names]
        return (*recorded, *definitions)

    def find_semantic_patches(self, patch: RecordedPatch) -> Mapping[str, str]:
        """Return the rendered semantic patches of a patch, by name; a campaign has only one."""
        if self.split:
            return next((recorded.semantic_patches for recorded in self.patches), {})
        return patch.semantic_patches

    @property
    def generated_recipients(self) -> Recipients | None:
        """The recipients of the cover letter as generated, None if they are not recorded."""
        if self.found_to is None or self.found_cc is None:
            return None
        return Recipients(self.found_to, self.found_cc)

    def with_generated_recipients(self, recipients: Recipients) -> Record:
        """Return the record with the recipients of the generated cover letter."""
        return self.model_copy(update={"found_to": recipients.to, "found_cc": recipients.cc})

    def to_document(self) -> dict[str, Any]:
        """Return the record as values for JSON."""
        return self.model_dump(mode="json")


def record_options(base: Base, options: SeriesOptions) -> dict[str, Any]:
    """Return the fields of a record that every series has: its base and its options."""
    return {
        "base": base.oid,
        "describe": base.describe,
        "signed_off": options.sign_off,
        "to": options.to,
        "cc": options.cc,
        "cover_cc": options.cover_cc,
    }


def record_patches(
    record: Record,
    plan: SeriesPlan,
    made_patches: Sequence[MadePatch],
    drafts: Mapping[str, CommitDraft],
    cover: Cover,
) -> Record:
    """Return a record with the patches and the cover letter; `drafts` are by the patches' names.

    `write_patches` sets the patches' `content`.
    """
    patches = []
    for planned, patch in zip(plan.patches, made_patches, strict=True):
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
                semantic_patches={run.name: run.text for run in runs},
            )
            patches.append(recorded)
    update = {"patches": tuple(patches), "cover": digest_cover(cover)}
    return record.model_copy(update=update)


def read_record(tracking: Tracking | None) -> Record | None:
    """Return the record in a tracking section, None if patchgen did not make the series.

    Raises RefusedError if the record cannot be read.
    """
    if tracking is None or tracking.record is None:
        return None
    try:
        return Record.model_validate(tracking.record)
    except ValidationError as err:
        error = err.errors()[0]
        field = ".".join(map(str, error["loc"]))
        raise RefusedError(
            f"patchgen's record in the cover letter's commit cannot be read: {field}: "
            f"{error['msg']}",
            code="cover-damaged",
            hint="a newer patchgen may have written it",
        ) from None


def digest_message(message: str) -> str:
    """Return a digest of a commit message without its trailers and notes."""
    return hashlib.sha256(parse_message(message).text.strip().encode()).hexdigest()


def digest_cover(cover: Cover) -> str:
    """Return a digest of a cover letter without its recipients and notes.

    Differences in white space do not change it: b4 may rewrap a letter.
    """
    words = f"{cover.subject} {cover.body}".split()
    return hashlib.sha256(" ".join(words).encode()).hexdigest()


def describe_empty_variables(
    record: Record, messages: Sequence[str], setter: str | None
) -> list[str]:
    """Return a sentence for each empty variable; `messages` are the patches' commit messages.

    `setter` is the command that sets one if `--define` is added, None for sentences without advice.
    """
    trailers = [trailer for message in messages for trailer in parse_message(message).trailers]
    present = {trailer.name.lower() for trailer in trailers if trailer.value}
    return [
        f"the variable {variable.name} is empty"
        + (
            f": {variable.text}; `{f'{setter} --define'.lstrip()} {variable.name}=...` sets it"
            if setter is not None
            else ""
        )
        for variable in record.asked
        if not present & {key.lower() for key in variable.trailers}
    ]


def format_reroll(branch: str, record: Record, *, was_sent: bool = False) -> str:
    """Return the command that makes the version of a branch again, or the next one.

    With `was_sent`, a mail of the version was sent, and `reroll` refuses to make it again.
    """
    version = "" if was_sent else f" -v {record.revision}"
    return f"patchgen reroll {shlex.quote(branch)}{version}"
