"""Who gets which mail of a series: what the tree's maintainers say, and what the user adds."""

from __future__ import annotations

import email.utils
from collections.abc import Sequence
from dataclasses import dataclass

from patchgen.kernel import find_recipients, join_recipients
from patchgen.model.base import TreeReader
from patchgen.model.series import Mail, Recipients


@dataclass(frozen=True, slots=True)
class SeriesRecipients:
    """To and Cc of the cover letter, and of each patch in order."""

    cover: Recipients
    patches: tuple[Recipients, ...]


def address_patches(
    tree: TreeReader, patches: Sequence[Mail]
) -> tuple[SeriesRecipients, tuple[str, ...]]:
    """Return who gets each of the patches, and warnings."""
    found = find_recipients(tree, patches)
    if found is None:
        nobody = SeriesRecipients(Recipients(), tuple(Recipients() for _ in patches))
        return nobody, ("the base has no scripts/get_maintainer.pl: the mails have no To, Cc",)
    each = tuple(found[mail.file_name] for mail in patches)
    warnings = tuple(
        f"nobody maintains what {mail.file_name} changes"
        for mail, who in zip(patches, each, strict=True)
        if not who.to and not who.cc
    )
    return SeriesRecipients(join_recipients(each), each), warnings


def edit_recipients(
    found: SeriesRecipients, added: Recipients, removed: Recipients
) -> SeriesRecipients:
    """Return who gets the mails of a series when some get all of them, and others none."""
    return SeriesRecipients(
        _edit(found.cover, added, removed),
        tuple(_edit(each, added, removed) for each in found.patches),
    )


def _edit(found: Recipients, added: Recipients, removed: Recipients) -> Recipients:
    gone = {address_of(each) for each in removed.to + removed.cc}
    gone |= {address_of(each) for each in added.to + added.cc}
    to = [each for each in found.to if address_of(each) not in gone]
    cc = [each for each in found.cc if address_of(each) not in gone]
    return Recipients((*to, *added.to), (*cc, *added.cc))


def address_of(recipient: str) -> str:
    """Return the e-mail address in "Name <address>", in small letters."""
    return (email.utils.parseaddr(recipient)[1] or recipient).lower()
