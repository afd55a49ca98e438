# SPDX-License-Identifier: GPL-2.0-or-later
"""Add the tags in replies to commit messages, and list those that are not added, with reasons."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from patchgen.controls import has_controls
from patchgen.errors import RefusedError
from patchgen.mail import UnreadableMail, has_garbled_name, split_readable
from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.model.series import Mail
from patchgen.replies.match import Match, Matcher, NoPatch
from patchgen.replies.patches import OtherVersion, Patches
from patchgen.replies.reply import Reply, parse_reply
from patchgen.replies.scopes import list_numbers
from patchgen.replies.tags import REPLY_TAGS, FoundTag
from patchgen.series.trailers import REVIEW_TAGS, Message, Trailer, parse_message

# One person, perhaps with a remark.
_ONE_PERSON = re.compile(
    r"[^<>@]*<[^<>\s@]+@[^<>\s@]+>(?:[ ]?[#(\[].*)?|[^<>\s@,;]+@[^<>\s@,;]+", re.DOTALL
)


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

    `index` counts the tags of all mails from 1, whether they are added or not, so it does not
    change when others are added. `targets` are the patches that get the tag if it is accepted, ()
    if it cannot be.
    """

    trailer: Trailer
    reply: Reply
    reason: str
    number: int | None
    index: int
    targets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class UntaggedReply:
    """A reply without a tag, perhaps a question. `number` is its patch, None the cover letter."""

    number: int | None
    reply: Reply


@dataclass(slots=True)
class CollectedTags:
    """The tags in all mails. `remarks` are about whole replies.

    `untagged` are the replies of others without a tag. `messages` are those of the commits that get
    tags, with these.
    """

    applied: list[AddedTag] = field(default_factory=list)
    not_applied: list[SkippedTag] = field(default_factory=list)
    unreadable: list[UnreadableMail] = field(default_factory=list)
    untagged: list[UntaggedReply] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    messages: dict[Oid, str] = field(default_factory=dict)


def match_tags(
    mails: Sequence[Mail],
    commits: Sequence[Commit],
    patches: Patches,
    own_mails: Sequence[Mail] = (),
    accepted: Sequence[int] = (),
) -> CollectedTags:
    """Return every tag of all replies, either with its patch or with a reason why it has none.

    `own_mails` are mails of the series itself, which replies may answer. `accepted` are indexes of
    tags to add although they are in doubt. Raises RefusedError if one of them cannot be added.
    """
    readable, unreadable = split_readable(mails)
    replies = [parse_reply(mail) for mail in readable]
    matcher = Matcher(patches, [*split_readable(own_mails)[0], *readable], replies)
    collector = _Collector(commits, replies)
    tags = collector.tags
    tags.unreadable += unreadable
    for reply in replies:
        # A posted patch has its own tags; only a reply gives tags to others.
        if reply.is_post:
            collector.list_own(reply)
            continue
        tags.remarks += [f"{reply}: {problem}" for problem in reply.mail.body.problems]
        found_tags = collector.drop_copies(reply)
        if not found_tags:
            collector.list_untagged(reply, matcher)
            continue
        match = matcher.find(reply)
        if isinstance(match, NoPatch):
            for tag in found_tags:
                collector.skip(tag, reply, match.reason)
            continue
        if match.remark:
            tags.remarks.append(f"{reply} answers patch {match.number}; {match.remark}")
        for tag in found_tags:
            collector.apply(tag, reply, match)
    for index in dict.fromkeys(accepted):
        collector.accept(index)
    return tags


class _Collector:
    """Decides on each tag of a reply for each patch, given the tags that were added before."""

    def __init__(self, commits: Sequence[Commit], replies: Sequence[Reply]):
        self.tags = CollectedTags()
        self._commits = commits
        self._messages = [parse_message(commit.message) for commit in commits]
        self._sources: dict[tuple[str, str], Reply] = {}
        for reply in replies:
            for key, tag in zip(_list_keys(reply), reply.tags, strict=True):
                source = self._sources.setdefault(key, reply)
                if tag.trailer.address == reply.sender != source.sender:
                    self._sources[key] = reply
        self._authors = {Trailer("", commit.author).address for commit in commits}
        self._index = 0

    def list_untagged(self, reply: Reply, matcher: Matcher) -> None:
        """List a reply of another person than an author, if it has no tag and is to the series.

        A copy of the same mail is not listed again.
        """
        if reply.tags or reply.sender in self._authors:
            return
        match = matcher.find(reply)
        listed = {other.reply.mail.message_id for other in self.tags.untagged} - {""}
        if isinstance(match, Match) and reply.mail.message_id not in listed:
            self.tags.untagged.append(UntaggedReply(match.number or None, reply))

    def drop_copies(self, reply: Reply) -> list[FoundTag]:
        """Return the tags of a reply, each from one copy of the mail only.

        If a mailing list has replaced From in some of them, it is the copy that is from the person.
        """
        tags = zip(_list_keys(reply), reply.tags, strict=True)
        has_id = bool(reply.mail.message_id)
        return [tag for key, tag in tags if not has_id or self._sources[key] is reply]

    def list_own(self, reply: Reply) -> None:
        """Report the sender's own tags in a posted mail, which may be a reply without "Re:".

        The tags of an author are part of the patch.
        """
        kind = "cover letter" if reply.mail.subject.number == 0 else "patch"
        reason = f"it is in a mail with the subject of a {kind}, not of a reply"
        for tag in () if reply.sender in self._authors else reply.tags:
            if tag.trailer.address == reply.sender and tag.trailer.key in REPLY_TAGS:
                self.skip(tag, reply, reason)

    def skip(self, tag: FoundTag, reply: Reply, reason: str) -> None:
        """Report a tag whose patch is unknown."""
        self._index += 1
        self._list_skipped(tag, reply, reason)

    def apply(self, tag: FoundTag, reply: Reply, match: Match) -> None:
        """Add a tag to its patches, or report why a patch does not get it."""
        self._index += 1
        # None for the cover letter, whose tags are for all patches.
        number = match.number or None
        all_numbers = tuple(range(1, len(self._commits) + 1))
        numbers = all_numbers if number is None else (number,)
        version = match.version
        stated = named = list_numbers(tag.scope.text)
        if version is not None:
            named = frozenset(version.numbers[n] for n in stated if n in version.numbers)
        is_restricted = not tag.scope.includes(number, named)
        reason = _find_problem(tag, reply)
        if not reason and is_restricted:
            where = "next to it" if tag.scope.is_near else "of the mail"
            reason = f'the text {where} restricts it to "{tag.scope.text}"'
            reason += f" of {version.name}" if version is not None else ""
        if reason:
            if is_restricted and stated:
                numbers = tuple(n for n in all_numbers if n in named)
            self._list_doubtful(tag, reply, reason, number, numbers, version)
            return
        for target in numbers:
            if reason := self._find_objection(tag.trailer, target):
                self._list_skipped(tag, reply, reason, target)
            elif version is not None and target in version.outdated:
                targets = (target,) if version.has(target) else ()
                self._list_skipped(tag, reply, version.outdated[target], target, targets)
            else:
                self._add(target, tag.trailer, reply, match.matched_by)

    def _list_doubtful(
        self,
        tag: FoundTag,
        reply: Reply,
        reason: str,
        number: int | None,
        numbers: Sequence[int],
        version: OtherVersion | None,
    ) -> None:
        """List a tag in doubt. Only the patches with the code that was read get it if accepted."""
        outdated = version.outdated if version is not None else {}
        for outdated_number in (n for n in numbers if n in outdated):
            where = f"patch {outdated_number}: " if number is None else ""
            reason += f"; {where}{outdated[outdated_number]}"
        targets = tuple(n for n in numbers if n not in outdated)
        targets = targets if _is_acceptable(tag.trailer) else ()
        self._list_skipped(tag, reply, reason, number, targets)

    def accept(self, index: int) -> None:
        """Add a tag that was skipped. Raises RefusedError if no patch can get it."""
        listed = [tag for tag in self.tags.not_applied if tag.index == index]
        if not listed:
            raise RefusedError(f"no tag with the number {index} is in doubt", code="tag-number")
        targets = [(tag, number) for tag in listed for number in tag.targets]
        if not targets:
            raise RefusedError(
                f"tag {index} cannot be added: {listed[0].reason}", code="tag-number"
            )
        refused = []
        for tag, number in targets:
            if reason := self._find_objection(tag.trailer, number):
                refused.append(replace(tag, reason=reason, number=number, targets=()))
            else:
                self._add(number, tag.trailer, tag.reply, "accepted")
        if len(refused) == len(targets):
            reasons = "; ".join(f"patch {tag.number}: {tag.reason}" for tag in refused)
            raise RefusedError(f"tag {index} cannot be added: {reasons}", code="tag-number")
        others = [tag for tag in self.tags.not_applied if tag.index != index or not tag.targets]
        self.tags.not_applied[:] = sorted([*others, *refused], key=lambda tag: tag.index)

    def _list_skipped(
        self,
        tag: FoundTag,
        reply: Reply,
        reason: str,
        number: int | None = None,
        targets: tuple[int, ...] = (),
    ) -> None:
        skipped = SkippedTag(tag.trailer, reply, reason, number, self._index, targets)
        self.tags.not_applied.append(skipped)

    def _add(self, number: int, trailer: Trailer, reply: Reply, matched_by: str) -> None:
        self._messages[number - 1] = message = _add_trailer(self._messages[number - 1], trailer)
        self.tags.messages[self._commits[number - 1].oid] = str(message)
        self.tags.applied.append(AddedTag(number, trailer, reply, matched_by))

    def _find_objection(self, trailer: Trailer, number: int) -> str:
        """Return why a patch cannot have a tag, "" if it can."""
        message, author = self._messages[number - 1], self._commits[number - 1].author
        identities = {present.identity for present in message.trailers}
        if trailer.key in REVIEW_TAGS and Trailer("", author).address == trailer.address:
            return "it is from the author of the patch"
        if trailer.identity in identities:
            return "the patch has it already"
        if trailer.key == "Acked-by" and ("reviewed-by", trailer.address) in identities:
            return "the patch has a Reviewed-by of the same person"
        return ""


def _list_keys(reply: Reply) -> list[tuple[str, str]]:
    return [(reply.mail.message_id, str(tag.trailer)) for tag in reply.tags]


def _is_acceptable(trailer: Trailer) -> bool:
    """Return whether the only doubt about a tag is who gave it, or for what."""
    text = str(trailer)
    is_clean = not has_controls(text, allow="\n") and not has_garbled_name(text)
    return trailer.key in REPLY_TAGS and is_clean and bool(_ONE_PERSON.fullmatch(trailer.value))


def _find_problem(tag: FoundTag, reply: Reply) -> str:
    """Return why no patch may get a tag, "" if one may."""
    trailer = tag.trailer
    if tag.problem:
        return tag.problem
    if trailer.key not in REPLY_TAGS:
        return f"a reply cannot give {trailer.key}"
    if not trailer.address:
        return "it names no address"
    if trailer.address != reply.sender:
        relation = reply.relate(trailer.value)
        return f"the mail is from {reply.sender or 'an unknown sender'}" + (
            relation and f"; {relation}"
        )
    return ""


def _add_trailer(message: Message, tag: Trailer) -> Message:
    """Return a message with a tag added; a review replaces the same person's ack."""
    if tag.key == "Reviewed-by":
        message, _ = message.without_trailers(
            lambda trailer: trailer.identity == ("acked-by", tag.address)
        )
    if tag.note and not any(trailer.name == "Signed-off-by" for trailer in message.trailers):
        # As a separate line it would not be a trailer, and git would read the paragraph as prose.
        tag = Trailer(tag.key, f"{tag.value} {tag.note}")
    return message.with_trailers([tag])
