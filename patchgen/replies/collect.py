"""`patchgen trailers`: the tags of all answers put on the patches that they are for."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from patchgen.errors import BaseError
from patchgen.mail import read_mails, split_mbox
from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.model.series import Mail
from patchgen.odb import Quarantine, Repository, read_commits, read_sent, read_substances, rechain
from patchgen.replies.match import COVER, Matcher, Patches
from patchgen.replies.reply import Reply, parse_reply
from patchgen.series import SeriesBranch, Tracking, make_message_id, read_branch
from patchgen.series.trailers import Message, Trailer, parse_message

# What an answer can say of a patch. The rest is for its author, or for whoever applies it.
_GIVEN = frozenset({"Reviewed-by", "Acked-by", "Tested-by", "Reported-by", "Suggested-by"})
_OF_OTHERS = frozenset({"Reviewed-by", "Acked-by", "Tested-by"})


@dataclass(frozen=True, slots=True)
class CollectRequest:
    """What the user asked for: the answers in `source` ("-" is standard input) for a branch.

    `branch` None means the one that is checked out.
    """

    tree: Path
    source: str
    branch: str | None = None
    base: str | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Applied:
    """A tag that a patch got; `number` counts from 1."""

    number: int
    trailer: Trailer
    reply: Reply
    how: str


@dataclass(frozen=True, slots=True)
class NotApplied:
    """A tag that no patch got, and why. `number` is None where it is not known for which."""

    trailer: Trailer
    reply: Reply
    reason: str
    number: int | None = None


@dataclass(slots=True)
class CollectResult:
    """What came of it. `remarks` are about answers as a whole."""

    branch: str
    subjects: tuple[str, ...]
    applied: list[Applied] = field(default_factory=list)
    not_applied: list[NotApplied] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    tip: Oid | None = None


def collect_trailers(request: CollectRequest) -> CollectResult:
    """Put the tags in answers on the commits of a branch, each in its place.

    Only messages change; so a branch that is checked out may be moved. Raises a PatchgenError with
    nothing written.
    """
    mails = _read_source(request.source)
    repository = Repository(request.tree)
    try:
        name, tip = repository.resolve_branch(request.branch)
        base = repository.resolve_commit(request.base) if request.base else None
        with Quarantine(repository) as quarantine:
            series = read_branch(repository, quarantine, name, tip, base)
            patches = _describe_patches(repository, quarantine, series)
            result = match_tags(mails, series.commits, patches, _PatchIds(quarantine))
            result.branch = name
            messages = add_tags(series.commits, result.applied)
            if messages and not request.dry_run:
                who = repository.read_signatures().committer
                oids = [commit.oid for commit in series.commits]
                written = rechain(quarantine, oids, series.start, messages=messages, committer=who)
                reason = f"patchgen: trailers from {len(mails)} mails"
                quarantine.publish(f"refs/heads/{name}", written[-1], series.base, tip, reason)
                result.tip = written[-1]
            return result
    finally:
        repository.close()


def match_tags(
    mails: Sequence[Mail], commits: Sequence[Commit], patches: Patches, patch_id: _PatchIds
) -> CollectResult:
    """Return every tag of all answers, either with the patch that gets it or with a reason."""
    replies = [parse_reply(mail) for mail in mails]
    matcher = Matcher(patches, patch_id)
    matcher.learn(mails, replies)
    result = CollectResult("", tuple(commit.subject for commit in commits))
    messages = [parse_message(commit.message) for commit in commits]
    for reply in replies:
        if reply.problem:
            result.remarks.append(f"{reply} {reply.problem}")
        # What somebody posts himself has his own tags; only what is answered gives some.
        if not reply.tags or (reply.subject.is_patch and not reply.subject.is_reply):
            continue
        match = matcher.find(reply)
        if match is None:
            for tag in reply.tags:
                reason = "it cannot be told which patch it is for"
                result.not_applied.append(NotApplied(tag, reply, reason))
            continue
        if match.remark:
            result.remarks.append(f"{reply} answers patch {match.number}; {match.remark}")
        numbers = range(1, len(commits) + 1) if match.number == COVER else [match.number]
        for tag in reply.tags:
            if reason := _refuse(tag, reply):
                number = match.number or None
                result.not_applied.append(NotApplied(tag, reply, reason, number))
                continue
            for number in numbers:
                if version := match.outdated.get(number):
                    reason = f"the patch is not as it was in {version}"
                    result.not_applied.append(NotApplied(tag, reply, reason, number))
                    continue
                author = commits[number - 1].author
                if reason := _refuse_here(tag, messages[number - 1], author):
                    result.not_applied.append(NotApplied(tag, reply, reason, number))
                else:
                    messages[number - 1] = _add(messages[number - 1], tag)
                    result.applied.append(Applied(number, tag, reply, match.how))
    return result


def add_tags(commits: Sequence[Commit], applied: Sequence[Applied]) -> Mapping[Oid, str]:
    """Return the new messages of the commits that get tags."""
    messages: dict[Oid, Message] = {}
    for each in applied:
        commit = commits[each.number - 1]
        message = messages.get(commit.oid) or parse_message(commit.message)
        messages[commit.oid] = _add(message, each.trailer)
    return {oid: str(message) for oid, message in messages.items()}


class _PatchIds:
    """git-patch-id(1) of texts."""

    def __init__(self, quarantine: Quarantine):
        self._quarantine = quarantine

    def __call__(self, text: bytes) -> str:
        words = self._quarantine.run("patch-id", "--stable", stdin=text, ok=None).stdout.split()
        return words[0].decode() if words else ""


def _refuse(tag: Trailer, reply: Reply) -> str:
    """Return why no patch gets a tag, "" where one may."""
    if tag.key not in _GIVEN:
        return f"{tag.key} is nothing that an answer gives"
    if not tag.address:
        return "it names no address"
    if tag.address != reply.sender:
        return f"the mail is from {reply.sender or 'nobody'}"
    return ""


def _refuse_here(tag: Trailer, message: Message, author: str) -> str:
    """Return why this patch does not get a tag, "" where it does."""
    if tag.key in _OF_OTHERS and Trailer("", author).address == tag.address:
        return "it is the author's own patch"
    if tag.identity in {each.identity for each in message.trailers}:
        return "it is there already"
    if tag.key == "Acked-by" and ("reviewed-by", tag.address) in _identities(message):
        return "there is a Reviewed-by of the same person"
    return ""


def _add(message: Message, tag: Trailer) -> Message:
    """Return a message with a tag; a review takes the place of the same person's ack."""
    if tag.key == "Reviewed-by":
        message, _ = message.without_trailers(
            lambda each: each.identity == ("acked-by", tag.address)
        )
    return message.with_trailers([tag])


def _identities(message: Message) -> set[tuple[str, str]]:
    return {each.identity for each in message.trailers}


def _describe_patches(
    repository: Repository, quarantine: Quarantine, series: SeriesBranch
) -> Patches:
    """Return what answers can be known by: subjects, changes, message-ids of all versions."""
    subjects = {number: commit.subject for number, commit in enumerate(series.commits, 1)}
    if series.cover is not None:
        subjects[COVER] = series.cover.subject
    patch_id = _PatchIds(quarantine)
    patch_ids = {}
    for number, commit in enumerate(series.commits, 1):
        shown = quarantine.run("diff-tree", "-p", "--no-commit-id", commit.oid).stdout
        if known := patch_id(shown):
            patch_ids[known] = number
    posted = {}
    outdated: dict[str, Mapping[int, str]] = {}
    tracking = series.tracking
    if tracking is not None:
        sender = repository.read_signatures().committer.email
        for number in range(len(series.commits) + 1):
            message_id = make_message_id(tracking.change_id, tracking.revision, number, sender)
            posted[message_id] = number
        posted |= _read_posted(repository, quarantine, series, tracking, outdated)
        for ids in tracking.history.values():
            posted = {**dict.fromkeys(ids[:1], COVER), **posted}
    return Patches(subjects, patch_ids, posted, outdated)


def _read_posted(
    repository: Repository,
    quarantine: Quarantine,
    series: SeriesBranch,
    tracking: Tracking,
    outdated: dict[str, Mapping[int, str]],
) -> dict[str, int]:
    """Return the message-ids of versions that went out, with the patch that each is today.

    Patches that are not as they were in a version go into `outdated`.
    """
    substances = read_substances(quarantine, series.start, series.tip)
    today = {substances[commit.oid]: n for n, commit in enumerate(series.commits, 1)}
    named = {commit.subject: n for n, commit in enumerate(series.commits, 1)}
    posted: dict[str, int] = {}
    for sent in read_sent(repository, tracking.change_id):
        version = f"v{sent.revision}"
        commits = read_commits(quarantine, sent.base, sent.tip)
        known = tracking.history.get(version, ())
        ids = sent.message_ids or _guess_ids(known, sent.revision, len(commits))
        if not ids:
            continue
        changes = read_substances(quarantine, sent.base, sent.tip)
        changed = dict.fromkeys(range(1, len(series.commits) + 1), version)
        posted |= dict.fromkeys(filter(None, ids[:1]), COVER)
        for number_then, commit in enumerate(commits, 1):
            number = named.get(commit.subject) or today.get(changes[commit.oid])
            if number is None:
                continue
            if substances[series.commits[number - 1].oid] == changes[commit.oid]:
                changed.pop(number, None)
            if number_then < len(ids):
                posted[ids[number_then]] = number
        for message_id in ids:
            outdated[message_id] = changed
    return posted


def _guess_ids(cover: Sequence[str], revision: int, count: int) -> tuple[str, ...]:
    """Return the message-ids of a version of which b4 noted that of the cover letter.

    Those of its patches have their number where that one has a 0 (make_msgid_tpt() in b4's ez.py).
    """
    if not cover:
        return ()
    head, mark, tail = cover[0].partition(f"-v{revision}-0-")
    numbers = range(1, count + 1) if mark else ()
    return (cover[0], *(f"{head}-v{revision}-{number}-{tail}" for number in numbers))


def _read_source(source: str) -> list[Mail]:
    if source != "-":
        return read_mails(Path(source))
    mails = split_mbox(sys.stdin.buffer.read(), "stdin")
    if not mails:
        raise BaseError("there are no mails on standard input")
    return mails
