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
    newest_version,
    parse_mail,
    parse_subject,
    read_mails,
    read_message_id,
    read_subject,
)
from patchgen.model.base import Oid
from patchgen.model.series import Cover, Mail
from patchgen.odb import Checkout, Repository, name_for_branch, record_sent
from patchgen.series import make_change_id, read_branch
from patchgen.verify import open_target

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
            target = open_target(repository, checkout, request.source, request.base)
            path = Path(request.source)
            mails = newest_version(read_mails(path)) if path.exists() else []
            cover = _find_cover(mails, target.commits[0].subject)
            change_id, following = _identify(repository, request, cover, mails)
            revision = request.revision or _revision(mails) or following - 1
            if revision < 1:
                raise UsageError("which version it is cannot be told", hint="name it with -v N")
            base = target.base
            _copy(repository, checkout, base, target.tip)
            signatures = repository.read_signatures()
            ids = tuple(_message_ids(mails))
            tag = record_sent(
                repository,
                change_id,
                revision,
                cover,
                base,
                target.tip,
                ids,
                signatures.committer,
            )
            if request.series is not None:
                name_for_branch(repository, change_id, request.series)
            subjects = tuple(commit.subject for commit in target.commits)
            return Imported(tag, revision, base, target.tip, subjects, ids)
    finally:
        repository.close()


def _identify(
    repository: Repository, request: ImportRequest, cover: Cover, mails: list[Mail]
) -> tuple[str, int]:
    """Return the change-id, and the version of the branch that goes on from it (0: none)."""
    if request.series is not None:
        tip = repository.find_ref(f"refs/heads/{request.series}")
        if tip is None:
            raise BaseError(
                f"there is no branch {request.series!r}", hint="`git branch` lists them"
            )
        tracking = read_branch(repository, repository, request.series, tip).tracking
        if tracking is None:
            raise BaseError(
                f"{request.series} has no change-id: it has no cover letter's commit",
                hint="patchgen apply and b4 prep make one",
            )
        return tracking.change_id, tracking.revision
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
    """Return the mails' message-ids by their numbers in the series; none unless all have one."""
    found: dict[int, str] = {}
    for mail in mails:
        message = parse_mail(mail)
        subject = read_subject(mail)
        message_id = read_message_id(message)
        if subject.number is not None and message_id and not subject.is_reply:
            found.setdefault(subject.number, message_id)
    numbers = sorted(found)
    is_whole = bool(numbers) and numbers == list(range(len(numbers)))
    return [found[number] for number in numbers] if is_whole else []
