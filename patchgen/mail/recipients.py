"""Who gets which mail of a series: what the tree's maintainers say, and what the user adds."""

from __future__ import annotations

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
