"""A version that was posted without patchgen, recorded as b4 and patchgen record what they send.

So a reroll links to it, replies to it find their patches, and `verify --against vN` compares with
it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from patchgen.errors import BaseError, UsageError
from patchgen.mail import (
    is_patch,
    list_versions,
    newest_version,
    parse_mail,
    parse_subject,
    read_mails,
    read_message_id,
    read_subject,
)
from patchgen.model.base import Oid
from patchgen.model.series import Cover, Mail
from patchgen.odb import Checkout, Repository, rechain, record_sent
from patchgen.series import make_change_id, read_branch
from patchgen.verify import Target, open_target

# Below a cover letter's text: a cut, the signature, or the shortlog of git format-patch.
_END = re.compile(r"^---$|^-- $|^\S.* \(\d+\):\n  ", re.MULTILINE)
_CHANGE_ID = re.compile(r"^change-id: (\S+)$", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What the user asked for.

    `source` is an mbox, a folder of mails or a branch; `series` the branch of the series that it is
    a version of, `revision` that version: None means what the mails say, or the one before the
    branch's.
    """

    tree: Path
    source: str
    series: str | None = None
    revision: int | None = None
    base: str | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """What was recorded: the tag, the version, its commits' subjects, and its message-ids."""

    tag: str
    revision: int
    base: Oid
    tip: Oid
    subjects: tuple[str, ...]
    message_ids: tuple[str, ...]


def import_series(request: ImportRequest) -> Imported:
    """Record a version that was posted, as a tag on commits of its own.

    Raises a PatchgenError with nothing written.
    """
    repository = Repository(request.tree)
    try:
        with Checkout(repository) as checkout:
            target = open_target(
                repository, checkout, request.source, request.base, revision=request.revision
            )
            mails: list[Mail] = []
            if target.series is None:
                everything = read_mails(Path(request.source))
                mails = newest_version(everything, request.revision)
                _check_whole(request, everything, mails)
            cover = _choose_cover(target, mails)
            change_id, following = _identify(repository, checkout, request, target, cover, mails)
            revision = request.revision or _revision(mails) or following - 1
            if revision < 1:
                raise UsageError("which version it is cannot be told", hint="name it with -v N")
            base = target.base
            # Without the cover letter's commit, as b4 has it.
            tip = rechain(checkout, [commit.oid for commit in target.commits], base)[-1]
            _copy(repository, checkout, base, tip)
            signatures = repository.read_signatures()
            ids = tuple(_message_ids(mails))
            tag = record_sent(
                repository,
                change_id,
                revision,
                cover,
                base,
                tip,
                ids,
                signatures.committer,
                branch=request.series,
            )
            subjects = tuple(commit.subject for commit in target.commits)
            return Imported(tag, revision, base, tip, subjects, tuple(filter(None, ids)))
    finally:
        repository.close()


def _check_whole(request: ImportRequest, everything: list[Mail], mails: list[Mail]) -> None:
    """Refuse mails that are not all of the version that is meant."""
    versions = list_versions(everything)
    # What says no version at all may be any.
    if request.revision is not None and request.revision not in versions and versions != [1]:
        raise UsageError(
            f"{request.source} has {', '.join(f'v{each}' for each in versions)}, "
            f"and no v{request.revision}"
        )
    subjects = [read_subject(mail) for mail in mails if is_patch(mail)]
    total = max((each.total or 0 for each in subjects), default=0)
    missing = set(range(1, total + 1)) - {each.number for each in subjects}
    if missing:
        numbers = ", ".join(map(str, sorted(missing)))
        raise BaseError(f"{request.source} has not all {total} patches; there is no {numbers}")


def _identify(
    repository: Repository,
    checkout: Checkout,
    request: ImportRequest,
    target: Target,
    cover: Cover,
    mails: list[Mail],
) -> tuple[str, int]:
    """Return the change-id, and the version of the branch that goes on from it (0: none)."""
    if request.series is not None:
        tip = repository.find_ref(f"refs/heads/{request.series}")
        if tip is None:
            raise BaseError(
                f"there is no branch {request.series!r}", hint="`git branch` lists them"
            )
        tracking = read_branch(repository, checkout, request.series, tip).tracking
        if tracking is None:
            raise BaseError(
                f"{request.series} has no change-id: it has no cover letter's commit",
                hint="patchgen apply and b4 prep make one",
            )
        return tracking.change_id, tracking.revision
    if target.series is not None and target.series.tracking is not None:
        return target.series.tracking.change_id, 0
    for mail in mails:
        if match := _CHANGE_ID.search(mail.content.decode("utf-8", "replace")):
            return match[1], 0
    author = repository.read_signatures().author
    return make_change_id(cover.subject, cover.subject, author), 0


def _copy(repository: Repository, checkout: Checkout, base: Oid, tip: Oid) -> None:
    """Copy the commits above the base into the repository; the ref comes later."""
    words = ("pack-objects", "--revs", "--stdout", "-q")
    packed = checkout.run(*words, stdin=f"{tip}\n^{base}\n".encode())
    repository.run("unpack-objects", "-q", stdin=packed.stdout)


def _choose_cover(target: Target, mails: list[Mail]) -> Cover:
    """Return the cover letter of what is imported, or one that says that there was none."""
    if target.series is not None and target.series.cover is not None:
        return target.series.cover
    return _find_cover(mails, target.commits[0].subject)


def _find_cover(mails: list[Mail], fallback: str) -> Cover:
    """Return the cover letter among the mails; without one, the first patch gives its subject."""
    for mail in mails:
        message = parse_mail(mail)
        subject = read_subject(mail)
        if subject.number == 0 and not subject.is_reply:
            body = message.get_body(("plain",))
            text = str(body.get_content()) if body is not None else ""
            above = _END.split(text, maxsplit=1)[0]
            return Cover(subject.text, above.strip() + "\n")
    return Cover(parse_subject(fallback).text, "(posted without a cover letter)\n")


def _revision(mails: list[Mail]) -> int | None:
    for mail in mails:
        subject = read_subject(mail)
        if subject.is_patch and not subject.is_reply:
            return subject.revision
    return None


def _message_ids(mails: list[Mail]) -> list[str]:
    """Return the mails' message-ids by their numbers in the series; none unless all have one.

    That of the cover letter, the first, is "" where there was none.
    """
    found: dict[int, str] = {}
    for mail in mails:
        subject = read_subject(mail)
        number = subject.number
        if number is None and is_patch(mail):
            number = 1
        message_id = read_message_id(parse_mail(mail))
        if number is not None and not subject.is_reply and len(message_id.split()) == 1:
            found.setdefault(number, message_id)
    if 1 in found:
        found.setdefault(0, "")
    numbers = sorted(found)
    is_whole = numbers == list(range(len(numbers)))
    return [found[number] for number in numbers] if is_whole else []
