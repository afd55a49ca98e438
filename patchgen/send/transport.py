# SPDX-License-Identifier: GPL-2.0-or-later
"""Run `git send-email` with the user's own configuration, once for each mail.

One mail per run makes the exit code a fact about that mail; with several, it would only show that
one of them failed. git uses the To, Cc, Message-ID and In-Reply-To of the mails: it adds no
recipients from trailers or commands, and omits none that were shown.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import patchgen
from patchgen.addresses import Person
from patchgen.errors import RefusedError, ToolError
from patchgen.git_environment import add_config, mailing_environment
from patchgen.mail import encode_address, explain_missing_module, list_recipients
from patchgen.model.series import Mail
from patchgen.odb import Repository, find_git_subcommand
from patchgen.process import run
from patchgen.scratch import scratch_folder, scratch_locks
from patchgen.send.outcome import MailOutcome, Verdict, find_last_message
from patchgen.send.send_one import find_outcome
from patchgen.send.settings import SendSettings, read_send_settings

# RFC 5321, 4.5.3.1.6: a line has at most 998 octets. git includes the end of the line in that.
_LONGEST = 997
# Where git-send-email looks for a program to send mails with.
_SENDMAILS = ("/usr/sbin/sendmail", "/usr/lib/sendmail")
_DRY_SENT = re.compile("^Dry-Sent ", re.MULTILINE)
_OPTIONS = (
    "--quiet",
    "--confirm=never",
    "--no-annotate",
    "--no-format-patch",
    "--suppress-from",
    "--no-signed-off-by-cc",
    "--suppress-cc=author",
    "--suppress-cc=body",
    "--suppress-cc=self",
    # Both may be configured to guess recipients; `:` adds none.
    "--to-cmd=:",
    "--cc-cmd=:",
    "--no-to",
    "--no-cc",
    "--8bit-encoding=UTF-8",
)


@dataclass(frozen=True, slots=True)
class GitSendEmail:
    """`git send-email` in a repository. `credentials` is extra configuration for this run only.

    `with_bcc` sends the mails to sendemail.bcc, too.
    """

    repository: Repository
    settings: SendSettings
    by_smtp: bool
    credentials: Mapping[str, str] = field(default_factory=dict)
    with_bcc: bool = True

    def rehearse(self, mails: Sequence[Mail]) -> None:
        """Raise RefusedError for a mail that git would refuse: by hooks, addresses or settings.

        Mails with the same options share one run of git, which takes a fraction of the time. Raises
        ToolError if git lacks a Perl module.
        """
        groups: dict[tuple[str, ...], list[Mail]] = {}
        for mail in mails:
            groups.setdefault(self._make_rehearsal_options(mail), []).append(mail)
        for options, group in groups.items():
            if self._find_refusal(group, options):
                for mail in group:
                    if reason := self._find_refusal([mail], options):
                        raise explain_missing_module(reason) or RefusedError(
                            f"git send-email refuses {mail.name}: {reason}",
                            code="send-email-refuses",
                        )

    def _make_rehearsal_options(self, mail: Mail) -> tuple[str, ...]:
        # The Cc of the header is used unless a setting suppresses it.
        with_cc = bool(self.settings.read_all("suppressCc"))
        # With a configured sendemail.smtpBatchSize, git would sleep between mails.
        return ("--dry-run", "--batch-size=0", *self._make_options(mail, with_cc=with_cc))

    def _find_refusal(self, mails: Sequence[Mail], options: Sequence[str]) -> str:
        """Return why git refuses one of the mails, "" if it accepts all of them."""
        with scratch_folder("send") as folder:
            args = _make_args(mails, folder, options)
            completed = run(args, cwd=self.repository.top, env=self._environment(), ok=None)
        output = completed.stdout.decode("utf-8", "replace")
        if completed.returncode == 0 and len(_DRY_SENT.findall(output)) == len(mails):
            return ""
        # A hook of the user may print more than one line.
        everything = completed.errors
        reason = everything if completed.returncode else find_last_message(everything)
        return reason or output.strip() or f"exit code {completed.returncode}"

    def log_in(self) -> GitSendEmail:
        """Return the transport with the password, so that git does not ask for it for each mail."""
        server = self.settings.read("smtpServer")
        if not self.by_smtp or server is None:
            return self
        return replace(self, credentials=_ask_password(self.repository, self.settings, server))

    def send(
        self, mail: Mail, outcome: Path, lock: int, on_start: Callable[[], None]
    ) -> MailOutcome:
        """Send a mail and return the outcome. Calls `on_start` when everything is ready.

        The process of the mail writes the outcome to a file, in place of an earlier one, even if
        patchgen is killed meanwhile. Until it ends, the open file `lock` is locked.
        """
        outcome.unlink(missing_ok=True)
        with scratch_folder("send") as folder:
            kind = "smtp" if self.by_smtp else "command"
            attempt = [sys.executable, "-P", "-m", "patchgen.send.send_one", str(outcome), kind]
            args = [*attempt, *_make_args([mail], folder, self._make_options(mail, with_cc=True))]
            env = self._environment()
            # If patchgen is killed after this, the state of the mail is unknown.
            on_start()
            run(
                args,
                cwd=self.repository.top,
                env=env,
                ok=None,
                detached=True,
                # The mail is in the scratch folder, which must outlive it.
                pass_fds=(lock, *scratch_locks()),
            )
        result = find_outcome(outcome)
        return result or MailOutcome(Verdict.UNKNOWN, "the program that sent it was killed")

    def _make_options(self, mail: Mail, *, with_cc: bool) -> tuple[str, ...]:
        options = [f"--transfer-encoding={choose_encoding(mail)}"]
        options += ["--smtp-debug=1"] if self.by_smtp else []
        options += [] if self.with_bcc else ["--no-bcc"]
        if self.settings.read("from") is None:
            options.append(f"--from={find_sender(self.repository, self.settings)}")
        if with_cc:
            # In addition to the header: sendemail.suppressCc may make git ignore it, and so does a
            # sender in it.
            options += [f"--cc={encode_address(person)}" for person in list_recipients(mail).cc]
        return tuple(options)

    def _environment(self) -> dict[str, str]:
        env = add_config(mailing_environment(), self.credentials)
        packages = str(Path(patchgen.__file__).resolve().parent.parent)
        env["PYTHONPATH"] = os.pathsep.join(filter(None, [packages, env.get("PYTHONPATH")]))
        return env


def _make_args(mails: Sequence[Mail], folder: Path, options: Sequence[str]) -> list[str]:
    """Return the command for mails, and write them to the folder.

    The files come last: with POSIXLY_CORRECT in the environment, Perl's Getopt::Long reads what
    follows a file name as more files or revisions.
    """
    paths = [folder / mail.file_name for mail in mails]
    for path, mail in zip(paths, mails, strict=True):
        path.write_bytes(mail.content)
    return ["git", "send-email", *_OPTIONS, *options, *map(str, paths)]


def open_transport(repository: Repository, *, with_bcc: bool = True) -> GitSendEmail:
    """Return the transport that the user has configured.

    Raises ToolError if git send-email is missing or no server is configured.
    """
    if find_git_subcommand("send-email") is None:
        raise ToolError(
            "git send-email is not installed",
            code="program-missing",
            hint="on Debian: apt-get install git-email",
        )
    settings = read_send_settings(repository)
    command = settings.read("sendmailCmd")
    server = settings.read("smtpServer")
    if not command and not server and not _has_sendmail():
        raise ToolError(
            "git is not configured to send mails",
            code="mail-not-configured",
            hint="git config sendemail.smtpServer HOST (git-send-email(1), CONFIGURATION)",
        )
    by_smtp = not (command or not server or server.startswith("/"))
    return GitSendEmail(repository, settings, by_smtp=by_smtp, with_bcc=with_bcc)


def _has_sendmail() -> bool:
    return any(os.access(path, os.X_OK) for path in _SENDMAILS) or bool(shutil.which("sendmail"))


def find_sender(repository: Repository, settings: SendSettings) -> str:
    """Return the sender of the mails: sendemail.from, else the committer."""
    if configured := settings.read("from"):
        return configured
    committer = repository.read_signatures().committer
    return str(Person(committer.name, committer.email))


def choose_encoding(mail: Mail) -> str:
    """Return the transfer encoding with which a mail arrives byte for byte.

    SMTP ends lines with CR LF, so a CR in the file would be lost or doubled, and SMTP limits the
    length of lines.
    """
    too_long = any(len(line) > _LONGEST for line in mail.content.split(b"\n"))
    return "quoted-printable" if too_long or b"\r" in mail.content else "8bit"


def _ask_password(repository: Repository, settings: SendSettings, server: str) -> Mapping[str, str]:
    """Return the password as configuration, if a user is configured without one.

    `git credential` gets it from the user's helpers, or asks on the terminal.
    """
    user = settings.read("smtpUser")
    if not user or settings.read("smtpPass") or settings.read("smtpAuth") == "none":
        return {}
    port = settings.read("smtpServerPort")
    host = f"{server}:{port}" if port else server
    query = f"protocol=smtp\nhost={host}\nusername={user}\n\n"
    args = ["git", "credential", "fill"]
    env = mailing_environment(may_ask=True)
    completed = run(args, stdin=query.encode(), cwd=repository.top, env=env, ok=None)
    fields = dict(line.partition("=")[::2] for line in completed.lines)
    if completed.returncode != 0 or "password" not in fields:
        raise ToolError(
            f"no password is configured for {user} at {host}",
            code="mail-not-configured",
            hint="set sendemail.smtpPass, or configure a helper: gitcredentials(7)",
        )
    return {"sendemail.smtpPass": fields["password"]}
