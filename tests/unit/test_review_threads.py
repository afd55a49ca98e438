# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole threads of generated mails: no tag on a wrong patch, and none lost."""

from __future__ import annotations

import io

from hypothesis import given, strategies as st

from patchgen.mail import Subject, read_stream
from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.odb.difftext import digest_changes, list_changes
from patchgen.replies.collect import CollectedTags, match_tags
from patchgen.replies.patches import Patches
from tests.support.examples import examples
from tests.support.posted_versions import COVER, Version
from tests.support.review_threads import AUTHOR, CHANGE_ID, Statement, Thread, make_thread


def describe_branch(thread: Thread) -> tuple[list[Commit], Patches]:
    """Return the commits of the branch, and what the repository has recorded of its versions."""
    current = thread.current
    signed = f"\n\nBecause.\n\nSigned-off-by: {AUTHOR}\n"
    commits = [
        Commit(Oid(str(patch.number)), Oid("t"), AUTHOR, AUTHOR, patch.subject + signed, ())
        for patch in current.patches
    ]
    patches = Patches(
        {mail.number: mail.subject for mail in current.mails},
        {digest_changes(patch.diff): patch.number for patch in current.patches},
        {mail.message_id: mail.number for mail in current.mails},
        changes={patch.number: list_changes(patch.diff.split("\n")) for patch in current.patches},
        revision=current.number,
        change_id=CHANGE_ID,
    )
    for version in thread.versions:
        if version.is_recorded and version is not current:
            record(patches, version, current)
    return commits, patches


def record(patches: Patches, version: Version, current: Version) -> None:
    """Record an earlier version in the way of `describe_patches`."""
    same = {patch.number: patch.patch for patch in version.patches if patch.is_same}
    subjects = {patch.number: Subject(patch.subject) for patch in version.patches}
    other = patches.compare(f"v{version.number}", subjects, same)
    patches.versions_by_mail.update({mail.message_id: other for mail in version.mails})
    purposes = {patch.subject: patch.number for patch in current.patches}
    for mail in version.mails:
        number = mail.patch if mail.is_same else purposes.get(mail.subject)
        number = COVER if mail.number == COVER else number
        if number is None:
            patches.dropped_by_mail[mail.message_id] = f"v{version.number} {mail.number}"
        else:
            patches.numbers_by_mail[mail.message_id] = number


def check(thread: Thread, tags: CollectedTags) -> None:
    """Compare what became of each tag with the truth."""
    statements = {(one.mail_id, one.key): one for one in thread.statements}
    for added in tags.applied:
        statement = statements[added.reply.mail.message_id, added.trailer.key]
        assert added.number in statement.permitted, added
        assert str(added.trailer).startswith(statement.line)
    for skipped in tags.not_applied:
        statement = statements[skipped.reply.mail.message_id, skipped.trailer.key]
        is_outdated = skipped.reason.startswith("the patch has changed since")
        expected = statement.meant if is_outdated else statement.read
        assert set(skipped.targets) <= expected, skipped
    for statement in statements.values():
        check_statement(statement, tags)


def check_statement(statement: Statement, tags: CollectedTags) -> None:
    key = (statement.mail_id, statement.key)
    added = {
        tag.number for tag in tags.applied if (tag.reply.mail.message_id, tag.trailer.key) == key
    }
    listed = {
        tag.number
        for tag in tags.not_applied
        if (tag.reply.mail.message_id, tag.trailer.key) == key
    }
    assert added or listed, f"lost: {statement}"
    if None not in listed:
        assert statement.permitted <= added | listed, statement
    if statement.is_certain:
        for number in statement.permitted - added:
            message = tags.messages.get(Oid(str(number)), "")
            has_more = f"Reviewed-by: {statement.person}" in message
            assert statement.line in message or has_more, statement


@examples(2000, part=60)
@given(st.integers(0, 2**32), st.integers(1, 12))
def test_no_tag_of_a_thread_gets_to_a_wrong_patch_and_none_is_lost(seed, size):
    thread = make_thread(seed, size)
    commits, patches = describe_branch(thread)
    mails = read_stream(io.BytesIO(thread.box), "box")
    check(thread, match_tags(mails, commits, patches))
