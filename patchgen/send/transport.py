"""`git send-email`, with the user's own configuration, one mail a run.

One mail a run, because its exit code is then a fact about that mail; of several it tells only that
one of them failed. Our mails have their To, Cc, Message-ID and In-Reply-To, and these are used as
they are: nobody is added from trailers or by a command, nobody who was shown is left out.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import patchgen
from patchgen.errors import BaseError, ToolError
from patchgen.git_environment import add_config, mailing_environment
from patchgen.mail import encode_address, format_person, list_recipients
from patchgen.model.series import Mail
from patchgen.odb import Repository
from patchgen.process import run
from patchgen.scratch import scratch_folder, scratch_locks
from patchgen.send.attempt import find_outcome
from patchgen.send.outcome import Outcome, Verdict, last_words

# RFC 5321, 4.5.3.1.6: a line has 998 octets at most. git counts the end of the line among them.
_LONGEST = 997
# Where git-send-email looks for a program that takes mails.
_SENDMAILS = ("/usr/sbin/sendmail", "/usr/lib/sendmail")
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
    # Both may be configured to guess recipients; these guess none.
    "--to-cmd=:",
    "--cc-cmd=:",
    "--no-to",
    "--no-cc",
    "--8bit-encoding=UTF-8",
)


class Transport(Protocol):
    """Something that takes one mail."""

    def send(self, mail: Mail, outcome: Path, lock: int, begin: Callable[[], None]) -> Outcome:
        """Give a mail away, and say what became of it. Calls `begin` when all is ready for that.

        The outcome is also written to a file, even when patchgen is killed meanwhile; until then
        the open file `lock` stays locked.
        """


@dataclass(frozen=True, slots=True)
class GitSendEmail:
    """`git send-email` in a repository. `credentials` is more configuration, for this run only.

    `with_bcc` says whether those in sendemail.bcc get the mails, too.
    """

    repository: Repository
    by_smtp: bool
    credentials: Mapping[str, str] = field(default_factory=dict)
    with_bcc: bool = True

    def rehearse(self, mails: Sequence[Mail]) -> None:
        """Raise BaseError for a mail that git would not send: its hooks, addresses, settings."""
        for mail in mails:
            with scratch_folder("send") as folder:
                words = [*self._words(mail, folder), "--dry-run"]
                done = run(words, cwd=self.repository.top, env=self._environment(), ok=None)
            said = done.stdout.decode("utf-8", "replace")
            if done.returncode != 0 or "Dry-Sent " not in said:
                # A hook of the user may have more to say than the last line.
                reason = done.errors if done.returncode else last_words(done.errors)
                raise BaseError(
                    f"git send-email does not take {mail.file_name}: {reason or said.strip()}"
                )

    def log_in(self) -> GitSendEmail:
        """Return the transport with the password: asked for once, and not by git for each mail."""
        server = read_setting(self.repository, "smtpServer")
        if not self.by_smtp or server is None:
            return self
        return replace(self, credentials=_ask_password(self.repository, server))

    def send(self, mail: Mail, outcome: Path, lock: int, begin: Callable[[], None]) -> Outcome:
        """Give a mail to git, and say what became of it."""
        outcome.unlink(missing_ok=True)
        with scratch_folder("send") as folder:
            kind = "smtp" if self.by_smtp else "command"
            attempt = [sys.executable, "-P", "-m", "patchgen.send.attempt", str(outcome), kind]
            words = [*attempt, *self._words(mail, folder)]
            env = self._environment()
            # From here on a killed patchgen leaves a mail of which nobody knows.
            begin()
            run(
                words,
                cwd=self.repository.top,
                env=env,
                ok=None,
                detached=True,
                # The mail is in the scratch folder, which stays until it is gone.
                pass_fds=(lock, *scratch_locks()),
            )
        found = find_outcome(outcome)
        return found or Outcome(Verdict.UNKNOWN, "the program that sent it was killed")

    def _words(self, mail: Mail, folder: Path) -> list[str]:
        path = folder / mail.file_name
        path.write_bytes(mail.content)
        words = ["git", "send-email", *_OPTIONS, f"--transfer-encoding={encoding_of(mail)}"]
        words += ["--smtp-debug=1"] if self.by_smtp else []
        words += [] if self.with_bcc else ["--no-bcc"]
        if read_setting(self.repository, "from") is None:
            words.append(f"--from={find_sender(self.repository)}")
        # Once more beside the header, which git passes over where sendemail.suppressCc says so, and
        # where the sender is in it.
        words += [f"--cc={encode_address(each)}" for each in list_recipients(mail).cc]
        return [*words, str(path)]

    def _environment(self) -> dict[str, str]:
        env = add_config(mailing_environment(), self.credentials)
        packages = str(Path(patchgen.__file__).resolve().parent.parent)
        env["PYTHONPATH"] = os.pathsep.join(filter(None, [packages, env.get("PYTHONPATH")]))
        return env


def open_transport(repository: Repository, *, with_bcc: bool = True) -> GitSendEmail:
    """Return the transport that the user has configured.

    Raises ToolError where git send-email is missing or knows no server.
    """
    exec_path = run(["git", "--exec-path"]).stdout.decode().strip()
    if not (Path(exec_path) / "git-send-email").is_file():
        raise ToolError(
            "git send-email is not installed", hint="on Debian: apt-get install git-email"
        )
    command = read_setting(repository, "sendmailCmd")
    server = read_setting(repository, "smtpServer")
    if not command and not server and not _has_sendmail():
        raise ToolError(
            "git does not know how to send mails",
            hint="git config sendemail.smtpServer HOST (git-send-email(1), CONFIGURATION)",
        )
    if command or not server or server.startswith("/"):
        return GitSendEmail(repository, by_smtp=False, with_bcc=with_bcc)
    return GitSendEmail(repository, by_smtp=True, with_bcc=with_bcc)


def _has_sendmail() -> bool:
    return any(os.access(path, os.X_OK) for path in _SENDMAILS) or bool(shutil.which("sendmail"))


def find_sender(repository: Repository) -> str:
    """Return who the mails are from: sendemail.from, else who commits."""
    if configured := read_setting(repository, "from"):
        return configured
    who = repository.read_signatures().committer
    return format_person(who.name, who.email)


def read_setting(repository: Repository, name: str) -> str | None:
    """Return a setting of sendemail, or of the identity in it that is chosen."""
    values = read_settings(repository, name)
    return values[-1] if values else None


def read_settings(repository: Repository, name: str) -> Sequence[str]:
    """Return all values of a setting of sendemail."""
    identity = repository.read_config("sendemail.identity")
    for key in [f"sendemail.{each}.{name}" for each in identity[-1:]] + [f"sendemail.{name}"]:
        if values := repository.read_config(key):
            return values
    return ()


def encoding_of(mail: Mail) -> str:
    """Return the transfer encoding under which a mail arrives byte for byte.

    SMTP ends lines with CR LF, so a CR of the file's own would be lost or doubled; and it has a
    limit for lines.
    """
    too_long = any(len(line) > _LONGEST for line in mail.content.split(b"\n"))
    return "quoted-printable" if too_long or b"\r" in mail.content else "8bit"


def _ask_password(repository: Repository, server: str) -> Mapping[str, str]:
    """Return the password as configuration, where there is a user without one.

    `git credential` answers from the user's helpers, or asks on the terminal.
    """
    user = read_setting(repository, "smtpUser")
    auth = read_setting(repository, "smtpAuth")
    if not user or read_setting(repository, "smtpPass") or auth == "none":
        return {}
    port = read_setting(repository, "smtpServerPort")
    host = f"{server}:{port}" if port else server
    question = f"protocol=smtp\nhost={host}\nusername={user}\n\n"
    words = ["git", "credential", "fill"]
    env = mailing_environment(may_ask=True)
    done = run(words, stdin=question.encode(), cwd=repository.top, env=env, ok=None)
    fields = dict(line.partition("=")[::2] for line in done.stdout.decode().splitlines())
    if done.returncode != 0 or "password" not in fields:
        raise ToolError(
            f"there is no password for {user} at {host}",
            hint="git config sendemail.smtpPass, or a helper: gitcredentials(7)",
        )
    return {"sendemail.smtpPass": fields["password"]}
