# SPDX-License-Identifier: GPL-2.0-or-later
"""Format a series as mails: git format-patch, with patchgen's headers and cover letter.

The cover letter has b4's layout (DEFAULT_COVER_TEMPLATE in ez.py, 0.12 to 0.16), so that the mails
of patchgen and of `b4 send` for one branch read the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

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
from patchgen.series import digest_content, make_message_id

# The width that `git show --patch-with-stat`, and so b4, uses without a terminal.
_STAT_WIDTH = 80
# The description of a branch becomes the cover letter. The name itself is in no mail.
_BRANCH = "series"
_FROM = re.compile(rb"\AFrom [0-9a-f]+")
_SIGNATURE = re.compile(rb"\n-- \n([\d.]+[^\n]*)\n\n*\Z")


@dataclass(frozen=True, slots=True)
class MailSpec:
    """A version of a series to format as mails.

    The patches are the commits above `start` up to `tip`; `start` has the tree of `base`. The cover
    letter answers the mail `in_reply_to`, if there is one.
    """

    base: Oid
    start: Oid
    tip: Oid
    change_id: str
    revision: int
    cover: Cover
    prefixes: tuple[str, ...] = ()
    in_reply_to: str = ""


def _format(quarantine: Quarantine, series: MailSpec, sender: Identity, text: str) -> list[Mail]:
    """Return a cover letter with this text, and the patches in order.

    The user's format.* configuration is ignored: the same series results in the same bytes.
    """
    who = {
        "GIT_COMMITTER_NAME": sender.name,
        "GIT_COMMITTER_EMAIL": sender.email,
        # Without the @, git parses a number below 100000000 in another date format (date.c).
        "GIT_COMMITTER_DATE": f"@{sender.date}",
    }
    ref = quarantine.name_branch(_BRANCH, series.tip)
    with scratch_folder("mails") as scratch:
        folder, config = scratch / "mails", scratch / "config"
        # git takes the cover letter's subject and charset from the branch's description. A file
        # has room for more text than an argument or a variable (128 KiB on Linux).
        config.write_text(_describe_branch(f"{series.cover.subject}\n\n{text}"), encoding="utf-8")
        quarantine.run(
            "-c",
            f"include.path={config}",
            "format-patch",
            "--quiet",
            "--cover-letter",
            "--cover-from-description=subject",
            f"--subject-prefix={' '.join(['PATCH', *series.prefixes])}",
            # Like b4: the subject of a first version does not name the version.
            *((f"--reroll-count={series.revision}",) if series.revision > 1 else ()),
            f"--from={sender.name} <{sender.email}>",
            f"--stat={_STAT_WIDTH}",
            f"--output-directory={folder}",
            f"{series.start}..{ref}",
            env=who,
        )
        return [Mail(path.name, path.read_bytes()) for path in sort_patches(folder)]


def _describe_branch(text: str) -> str:
    """Return a configuration file with the branch's description (git-config(1), "Syntax")."""
    for char, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t")):
        text = text.replace(char, escaped)
    return f'[branch "{_BRANCH}"]\n\tdescription = "{text}"\n'


def format_mails(quarantine: Quarantine, series: MailSpec, sender: Identity) -> list[Mail]:
    """Return the cover letter and the patches, in order, as a thread."""
    text = _cover_text(quarantine, series, sender)
    cover, *patches = _format(quarantine, series, sender, text)
    mails = [
        replace_sender(
            Mail(cover.file_name, _replace_body(cover.content, text)),
            str(Person(sender.name, sender.email)),
        ),
        # Like b4: an empty line precedes the signature.
        *(Mail(m.file_name, _SIGNATURE.sub(rb"\n\n-- \n\1\n\n", m.content)) for m in patches),
    ]
    content = digest_content(quarantine, series.base, series.start, series.tip)
    return [
        Mail(
            mail.file_name,
            add_headers(mail.content, _thread_headers(series, number, sender, content)),
        )
        for number, mail in enumerate(mails)
    ]


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
        check_headers(Mail(mail.file_name, add_headers(mail.content, address_headers(who))))
        for mail, who in zip(mails, (recipients.cover, *recipients.patches), strict=True)
    ]


def _cover_text(quarantine: Quarantine, series: MailSpec, sender: Identity) -> str:
    """Return the body of the cover letter's mail."""
    commits = f"{series.start}..{series.tip}"
    shortlog = quarantine.run("shortlog", commits).stdout.decode("utf-8", "replace")
    args = ("diff", f"--stat={_STAT_WIDTH}", commits)
    stat = quarantine.run(*args).stdout.decode("utf-8", "replace")
    notes = f"\n---\n{series.cover.notes}" if series.cover.notes else ""
    return (
        f"{series.cover.body}{notes}\n"
        f"---\n{shortlog.rstrip()}\n\n{stat.rstrip()}\n"
        f"---\nbase-commit: {series.base}\nchange-id: {series.change_id}\n\n"
        f"Best regards,\n-- \n{sender.name} <{sender.email}>\n"
    )


def _replace_body(content: bytes, text: str) -> bytes:
    head, _, _ = content.partition(b"\n\n")
    return head + b"\n\n" + text.encode() + b"\n"


def _thread_headers(series: MailSpec, number: int, sender: Identity, content: str) -> str:
    """Return the headers that make the patches replies to the cover letter."""
    ids = [
        make_message_id(series.change_id, series.revision, each, sender.email, content)
        for each in (0, number)
    ]
    above = ids[0] if number else series.in_reply_to.strip("<> ")
    answered = f"In-Reply-To: <{above}>\nReferences: <{above}>\n" if above else ""
    return f"Message-ID: <{ids[1]}>\n{answered}"
