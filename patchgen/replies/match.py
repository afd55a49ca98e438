"""Which patch an answer is about: by message-ids, else by the change it quotes, else by subject."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from patchgen.mail import is_patch, parse_mail, parse_subject, read_header, read_message_id
from patchgen.model.series import Mail
from patchgen.replies.reply import Reply, read_answers

COVER = 0
# Returns the patch-id of a text that contains a diff, "" where it contains none.
PatchId = Callable[[bytes], str]


@dataclass(frozen=True, slots=True)
class Patches:
    """The series that answers are for. Numbers count from 1, 0 is the cover letter.

    `subjects` are by number, `patch_ids` are the numbers by git-patch-id, `posted` the numbers by
    message-id, without brackets. `outdated` are by message-id, too: for a mail of an earlier
    version, the patches that are not as they were then, each with that version.
    """

    subjects: Mapping[int, str]
    patch_ids: Mapping[str, int]
    posted: Mapping[str, int]
    outdated: Mapping[str, Mapping[int, str]] = field(default_factory=dict)

    def find_subject(self, text: str) -> int | None:
        """Return the one patch with a subject, whatever its blanks and letter case."""
        wanted = _plain(text)
        found = [number for number, subject in self.subjects.items() if _plain(subject) == wanted]
        return found[0] if wanted and len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class Match:
    """The patch of an answer, and how it was found. `remark` tells of signs that disagree.

    `outdated` are patches that are not those which were answered, each with the version.
    """

    number: int
    how: str
    remark: str = ""
    outdated: Mapping[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class Matcher:
    """Finds the patches of all answers in a box."""

    patches: Patches
    patch_id: PatchId
    replies: Mapping[str, Reply] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)

    def learn(self, mails: Sequence[Mail], replies: Sequence[Reply]) -> None:
        """Take note of the answers, and of patches that are in the box themselves."""
        self.replies = {reply.message_id: reply for reply in replies if reply.message_id}
        self.known = dict(self.patches.posted)
        above: dict[str, int] = {}
        for mail in mails:
            message = parse_mail(mail)
            message_id = read_message_id(message)
            if not message_id or message_id in self.known:
                continue
            subject = parse_subject(read_header(message, "Subject"))
            if subject.is_reply:
                continue
            number: int | None = None
            if is_patch(mail):
                number = self.patches.patch_ids.get(self.patch_id(mail.content))
                number = number or self.patches.find_subject(subject.text)
            elif subject.is_patch and subject.number == 0:
                number = self.patches.find_subject(subject.text)
            if number is not None:
                self.known[message_id] = number
                for answered in read_answers(message)[:1]:
                    above[answered] = number
        # What our patches answer is their cover letter, whatever its subject is by now.
        for message_id in above:
            self.known.setdefault(message_id, COVER)

    def find(self, reply: Reply) -> Match | None:
        """Return which patch an answer is about, None where that cannot be told."""
        by_subject = self.patches.find_subject(reply.subject.text)
        answered = self._follow(reply)
        if answered is not None:
            number = self.known[answered]
            remark = ""
            if by_subject is not None and by_subject != number:
                remark = f"by its subject it would be patch {by_subject}"
            return Match(number, "message-id", remark, self.patches.outdated.get(answered, {}))
        if "diff --git " in reply.quoted:
            quoted = self.patches.patch_ids.get(self.patch_id(reply.quoted.encode() + b"\n"))
            if quoted is not None:
                return Match(quoted, "patch-id")
        return Match(by_subject, "subject") if by_subject is not None else None

    def _follow(self, reply: Reply) -> str | None:
        """Return the known mail that an answer leads to, by way of other answers if need be.

        All of a thread leads to the cover letter, in the end; where a mail in between is unknown,
        which may be a patch, that is no answer to the cover letter.
        """
        seen: set[str] = set()
        waiting = list(reply.answers)
        unknown = False
        while waiting:
            message_id = waiting.pop(0)
            if message_id in self.known:
                is_sure = not unknown or self.known[message_id] != COVER
                return message_id if is_sure else None
            if message_id in seen:
                continue
            if message_id in self.replies:
                waiting = [*self.replies[message_id].answers, *waiting]
            else:
                unknown = True
            seen.add(message_id)
        return None


def _plain(subject: str) -> str:
    return " ".join(subject.lower().split())
