"""The form of a commit message and of a series, as the tip tree wants it.

Facts: Documentation/process/maintainer-tip.rst ("Patch subject", "Changelog", "Ordering of commit
tags", "Variable declarations") and submitting-patches.rst.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.model.finding import Finding
from patchgen.series import Record, match_commits
from patchgen.series.trailers import PLACES, Trailer, parse_message

_CHECK = "lint"
_SUBJECT_LENGTH = 75
_BODY_WIDTH = 75
_MANY_PATCHES = 15
_UNEDITED = re.compile(r"no\s+line\s+was\s+edited\s+by\s+hand", re.IGNORECASE)
_FIXES = re.compile(r'^(?P<oid>[0-9a-f]{12,40}) \("(?P<subject>.*)"\)$')
_SUBJECT = re.compile(r"^(?P<area>[^\s:][^:]*(?:: ?[\w/.-]+)*): (?P<what>\S.*)$")
# Words that end like these and are imperative all the same.
_IMPERATIVE = frozenset({"Need", "Feed", "Embed", "Seed", "Speed", "Shed", "Bring", "String"})

FindCommit = Callable[[str], str | None]


def check_commit(commit: Commit, find_subject: FindCommit, sender: str) -> Iterator[Finding]:
    """Yield what is wrong with one commit's message.

    `find_subject` gives the subject of the commit that an id names, None where the base has none.
    `sender` is "Name <address>" of whoever sends the mail.
    """
    for text in _check_subject(commit.subject):
        yield Finding(_CHECK, text, commit.oid)
    message = parse_message(commit.message)
    body, trailers = message.body, message.trailers
    for number, line in enumerate(body.splitlines(), 1):
        # Indented lines quote what must not be wrapped; so do addresses of web pages.
        if len(line) > _BODY_WIDTH and not line.startswith((" ", "\t")) and "://" not in line:
            text = f"the line has {len(line)} characters; wrap the text at {_BODY_WIDTH}"
            yield Finding(_CHECK, text, commit.oid, f"message:{number}")
    if re.search(r"\b(This patch|this patch)\b", body):
        yield Finding(_CHECK, 'say what to do, not "this patch"', commit.oid, failure=False)
    for text in _check_trailers(trailers, sender):
        yield Finding(_CHECK, text, commit.oid)
    for trailer in trailers:
        if trailer.name == "Fixes" and (problem := _check_fixes(trailer.value, find_subject)):
            yield Finding(_CHECK, problem, commit.oid)


def check_declarations(commit: Commit, diff: str) -> Iterator[Finding]:
    """Yield where added declarations of local variables are not in reverse fir tree order."""
    file, number, opened = "", 0, False
    block: list[tuple[int, str]] = []
    for line in [*diff.splitlines(), ""]:
        if line.startswith("+++ "):
            file = line.removeprefix("+++ b/")
        elif match := _HUNK.match(line):
            number, opened = int(match[1]) - 1, False
        elif not line.startswith("-"):
            number += 1
            if line.startswith("+") and opened and _is_declaration(line[1:]):
                block.append((number, line[1:]))
                continue
            yield from _check_block(commit, file, block)
            block, opened = [], _opens_block(line[1:])


def check_claims(
    commits: Sequence[Commit], substances: Mapping[Oid, str], record: Record
) -> Iterator[Finding]:
    """Yield messages that deny a hand edit of what patchgen made."""
    for matched in match_commits(commits, substances, record):
        claims = _UNEDITED.search(matched.commit.message)
        if claims and matched.is_edited(substances):
            text = (
                "the message says that no line was edited by hand, but the code is not as it was "
                "made; `patchgen reroll` says so by itself"
            )
            yield Finding(_CHECK, text, matched.commit.oid, failure=False)


def check_series(commits: Sequence[Commit]) -> Iterator[Finding]:
    """Yield what is wrong with the series as a whole."""
    for subject, count in Counter(commit.subject for commit in commits).items():
        if count > 1:
            yield Finding(_CHECK, f'{count} patches have the subject "{subject}"')
    if len(commits) > _MANY_PATCHES:
        text = f"{len(commits)} patches; more than {_MANY_PATCHES} are rarely reviewed at once"
        yield Finding(_CHECK, text, failure=False)


def _check_subject(subject: str) -> Iterator[str]:
    match = _SUBJECT.match(subject)
    if match is None:
        yield 'the subject has no area; "area: Do something" is wanted'
        return
    if len(subject) > _SUBJECT_LENGTH:
        yield f"the subject has {len(subject)} characters; at most {_SUBJECT_LENGTH} are wanted"
    what = match["what"]
    word = re.split(r"[^\w]", what, maxsplit=1)[0]
    if word[:1].islower():
        yield f'the subject goes on with a small letter: "{word}"'
    if what.endswith("."):
        yield "the subject ends with a full stop"
    if re.search(r"(ed|ing)$", word) and word not in _IMPERATIVE:
        yield f'the subject is to be imperative, not "{word}"'


def _check_trailers(trailers: Sequence[Trailer], sender: str) -> Iterator[str]:
    last, last_key = -1, ""
    for trailer in trailers:
        key = trailer.name
        if key not in PLACES:
            continue
        # A co-author's own Signed-off-by belongs to the Co-developed-by right before it.
        co_author = key == "Signed-off-by" and last_key == "Co-developed-by"
        place = last if co_author else PLACES[key]
        if place < last:
            yield f"{trailer} comes after {last_key}; the order is {', '.join(PLACES)}"
            break
        last, last_key = place, key
    signers = [trailer.value for trailer in trailers if trailer.name == "Signed-off-by"]
    if not signers:
        yield "there is no Signed-off-by (patchgen apply --signoff)"
    elif _address(signers[-1]) != _address(sender):
        yield f"the last Signed-off-by is {signers[-1]}, but the sender is {sender}"


def _check_fixes(value: str, find_subject: FindCommit) -> str | None:
    match = _FIXES.match(value)
    if match is None:
        return f'Fixes: {value}: 12 digits of the id and ("subject") are wanted'
    subject = find_subject(match["oid"])
    if subject is None:
        return f"Fixes: {match['oid']} is no commit that the base has"
    if subject != match["subject"]:
        return f'Fixes: {match["oid"]} has the subject "{subject}"'
    return None


_TYPE = re.compile(
    r"^\t+(?:(?:static|const|volatile|register|unsigned|signed|struct|union|enum)\s+)*"
    r"[A-Za-z_]\w*(?:\s+(?:int|long|char|short))*\s+\**[A-Za-z_][^()]*(?:=.*)?;$"
)
_HUNK = re.compile(r"^@@ -\S+ \+(\d+)")
_STATEMENT = re.compile(r"^\t+(return|goto|break|continue|else|case|typedef|delete|extern)\b")


def _opens_block(line: str) -> bool:
    """Tell whether a line ends in the brace of statements, not of a type's members."""
    return line.endswith("{") and not re.search(r"\b(struct|union|enum)\b[^()]*\{$", line)


def _is_declaration(line: str) -> bool:
    """Tell whether a whole line declares local variables, as far as one line can tell."""
    return bool(_TYPE.match(line)) and not _STATEMENT.match(line)


def _check_block(commit: Commit, file: str, block: Sequence[tuple[int, str]]) -> Iterator[Finding]:
    for (_, above), (number, line) in itertools.pairwise(block):
        if len(line.expandtabs(8)) <= len(above.expandtabs(8)) or _uses(line, above):
            continue
        text = f'"{line.strip()}" is longer than the declaration above it (reverse fir tree order)'
        yield Finding(_CHECK, text, commit.oid, f"{file}:{number}")
        return


def _uses(line: str, above: str) -> bool:
    """Tell whether a declaration's value needs what the one above it declares."""
    names = re.findall(r"([A-Za-z_]\w*)(?=\s*(?:=|;|,|\[))", above.partition("=")[0] + ";")
    _, _, value = line.partition("=")
    return any(re.search(rf"\b{re.escape(name)}\b", value) for name in names)


def _address(identity: str) -> str:
    match = re.search(r"<([^<>]*)>", identity)
    return (match[1] if match else identity).lower()
