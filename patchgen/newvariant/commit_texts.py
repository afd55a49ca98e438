# SPDX-License-Identifier: GPL-2.0-or-later
"""The texts of a variant from commits: the manifest's tables, the messages, the cover letter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from patchgen.controls import escape_controls
from patchgen.counting import count
from patchgen.ctokens import find_sequence, tokenize
from patchgen.linediff import find_line_changes, split_lines
from patchgen.model.base import escape_glob
from patchgen.model.commit import Commit
from patchgen.newvariant.commit_files import TextChange
from patchgen.newvariant.draft import COVER_END, PROVENANCE, clean_message, quote, quote_list
from patchgen.newvariant.replacements import escape_prose
from patchgen.newvariant.rule import InferredRule
from patchgen.series.trailers import Trailer, parse_message
from patchgen.spec.manifest import STATEMENTS

_FEWEST_TOKENS = 3


def format_message(commit: Commit) -> str:
    """Return the template of a commit's message.

    Trailers such as Reviewed-by are not copied: they are statements about the original patch.
    """
    text = commit.message.encode("utf-8", "replace").decode("utf-8")
    message, statements = parse_message(text).without_trailers(_is_statement)
    lines = [message.lead, *map(str, message.trailers)]
    trailers = "\n".join(filter(None, lines))
    parts = [message.subject or subject_of(commit), message.body, trailers]
    subject, body, trailers = (escape_prose(clean_message(part)) for part in parts)
    comment = f"From {commit.oid[:12]}, by {_comment(commit.author)}."
    if statements:
        listed = _comment(", ".join(map(str, statements)))
        comment += f" Not copied, since they are about the original patch: {listed}"
    sections = [subject, body, PROVENANCE.rstrip("\n"), trailers]
    # The mark at the end of a comment removes the line break after it.
    return f"{{#- {comment.rstrip()} -#}}\n" + "\n\n".join(filter(None, sections)) + "\n"


def subject_of(commit: Commit) -> str:
    """Return the subject of a commit, or one for a commit with an empty message."""
    return commit.subject or f"Change {count(len(commit.files), 'file')}"


def _is_statement(trailer: Trailer) -> bool:
    return trailer.key.lower() in STATEMENTS


def _comment(text: str) -> str:
    return escape_controls(text).replace("#}", "# }")


def format_cover(commits: Sequence[Commit]) -> str:
    """Return the template of the cover letter."""
    subjects = [escape_prose(clean_message(subject_of(commit))) for commit in commits]
    lines = "".join(f"  {subject}\n" for subject in subjects)
    source = "Made from this commit:" if len(commits) == 1 else "Made from these commits:"
    return f"{subjects[0]}\n\n{source}\n\n{lines}\n{COVER_END}"


def format_patch_head(name: str, changes: Iterable[TextChange]) -> str:
    """Return the table of a patch, with a probe if a changed file gets new tokens."""
    lines = [
        "",
        "[[patch]]",
        f"name = {quote(name)}",
        "# The commit's message; its first line is the subject.",
        f"message = {quote(f'{name}/message.txt.j2')}",
    ]
    changes = list(changes)
    if all(change.before is not None for change in changes):
        for change in changes:
            if (tokens := _find_new_tokens(change)) is not None:
                lines.append("# A base with these tokens already has the patch.")
                path = quote(escape_glob(str(change.path)))
                lines.append(f"probe = {{ file = {path}, tokens = {quote(tokens)} }}")
                break
    return "\n".join(lines) + "\n"


def _find_new_tokens(change: TextChange) -> str | None:
    """Return the tokens of the first added line that the old text does not have, or None."""
    old, new = split_lines(change.before or b""), split_lines(change.after)
    for hunk in find_line_changes(old, new):
        for line in new[hunk.new_start : hunk.new_end]:
            tokens = [token.text for token in tokenize(line)]
            try:
                text = line.decode("utf-8").strip()
            except UnicodeDecodeError:
                continue
            is_new = len(tokens) >= _FEWEST_TOKENS and not find_sequence(
                change.before or b"", tokens
            )
            if is_new and find_sequence(change.after, tokens) and "{" not in text:
                return text
    return None


def format_rules(file: str, rule: InferredRule, paths: Iterable[PurePosixPath]) -> str:
    """Return the table of a semantic patch."""
    on = quote_list([escape_glob(str(path)) for path in paths])
    return (
        "\n[[patch.rules]]\n"
        f"# {rule.purpose}\n"
        "# Inferred from the commit: read it, and widen `on` to a glob, such as drivers/**/*.c.\n"
        f"file = {quote(file)}\n"
        f"on = {on}\n"
        f'must_fire = {{ {rule.name} = ">=1" }}\n'
    )


def format_replacement(path: PurePosixPath, old: str, new: str) -> str:
    """Return the table `[[patch.replace]]` for the templates of the old and the new lines."""
    return (
        f"\n[[patch.replace]]\nfile = {quote(escape_glob(str(path)))}\n"
        f"old = {quote(old)}\nnew = {quote(new)}\n"
    )
