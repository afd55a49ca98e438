# SPDX-License-Identifier: GPL-2.0-or-later
"""The recipients of each mail of a series: from the tree's MAINTAINERS, and from the user."""

from __future__ import annotations

import email.utils
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from patchgen.addresses import AddressError, is_word, parse_people
from patchgen.errors import ToolError, UsageError
from patchgen.git_environment import reading_environment
from patchgen.kernel import ask_program, find_recipients, join_recipients
from patchgen.mail.headers import add_headers, parse_mail, read_people, replace_recipients
from patchgen.mail.perl_modules import explain_missing_module
from patchgen.model.base import TreeReader
from patchgen.model.series import Mail, Recipients
from patchgen.odb import Repository
from patchgen.process import run

# git send-email unfolds headers that it does not know, and SMTP limits the length of lines.
_ADDRESSES_PER_LINE = 10


@dataclass(frozen=True, slots=True)
class SeriesRecipients:
    """To and Cc of the cover letter, and of each patch in order."""

    cover: Recipients
    patches: tuple[Recipients, ...]

    def map(self, change: Callable[[Recipients], Recipients]) -> SeriesRecipients:
        """Return the recipients with a change to those of each mail."""
        return SeriesRecipients(change(self.cover), tuple(map(change, self.patches)))


@dataclass(frozen=True, slots=True)
class MaintainerRecipients:
    """The recipients that MAINTAINERS names. All addresses are in lower case.

    `file_counts` has for each patch the number of its files that an address is responsible for.
    `lists` are mailing lists, `reviewers` people who only review.
    """

    recipients: SeriesRecipients
    file_counts: tuple[Mapping[str, int], ...]
    lists: frozenset[str] = frozenset()
    reviewers: frozenset[str] = frozenset()


def address_patches(
    tree: TreeReader, patches: Sequence[Mail], program: Path | None = None
) -> tuple[MaintainerRecipients, tuple[str, ...]]:
    """Return the recipients of each of the patches, and warnings.

    They come from the tree's MAINTAINERS, or from the user's `program` in its place.
    """
    result = ask_program(program, tree, patches) if program else find_recipients(tree, patches)
    if result is None:
        empty = SeriesRecipients(Recipients(), tuple(Recipients() for _ in patches))
        return MaintainerRecipients(empty, tuple({} for _ in patches)), (
            "the base has no MAINTAINERS: the mails have no To, Cc",
        )
    recipients = tuple(result.by_mail[mail.file_name] for mail in patches)
    warnings = result.warnings + tuple(
        f"no maintainer was found for the files that {mail.name} changes"
        for mail, addressees in zip(patches, recipients, strict=True)
        if not addressees.to and not addressees.cc
    )
    file_counts = tuple(
        {
            address_of(person): count
            for person, count in result.files.get(mail.file_name, {}).items()
        }
        for mail in patches
    )
    maintainers = MaintainerRecipients(
        SeriesRecipients(join_recipients(recipients), recipients),
        file_counts,
        frozenset(map(address_of, result.lists)),
        frozenset(map(address_of, result.reviewers)),
    )
    return maintainers, warnings


def edit_recipients(
    recipients: SeriesRecipients, added: Recipients, removed: Recipients
) -> SeriesRecipients:
    """Return the recipients with some added to all mails, and others removed from all."""
    return recipients.map(lambda addressees: _edit(addressees, added, removed))


def include_people(recipients: SeriesRecipients, cc: Sequence[str]) -> SeriesRecipients:
    """Return the recipients with people who get all mails, at least in Cc."""
    return recipients.map(lambda addressees: _deduplicate(addressees.to, (*addressees.cc, *cc)))


def follow_cover(recipients: SeriesRecipients, cover: Recipients) -> SeriesRecipients:
    """Return the recipients of a series whose cover letter names them.

    People who are not among those get nothing. People who are not a recipient of any patch get all
    mails. A patch without a maintainer is sent to all of them.
    """
    addresses = list_addresses(cover)
    added = _drop_people(cover, list_addresses(recipients.cover))
    patches = []
    for patch in recipients.patches:
        selected = select_people(patch, addresses)
        addressees = _deduplicate((*selected.to, *added.to), (*selected.cc, *added.cc))
        patches.append(addressees if addressees.to or addressees.cc else cover)
    return SeriesRecipients(cover, tuple(patches))


def map_recipients(
    recipients: SeriesRecipients, rename: Callable[[Sequence[str]], Sequence[str]]
) -> SeriesRecipients:
    """Return the recipients with other names; `rename` is called once, with all of them.

    Two names may become those of one person, who then keeps the first place.
    """
    mails = (recipients.cover, *recipients.patches)
    names = list(dict.fromkeys(name for person in mails for name in person.to + person.cc))
    new_names = dict(zip(names, rename(names), strict=True))

    def map_one(addressees: Recipients) -> Recipients:
        return _deduplicate(
            (new_names[name] for name in addressees.to), (new_names[name] for name in addressees.cc)
        )

    return recipients.map(map_one)


def join_list(recipients: SeriesRecipients, alias: str, mailing_list: str) -> SeriesRecipients:
    """Return the recipients with a list added to Cc wherever an alias is among them."""

    def join(recipients: Recipients) -> Recipients:
        addresses = list_addresses(recipients)
        if alias in addresses and mailing_list not in addresses:
            return Recipients(recipients.to, (*recipients.cc, mailing_list))
        return recipients

    return recipients.map(join)


def _edit(recipients: Recipients, added: Recipients, removed: Recipients) -> Recipients:
    others = _drop_people(recipients, list_addresses(removed) | list_addresses(added))
    return _deduplicate((*others.to, *added.to), (*others.cc, *added.cc))


def _deduplicate(to: Iterable[str], cc: Iterable[str]) -> Recipients:
    """Return people with each address once: in To if it occurs there, spelt as at first."""
    in_to: dict[str, str] = {}
    for person in to:
        in_to.setdefault(address_of(person), person)
    in_cc: dict[str, str] = {}
    for copied in cc:
        if address_of(copied) not in in_to:
            in_cc.setdefault(address_of(copied), copied)
    return Recipients(tuple(in_to.values()), tuple(in_cc.values()))


def list_recipients(mail: Mail) -> Recipients:
    """Return the decoded To and Cc of a mail."""
    message = parse_mail(mail)
    to, cc = (read_people(message, name) for name in ("To", "Cc"))
    return Recipients(to, cc)


def split_people(
    texts: Sequence[str], is_alias: Callable[[str], bool] = is_word
) -> tuple[str, ...]:
    """Return the people in options and settings, each of which may name several: "a@b, C <c@d>".

    Each person is returned once, as "Name <address>", a bare address, or an alias. Raises
    UsageError for an address that mail cannot be sent to, and for a word that is not an alias.
    """
    people: dict[str, str] = {}
    for text in texts:
        try:
            for person in parse_people(text, is_alias):
                people.setdefault(person.address.lower(), str(person))
        except AddressError as err:
            hint = "to define aliases, see sendemail.aliasesFile in git-send-email(1)"
            raise UsageError(
                str(err), code="address-invalid", hint=None if "@" in text else hint
            ) from None
    return tuple(people.values())


def add_recipients(mail: Mail, people: Recipients) -> Mail:
    """Return a mail with more people in To and Cc, each of them once."""
    present = list_recipients(mail)
    added = _drop_people(people, list_addresses(present))
    if not added.to and not added.cc:
        return mail
    return replace_recipients(mail, _deduplicate(present.to + added.to, present.cc + added.cc))


def fill_to(mail: Mail) -> Mail:
    """Return a mail with the people of Cc moved to To if To is empty.

    git send-email would write an empty To, which RFC 5322, 3.6.3, does not allow.
    """
    recipients = list_recipients(mail)
    if recipients.to or not recipients.cc:
        return mail
    return replace_recipients(mail, Recipients(recipients.cc))


def redirect_mail(mail: Mail, to: str) -> Mail:
    """Return a mail to one person, with headers that name the original recipients."""
    original = list_recipients(mail)
    headers = "".join(
        f"X-Original-{name}: {', '.join(addresses[first : first + _ADDRESSES_PER_LINE])}\n"
        for name, people in (("To", original.to), ("Cc", original.cc))
        for addresses in [list(map(address_of, people))]
        for first in range(0, len(addresses), _ADDRESSES_PER_LINE)
    )
    redirected = replace_recipients(mail, Recipients((to,)))
    return Mail(mail.file_name, add_headers(redirected.content, headers))


def list_addresses(recipients: Recipients) -> set[str]:
    """Return the addresses of recipients, in lower case."""
    return {address_of(person) for person in recipients.to + recipients.cc}


def select_people(recipients: Recipients, addresses: Set[str]) -> Recipients:
    """Return the recipients whose addresses, in lower case, are among `addresses`."""
    return Recipients(
        tuple(person for person in recipients.to if address_of(person) in addresses),
        tuple(person for person in recipients.cc if address_of(person) in addresses),
    )


def _drop_people(recipients: Recipients, addresses: Set[str]) -> Recipients:
    return select_people(recipients, list_addresses(recipients) - addresses)


@lru_cache(maxsize=1 << 14)
def address_of(recipient: str) -> str:
    """Return the e-mail address in "Name <address>", in lower case."""
    return (email.utils.parseaddr(recipient)[1] or recipient).lower()


def find_aliases(repository: Repository) -> Callable[[str], bool]:
    """Return a function that returns whether a word is an alias (sendemail.aliasesFile).

    git is asked on its first use. That function raises ToolError if git cannot read the file of
    aliases.
    """

    @cache
    def list_aliases() -> frozenset[str]:
        if not repository.read_config("sendemail.aliasesFile"):
            return frozenset()
        args = ["git", "send-email", "--dump-aliases"]
        completed = run(args, cwd=repository.top, env=reading_environment(), ok=None)
        if completed.returncode != 0:
            raise explain_missing_module(completed.errors) or ToolError(
                f"git send-email cannot read the file of aliases: {completed.errors}",
                code="recipient-sources",
            )
        return frozenset(completed.stdout.decode("utf-8", "replace").split("\n"))

    return lambda name: name in list_aliases()
