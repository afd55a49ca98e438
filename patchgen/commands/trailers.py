# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen trailers`: add the tags in replies to the patches that they are for."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from patchgen.controls import has_controls
from patchgen.errors import RefusedError
from patchgen.mail import UnreadableMail, has_garbled_name, read_mails, read_stream, split_readable
from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.model.series import Mail
from patchgen.odb import Quarantine, Repository, reparent
from patchgen.replies.lore import find_threads, read_threads
from patchgen.replies.match import Match, Matcher, NoPatch
from patchgen.replies.patches import COVER, Patches, describe_patches, read_own_mails
from patchgen.replies.reply import Reply, parse_reply
from patchgen.replies.scopes import list_numbers
from patchgen.replies.tags import GIVEN, FoundTag
from patchgen.series import read_branch, resolve_series
from patchgen.series.trailers import Message, Trailer, parse_message

# One person, perhaps with a remark.
_ONE_PERSON = re.compile(
    r"[^<>@]*<[^<>\s@]+@[^<>\s@]+>(?:[ ]?[#(\[].*)?|[^<>\s@,;]+@[^<>\s@,;]+", re.DOTALL
)
_FROM_OTHERS = frozenset({"Reviewed-by", "Acked-by", "Tested-by"})


@dataclass(frozen=True, slots=True)
class CollectRequest:
    """The parameters of `patchgen trailers`: the replies in `source`.

    It is "-" for standard input, None for the threads that `b4 mbox` fetched (replies/lore.py).

    `branch` None means the current branch. `start` is the commit below its first patch, None if the
    branch shows it. `accepted` are numbers of listed tags to add although they are in doubt.
    """

    tree: Path
    source: str | None
    branch: str | None = None
    start: str | None = None
    dry_run: bool = False
    accepted: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class AddedTag:
    """A tag that was added to a patch; `number` counts from 1."""

    number: int
    trailer: Trailer
    reply: Reply
    matched_by: str


@dataclass(frozen=True, slots=True)
class SkippedTag:
    """A tag that was not added, and why. `number` is its patch, None if that is unknown.

    `index` counts the tags of all mails from 1, whether they are added or not, so it stays the same
    when others are added. `targets` are the patches that get the tag if it is accepted: none if it
    cannot be.
    """

    trailer: Trailer
    reply: Reply
    reason: str
    number: int | None = None
    index: int = 0
    targets: tuple[int, ...] = ()


@dataclass(slots=True)
class CollectResult:
    """The result of collecting tags. `remarks` are about whole replies.

    `messages` are those of the commits that get tags, with these.
    """

    branch: str
    subjects: tuple[str, ...]
    applied: list[AddedTag] = field(default_factory=list)
    not_applied: list[SkippedTag] = field(default_factory=list)
    unreadable: list[UnreadableMail] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    messages: dict[Oid, str] = field(default_factory=dict)
    tip: Oid | None = None


def collect_trailers(request: CollectRequest) -> CollectResult:
    """Add the tags in replies to the commits of a branch that they are for.

    Only messages change, so the current branch may be moved. Raises a PatchgenError with nothing
    written.
    """
    mails = _read_source(request.source) if request.source is not None else []
    repository = Repository(request.tree)
    try:
        name, tip = resolve_series(repository, request.branch, has_start=request.start is not None)
        base = repository.resolve_commit(request.start) if request.start else None
        with Quarantine(repository) as quarantine:
            series = read_branch(repository, quarantine, name, tip, base)
            patches = describe_patches(repository, quarantine, series)
            own_mails = read_own_mails(repository, series)
            remarks: list[str] = []
            if request.source is None:
                mails, remarks = read_threads(find_threads(repository, series, own_mails))
            result = match_tags(mails, series.commits, patches, own_mails, request.accepted)
            result.branch = name
            result.remarks += remarks
            if result.messages and not request.dry_run:
                committer = repository.read_signatures().committer
                oids = [commit.oid for commit in series.commits]
                written = reparent(
                    quarantine, oids, series.start, messages=result.messages, committer=committer
                )
                reason = f"patchgen: trailers from {len(mails)} mails"
                quarantine.publish(f"refs/heads/{name}", written[-1], series.base, tip, reason)
                result.tip = written[-1]
            return result
    finally:
        repository.close()


def match_tags(
    mails: Sequence[Mail],
    commits: Sequence[Commit],
    patches: Patches,
    own_mails: Sequence[Mail] = (),
    accepted: Sequence[int] = (),
) -> CollectResult:
    """Return every tag of all replies, either with its patch or with a reason why it has none.

    `own_mails` are mails of the series itself, which replies may answer. `accepted` are indexes of
    tags to add although they are in doubt. Raises RefusedError if one of them cannot be added.
    """
    readable, unreadable = split_readable(mails)
    replies = [parse_reply(mail) for mail in readable]
    matcher = Matcher(patches, [*split_readable(own_mails)[0], *readable], replies)
    result = CollectResult("", tuple(commit.subject for commit in commits))
    result.unreadable += unreadable
    judge = _TagJudge(commits, result, replies)
    for reply in replies:
        # A posted patch has its own tags; only a reply gives tags to others.
        if reply.is_post:
            judge.list_own(reply)
            continue
        result.remarks += [f"{reply}: {problem}" for problem in reply.mail.body.problems]
        tags = judge.drop_copies(reply)
        if not tags:
            continue
        match = matcher.find(reply)
        if isinstance(match, NoPatch):
            for tag in tags:
                judge.skip(tag, reply, match.reason)
            continue
        if match.remark:
            result.remarks.append(f"{reply} answers patch {match.number}; {match.remark}")
        for tag in tags:
            judge.apply(tag, reply, match)
    for index in dict.fromkeys(accepted):
        judge.accept(index)
    return result


class _TagJudge:
    """Decides on each tag of a reply for each patch, given the tags that were added before."""

    def __init__(self, commits: Sequence[Commit], result: CollectResult, replies: Sequence[Reply]):
        self._commits = commits
        self._messages = [parse_message(commit.message) for commit in commits]
        self._result = result
        self._sources: dict[tuple[str, str], Reply] = {}
        for reply in replies:
            for key, tag in zip(_list_keys(reply), reply.tags, strict=True):
                source = self._sources.setdefault(key, reply)
                if tag.trailer.address == reply.sender != source.sender:
                    self._sources[key] = reply
        self._index = 0

    def drop_copies(self, reply: Reply) -> list[FoundTag]:
        """Return the tags of a reply, each from one copy of the mail only.

        If a mailing list has replaced From in some of them, it is the copy that is from the person.
        """
        tags = zip(_list_keys(reply), reply.tags, strict=True)
        is_known = bool(reply.mail.message_id)
        return [tag for key, tag in tags if not is_known or self._sources[key] is reply]

    def list_own(self, reply: Reply) -> None:
        """Report the sender's own tags in a posted mail, which may be a reply without "Re:".

        The tags of an author are part of the patch.
        """
        authors = {Trailer("", commit.author).address for commit in self._commits}
        kind = "cover letter" if reply.mail.subject.number == 0 else "patch"
        reason = f"it is in a mail with the subject of a {kind}, not of a reply"
        for tag in () if reply.sender in authors else reply.tags:
            if tag.trailer.address == reply.sender and tag.trailer.key in GIVEN:
                self.skip(tag, reply, reason)

    def skip(self, tag: FoundTag, reply: Reply, reason: str) -> None:
        """Report a tag whose patch is unknown."""
        self._index += 1
        skipped = SkippedTag(tag.trailer, reply, reason, index=self._index)
        self._result.not_applied.append(skipped)

    def apply(self, tag: FoundTag, reply: Reply, match: Match) -> None:
        """Add a tag to its patches, or report why a patch does not get it."""
        self._index += 1
        trailer, asked = tag.trailer, match.number or None
        everything = tuple(range(1, len(self._commits) + 1))
        numbers = everything if match.number == COVER else (match.number,)
        reason = _refuse(tag, reply)
        if not reason and not tag.scope.includes(asked):
            where = "next to it" if tag.scope.is_near else "of the mail"
            reason = f'the text {where} restricts it to "{tag.scope.text}"'
        if reason:
            named = list_numbers(tag.scope.text) if not tag.scope.includes(asked) else set()
            targets = tuple(n for n in everything if n in named) if named else numbers
            targets = targets if _is_acceptable(trailer) else ()
            skipped = SkippedTag(trailer, reply, reason, asked, self._index, targets)
            self._result.not_applied.append(skipped)
            return
        for number in numbers:
            outdated = match.outdated.get(number)
            if reason := self._refuse_here(trailer, number):
                skipped = SkippedTag(trailer, reply, reason, number, self._index)
                self._result.not_applied.append(skipped)
            elif outdated:
                skipped = SkippedTag(trailer, reply, outdated, number, self._index, (number,))
                self._result.not_applied.append(skipped)
            else:
                self._add(number, trailer, reply, match.matched_by)

    def accept(self, index: int) -> None:
        """Add a tag that was skipped. Raises RefusedError if that is impossible."""
        listed = [tag for tag in self._result.not_applied if tag.index == index]
        if not listed:
            raise RefusedError(f"no tag with the number {index} is in doubt")
        if not any(tag.targets for tag in listed):
            raise RefusedError(f"tag {index} cannot be added: {listed[0].reason}")
        reasons: list[str] = []
        for tag in listed:
            for number in tag.targets:
                if reason := self._refuse_here(tag.trailer, number):
                    reasons.append(f"patch {number}: {reason}")
                else:
                    self._add(number, tag.trailer, tag.reply, "accepted")
        if len(reasons) == sum(len(tag.targets) for tag in listed):
            raise RefusedError(f"tag {index} cannot be added: {'; '.join(reasons)}")
        self._result.not_applied[:] = [
            tag for tag in self._result.not_applied if tag.index != index or not tag.targets
        ]

    def _add(self, number: int, trailer: Trailer, reply: Reply, matched_by: str) -> None:
        self._messages[number - 1] = message = _add(self._messages[number - 1], trailer)
        self._result.messages[self._commits[number - 1].oid] = str(message)
        self._result.applied.append(AddedTag(number, trailer, reply, matched_by))

    def _refuse_here(self, trailer: Trailer, number: int) -> str:
        return _refuse_here(trailer, self._messages[number - 1], self._commits[number - 1].author)


def _list_keys(reply: Reply) -> list[tuple[str, str]]:
    return [(reply.mail.message_id, str(tag.trailer)) for tag in reply.tags]


def _is_acceptable(trailer: Trailer) -> bool:
    """Return whether the only doubt about a tag is who gave it, or for what."""
    text = str(trailer)
    is_clean = not has_controls(text, allow="\n") and not has_garbled_name(text)
    return trailer.key in GIVEN and is_clean and bool(_ONE_PERSON.fullmatch(trailer.value))


def _refuse(tag: FoundTag, reply: Reply) -> str:
    """Return why no patch may get a tag, "" if one may."""
    trailer = tag.trailer
    if tag.problem:
        return tag.problem
    if trailer.key not in GIVEN:
        return f"a reply cannot give {trailer.key}"
    if not trailer.address:
        return "it names no address"
    if trailer.address != reply.sender:
        relation = reply.relate(trailer.value)
        return f"the mail is from {reply.sender or 'nobody'}" + (relation and f"; {relation}")
    return ""


def _refuse_here(tag: Trailer, message: Message, author: str) -> str:
    """Return why this patch does not get a tag, "" if it does."""
    if tag.key in _FROM_OTHERS and Trailer("", author).address == tag.address:
        return "it is from the author of the patch"
    if tag.identity in {trailer.identity for trailer in message.trailers}:
        return "the patch has it already"
    if tag.key == "Acked-by" and ("reviewed-by", tag.address) in _identities(message):
        return "there is a Reviewed-by of the same person"
    return ""


def _add(message: Message, tag: Trailer) -> Message:
    """Return a message with a tag added; a review replaces the same person's ack."""
    if tag.key == "Reviewed-by":
        message, _ = message.without_trailers(
            lambda trailer: trailer.identity == ("acked-by", tag.address)
        )
    if tag.note and not any(trailer.name == "Signed-off-by" for trailer in message.trailers):
        # As a separate line it would not be a trailer, and git would read the paragraph as prose.
        tag = Trailer(tag.key, f"{tag.value} {tag.note}")
    return message.with_trailers([tag])


def _identities(message: Message) -> set[tuple[str, str]]:
    return {trailer.identity for trailer in message.trailers}


def _read_source(source: str) -> list[Mail]:
    if source != "-":
        return read_mails(Path(source))
    return read_stream(sys.stdin.buffer, "standard input")
