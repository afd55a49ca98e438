# SPDX-License-Identifier: GPL-2.0-or-later
"""Versions that were sent: annotated tags `sent/CHANGE-ID-vN`, as b4 makes them.

Format (ez.py, cmd_send() and get_base_changeid_from_tag(), b4 0.12 to 0.16): the tag points at the
last patch of a line of commits on the base, without the cover letter's commit. Its message is

    SUBJECT
                                  (an empty line, the cover letter's body)
    ---
    base-commit: OID
    change-id: CHANGE-ID

and, if patchgen sent or imported it, one line `message-id: ID` for each mail, the cover letter's
first ("-" if it was imported without one). b4 reads the lines that it knows and ignores the
others. Up to 0.12 it looks for `sent/BRANCH-vN`, where BRANCH is the checked-out one,
so `list_branch_tags` gives tags these names, too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from patchgen.errors import RefusedError
from patchgen.model.base import Oid
from patchgen.model.series import Cover, Identity
from patchgen.odb.repository import Repository

_PREFIX = "sent/"
_FIELD = re.compile(r"^(?P<key>base-commit|change-id|message-id): *(?P<value>\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SentVersion:
    """A version that was sent. `message_ids` are without brackets, () if they are not recorded.

    The first one is the cover letter's, "" if the version had none. `time` is that of the tag, in
    seconds since 1970.
    """

    tag: str
    revision: int
    base: Oid
    tip: Oid
    message_ids: tuple[str, ...] = ()
    change_id: str = ""
    time: int = 0


def name_sent_tag(change_id: str, revision: int) -> str:
    """Return the name of the tag of a version."""
    return f"{_PREFIX}{change_id}-v{revision}"


def record_sent(
    repository: Repository,
    change_id: str,
    revision: int,
    cover: Cover,
    base: Oid,
    tip: Oid,
    message_ids: Sequence[str],
    tagger: Identity,
    *,
    branch: str | None = None,
) -> str:
    """Tag a version whose commits the repository has, and return the tag's name.

    In the same transaction, all versions of the series get the tag names by which b4 0.12 finds
    them while `branch` is checked out. Raises RefusedError if the tag exists, because a version is
    sent only once, or if git cannot write it.
    """
    tag = name_sent_tag(change_id, revision)
    message = _format_message(cover, base, change_id, message_ids)
    content = f"object {tip}\ntype commit\ntag {tag}\ntagger {tagger}\n\n{message}"
    oid = Oid(repository.run("mktag", stdin=content.encode()).stdout.decode().strip())
    refs = {f"refs/tags/{tag}": oid}
    if branch is not None:
        refs |= list_branch_tags(repository, change_id, branch)
        name = _branch_tag(branch, revision)
        if repository.find_ref(name) is None:
            refs[name] = oid
    commands = [f"create {name} {value}" for name, value in refs.items()]
    try:
        repository.change_refs(commands, written=f"the tag {tag}")
    except RefusedError as err:
        if repository.find_ref(f"refs/tags/{tag}") is None:
            reason = f"the tag {tag} cannot be written: {err.message}"
            raise RefusedError(reason, code="ref-unwritable", hint=err.hint) from None
        raise RefusedError(
            f"v{revision} is already recorded as sent: the tag {tag} exists",
            code="already-sent",
            hint=f"`git tag -d {tag}` removes the record",
        ) from None
    return tag


def _format_message(cover: Cover, base: Oid, change_id: str, message_ids: Sequence[str]) -> str:
    """Return the message of a tag, in the format of this module's docstring."""
    fields = [f"base-commit: {base}", f"change-id: {change_id}"]
    fields += [f"message-id: {message_id or '-'}" for message_id in message_ids]
    footer = "\n".join(fields)
    return f"{cover.subject}\n\n{cover.body}\n---\n{footer}\n"


def list_branch_tags(repository: Repository, change_id: str, branch: str) -> dict[str, Oid]:
    """Return the refs by which b4 0.12 finds a branch's sent versions, and the tags they name.

    Refs that exist are left out.
    """
    refs = {}
    for sent in read_sent(repository, change_id):
        name = _branch_tag(branch, sent.revision)
        oid = repository.find_ref(f"refs/tags/{sent.tag}")
        if oid is not None and repository.find_ref(name) is None:
            refs[name] = oid
    return refs


def _branch_tag(branch: str, revision: int) -> str:
    return f"refs/tags/{_PREFIX}{branch.removeprefix('b4/')}-v{revision}"


def find_sent(repository: Repository, tag: str) -> SentVersion | None:
    """Return the version that a tag sent/... records, None if the tag does not exist."""
    name = tag.removeprefix("refs/tags/")
    versions = _list(repository, f"refs/tags/{name}") if name.startswith(_PREFIX) else ()
    return versions[0] if versions else None


def read_sent(repository: Repository, change_id: str) -> tuple[SentVersion, ...]:
    """Return the versions of a series that were sent, oldest first, each once.

    A tag that b4 0.12 named after the branch is included if it names the change-id.
    """
    versions: dict[int, SentVersion] = {}
    for sent in list_sent(repository):
        if sent.tag == name_sent_tag(change_id, sent.revision):
            versions[sent.revision] = sent
        elif sent.change_id == change_id:
            versions.setdefault(sent.revision, sent)
    return tuple(versions[revision] for revision in sorted(versions))


def list_sent(repository: Repository) -> tuple[SentVersion, ...]:
    """Return the versions that all tags sent/... record, oldest first."""
    return _list(repository, "refs/tags/" + _PREFIX.rstrip("/"))


def _list(repository: Repository, pattern: str) -> tuple[SentVersion, ...]:
    values = ("refname:lstrip=2", "*objectname", "taggerdate:unix", "contents")
    line = "".join(f"%({value})%00" for value in values) + "%01"
    listed = repository.run("for-each-ref", f"--format={line}", pattern).stdout
    versions = []
    for entry in listed.decode("utf-8", "replace").split("\0\x01\n")[:-1]:
        tag, tip, time, message = entry.split("\0", 3)
        version = re.search(r"-v(\d+)$", tag)
        # Only lines below the last cut: the cover letter may quote fields, too.
        fields = [(match["key"], match["value"]) for match in _FIELD.finditer(_footer(message))]
        bases = [value for key, value in fields if key == "base-commit"]
        if version is None or not tip or not bases:
            continue
        ids = tuple(
            "" if value == "-" else value.strip("<>")
            for key, value in fields
            if key == "message-id"
        )
        names = [value for key, value in fields if key == "change-id"]
        name = names[-1] if names else ""
        versions.append(
            SentVersion(
                tag=tag,
                revision=int(version[1]),
                base=Oid(bases[-1]),
                tip=Oid(tip),
                message_ids=ids,
                change_id=name,
                time=int(time or 0),
            )
        )
    return tuple(sorted(versions, key=lambda version: version.revision))


def _footer(message: str) -> str:
    return message.rpartition("\n---\n")[2]
