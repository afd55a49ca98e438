# SPDX-License-Identifier: GPL-2.0-or-later
"""Format a series as mails: git format-patch, with patchgen's headers and cover letter.

The cover letter has b4's layout (DEFAULT_COVER_TEMPLATE in ez.py, 0.12 to 0.16), so that the mails
of patchgen and of `b4 send` for one branch read the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from patchgen.addresses import Person
from patchgen.mail.headers import (
    add_headers,
    address_headers,
    check_headers,
    replace_sender,
)
from patchgen.mail.recipients import SeriesRecipients
from patchgen.model.base import Oid
from patchgen.model.series import Cover, Identity, Mail
from patchgen.odb import Quarantine, sort_patches
from patchgen.scratch import scratch_folder
from patchgen.series import Tracking, digest_content, make_message_id

# The width that `git show --patch-with-stat`, and so b4, uses without a terminal.
_STAT_WIDTH = 80
# The description of a branch becomes the cover letter. The name itself is in no mail.
_BRANCH = "series"
_FROM = re.compile(rb"\AFrom [0-9a-f]+")
_SIGNATURE = re.compile(rb"\n-- \n([\d.]+[^\n]*)\n\n*\Z")


def format_mails(
    quarantine: Quarantine,
    base: Oid,
    start: Oid,
    tip: Oid,
    cover: Cover,
    tracking: Tracking,
    sender: Identity,
    in_reply_to: str = "",
) -> list[Mail]:
    """Return the cover letter and the patches, in order, as a thread.

    The patches are the commits above `start` up to `tip`; `start` has the tree of `base`. The cover
    letter answers the mail `in_reply_to`, unless that is None.
    """
    text = _cover_text(quarantine, base, f"{start}..{tip}", cover, tracking, sender)
    first, *patches = _format(
        quarantine, start, tip, f"{cover.subject}\n\n{text}", tracking, sender
    )
    mails = [
        replace_sender(
            Mail(first.file_name, _replace_body(first.content, text)),
            str(Person(sender.name, sender.email)),
        ),
        # Like b4: an empty line precedes the signature.
        *(Mail(m.file_name, _SIGNATURE.sub(rb"\n\n-- \n\1\n\n", m.content)) for m in patches),
    ]
    content = digest_content(quarantine, base, start, tip)
    ids = [
        make_message_id(tracking.change_id, tracking.revision, number, sender.email, content)
        for number in range(len(mails))
    ]
    answered_ids = [in_reply_to.strip("<> "), *(ids[0] for _ in patches)]
    return [
        Mail(mail.file_name, add_headers(mail.content, _thread_headers(message_id, answered_id)))
        for mail, message_id, answered_id in zip(mails, ids, answered_ids, strict=True)
    ]


def _format(
    quarantine: Quarantine, start: Oid, tip: Oid, letter: str, tracking: Tracking, sender: Identity
) -> list[Mail]:
    """Return a cover letter with this text, and the patches in order.

    The user's format.* configuration is ignored: the same series results in the same bytes.
    """
    committer = {
        "GIT_COMMITTER_NAME": sender.name,
        "GIT_COMMITTER_EMAIL": sender.email,
        # Without the @, git parses a number below 100000000 in another date format (date.c).
        "GIT_COMMITTER_DATE": f"@{sender.date}",
    }
    ref = quarantine.name_branch(_BRANCH, tip)
    with scratch_folder("mails") as scratch:
        folder, config = scratch / "mails", scratch / "config"
        # git takes the cover letter's subject and charset from the branch's description. A file
        # has room for more text than an argument or a variable (128 KiB on Linux).
        config.write_text(_describe_branch(letter), encoding="utf-8")
        quarantine.run(
            "-c",
            f"include.path={config}",
            "format-patch",
            "--quiet",
            "--cover-letter",
            "--cover-from-description=subject",
            f"--subject-prefix={' '.join(['PATCH', *tracking.prefixes])}",
            # Like b4: the subject of a first version does not name the version.
            *((f"--reroll-count={tracking.revision}",) if tracking.revision > 1 else ()),
            f"--from={sender.name} <{sender.email}>",
            f"--stat={_STAT_WIDTH}",
            f"--output-directory={folder}",
            f"{start}..{ref}",
            env=committer,
        )
        return [Mail(path.name, path.read_bytes()) for path in sort_patches(folder)]


def _describe_branch(text: str) -> str:
    """Return a configuration file with the branch's description (git-config(1), "Syntax")."""
    for char, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t")):
        text = text.replace(char, escaped)
    return f'[branch "{_BRANCH}"]\n\tdescription = "{text}"\n'


def name_commits(mails: Sequence[Mail], commits: Sequence[Oid]) -> list[Mail]:
    """Return the mails of a series as those of other commits with the same messages and diffs.

    A mail begins with "From OID" (git-format-patch(1)); the cover letter has the last commit's id.
    """
    oids = (commits[-1], *commits)
    return [
        Mail(mail.file_name, _FROM.sub(b"From " + oid.encode(), mail.content))
        for mail, oid in zip(mails, oids, strict=True)
    ]


def address_mails(mails: Sequence[Mail], recipients: SeriesRecipients) -> list[Mail]:
    """Return the mails, cover letter first, with To and Cc.

    Raises RefusedError if a header would have control characters, or an address that mail cannot be
    sent to.
    """
    return [
        check_headers(Mail(mail.file_name, add_headers(mail.content, address_headers(addressees))))
        for mail, addressees in zip(mails, (recipients.cover, *recipients.patches), strict=True)
    ]


def _cover_text(
    quarantine: Quarantine,
    base: Oid,
    commits: str,
    cover: Cover,
    tracking: Tracking,
    sender: Identity,
) -> str:
    """Return the body of the cover letter's mail."""
    shortlog = quarantine.run("shortlog", commits).stdout.decode("utf-8", "replace")
    args = ("diff", f"--stat={_STAT_WIDTH}", commits)
    stat = quarantine.run(*args).stdout.decode("utf-8", "replace")
    notes = f"\n---\n{cover.notes}" if cover.notes else ""
    return (
        f"{cover.body}{notes}\n"
        f"---\n{shortlog.rstrip()}\n\n{stat.rstrip()}\n"
        f"---\nbase-commit: {base}\nchange-id: {tracking.change_id}\n\n"
        f"Best regards,\n-- \n{sender.name} <{sender.email}>\n"
    )


def _replace_body(content: bytes, text: str) -> bytes:
    head, _, _ = content.partition(b"\n\n")
    return head + b"\n\n" + text.encode() + b"\n"


def _thread_headers(message_id: str, answered_id: str) -> str:
    """Return the headers of a mail that answers another; `answered_id` is "" without one."""
    answer = f"In-Reply-To: <{answered_id}>\nReferences: <{answered_id}>\n" if answered_id else ""
    return f"Message-ID: <{message_id}>\n{answer}"
