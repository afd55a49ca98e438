# SPDX-License-Identifier: GPL-2.0-or-later
"""Choose who gets the mails of a series: MAINTAINERS, configuration, command line, cover letter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from patchgen.controls import has_controls
from patchgen.kernel.x86 import MAINTAINERS_ALIAS, MAINTAINERS_LIST
from patchgen.mail import (
    MaintainerRecipients,
    SeriesRecipients,
    apply_policy,
    edit_recipients,
    find_aliases,
    follow_cover,
    include_people,
    join_list,
    limit_recipients,
    map_recipients,
    split_people,
)
from patchgen.model.base import Oid
from patchgen.model.series import RecipientEdits, RecipientPolicy, Recipients, SeriesOptions
from patchgen.odb import Quarantine, Repository
from patchgen.pipeline.next_version import find_begun_revision
from patchgen.series import SeriesBranch, describe_empty_variables, format_reroll
from patchgen.spec import People, settings_of


def find_people(repository: Repository, options: SeriesOptions) -> People:
    """Return the people of configuration files and of the command line, after checking them.

    Raises UsageError for an invalid address, and for a word that is not an alias of git send-email;
    SpecError for a wrong configuration file.
    """
    people = settings_of(repository).load_people()
    people = people.with_more(options.to, options.cc, options.cover_cc)
    is_alias = find_aliases(repository)
    return People(**{key: split_people(named, is_alias) for key, named in people})


def add_people(
    maintainers: SeriesRecipients, people: People, edits: RecipientEdits | None = None
) -> SeriesRecipients:
    """Return the recipients with the user's people added or removed, and the list of an alias."""
    edits = edits or RecipientEdits()
    added = Recipients((*people.to, *edits.added.to), (*people.cc, *edits.added.cc))
    removed = Recipients((*people.ignore, *edits.removed.to), edits.removed.cc)
    recipients = edit_recipients(maintainers, added, removed)
    cover = edit_recipients(
        SeriesRecipients(recipients.cover, ()), Recipients((), people.cc_cover), removed
    ).cover
    return join_list(replace(recipients, cover=cover), MAINTAINERS_ALIAS, MAINTAINERS_LIST)


def map_people(quarantine: Quarantine, base: Oid, recipients: SeriesRecipients) -> SeriesRecipients:
    """Return the recipients with their names and addresses in the base's .mailmap."""
    return map_recipients(recipients, lambda people: _check_mailmap(quarantine, base, people))


def _check_mailmap(quarantine: Quarantine, base: Oid, names: Sequence[str]) -> list[str]:
    """Return people with their names and addresses in the base's .mailmap."""
    contacts = [name if "<" in name else f"<{name}>" for name in names]
    args = ("-c", f"mailmap.blob={base}:.mailmap", "check-mailmap", "--stdin")
    process = quarantine.run(
        *args, stdin="".join(f"{contact}\n" for contact in contacts).encode(), ok=None
    )
    mapped = process.lines
    if process.returncode != 0 or len(mapped) != len(names):
        return list(names)
    people = [person[1:-1] if person.startswith("<") else person for person in mapped]
    # Anybody may have written .mailmap: ignore a name that is not valid in a header.
    return [
        name if has_controls(person) else person for name, person in zip(names, people, strict=True)
    ]


def choose_recipients(
    repository: Repository,
    quarantine: Quarantine,
    series: SeriesBranch,
    found: MaintainerRecipients,
    cover: Recipients,
    *,
    advises: bool,
) -> tuple[SeriesRecipients, tuple[str, ...]]:
    """Return the recipients of a branch's mails, and a sentence for each empty variable.

    If the cover letter of a series goes to some of the patches' recipients only, people that were
    added to it by hand get all mails, and those that were removed get none.
    """
    record = series.record
    people = find_people(repository, record.options if record else SeriesOptions())
    requests: tuple[str, ...] = ()
    maintainers = found.recipients
    if record is not None:
        maintainers = include_people(apply_policy(found, record.policy), record.variant_cc)
        messages = [commit.message for commit in series.commits]
        was_sent = find_begun_revision(repository, series.tip) is not None
        setter = format_reroll(series.name, record, was_sent=was_sent) if advises else None
        requests = tuple(describe_empty_variables(record, messages, setter))
    maintainers = map_people(quarantine, series.base, maintainers)
    generated = record.generated_recipients if record else None
    if record is not None and generated is not None and record.policy != RecipientPolicy():
        edits = RecipientEdits(cover.without(generated), generated.without(cover))
        recipients = add_people(maintainers, people, edits)
        recipients, left_out = limit_recipients(recipients, found, record.policy)
        return replace(recipients, cover=cover), (*requests, *left_out)
    recipients = add_people(maintainers, people)
    if cover.to or cover.cc:
        recipients = follow_cover(recipients, cover)
    return recipients, requests
