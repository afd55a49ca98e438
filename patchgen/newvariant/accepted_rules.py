# SPDX-License-Identifier: GPL-2.0-or-later
"""Run inferred rules over the files of a change, and accept those with a correct result.

A rule is accepted for a file if it changes only lines that the change changes, and if the result is
nearer to the file after the change. replacements.py states the remaining difference.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from patchgen.coccinelle import SemanticPatch, Spatch, apply_to_file
from patchgen.ctokens import split_tokens
from patchgen.edit import with_line_ends_of
from patchgen.errors import PatchgenError
from patchgen.linediff import find_line_changes, split_lines
from patchgen.newvariant.call_rules import infer_call_rules
from patchgen.newvariant.changed_tokens import ChangedFile
from patchgen.newvariant.rule import InferredRule
from patchgen.newvariant.statement_rules import infer_statement_rules
from patchgen.process import map_parallel


@dataclass(frozen=True, slots=True)
class AcceptedRule:
    """A rule and the files that it is accepted for: their contents before it and after it."""

    rule: InferredRule
    files: Mapping[PurePosixPath, tuple[bytes, bytes]]


def find_rules(
    files: Sequence[ChangedFile], spatch: Spatch, timeout_s: int
) -> tuple[list[AcceptedRule], dict[PurePosixPath, bytes]]:
    """Return the accepted rules in the order to run them, and the contents of the files after them.

    Raises ToolError if spatch cannot be run.
    """
    accepted: list[AcceptedRule] = []
    contents = {file.path: file.before for file in files}
    for infer in (infer_call_rules, infer_statement_rules):
        remaining = [ChangedFile(file.path, contents[file.path], file.after) for file in files]
        for rule in infer(remaining):
            if results := _try_rule(rule, files, contents, spatch, timeout_s):
                accepted.append(AcceptedRule(rule, results))
                contents |= {path: after for path, (_, after) in results.items()}
    return accepted, contents


def _try_rule(
    rule: InferredRule,
    files: Iterable[ChangedFile],
    contents: Mapping[PurePosixPath, bytes],
    spatch: Spatch,
    timeout_s: int,
) -> dict[PurePosixPath, tuple[bytes, bytes]]:
    """Return the files that a rule is accepted for: their contents before it and after it."""
    patch = SemanticPatch(f"{rule.name}.cocci", rule.text)
    candidates = [
        (file, contents[file.path])
        for file in files
        if contents[file.path] != file.after and rule.may_match(contents[file.path])
    ]
    run = partial(_run, patch, spatch, timeout_s)
    results = map_parallel(run, candidates, workers=os.cpu_count() or 1)
    return {
        file.path: (before, after)
        for (file, before), after in zip(candidates, results, strict=True)
        if after is not None and is_progress(before, after, file.after)
    }


def _run(
    patch: SemanticPatch, spatch: Spatch, timeout_s: int, candidate: tuple[ChangedFile, bytes]
) -> bytes | None:
    """Return the file after the rule, None if it does not match or spatch refuses it."""
    file, content = candidate
    try:
        after = apply_to_file(spatch, patch, file.path, content, timeout_s=timeout_s).after
    except PatchgenError:
        return None
    return None if after is None else with_line_ends_of(content, after)


def is_progress(before: bytes, result: bytes, after: bytes) -> bool:
    """Return whether a result is nearer to `after` than `before` is, and differs from `before` only
    in lines that `after` changes.
    """
    first, second, last = map(split_lines, (before, result, after))
    intended = find_line_changes(first, last)
    for change in find_line_changes(first, second):
        start, end = change.old_start, change.old_end
        if not any(hunk.old_start <= start and end <= hunk.old_end for hunk in intended):
            return False
    return _measure_distance(second, last) < _measure_distance(first, last)


def _measure_distance(old: Sequence[bytes], new: Sequence[bytes]) -> tuple[int, int]:
    """Return the numbers of tokens and of lines that differ between two texts."""
    tokens = lines = 0
    for change in find_line_changes(old, new):
        sides = (old[change.old_start : change.old_end], new[change.new_start : change.new_end])
        counts = [Counter(text for _, text in split_tokens(b"".join(side))) for side in sides]
        tokens += sum(((counts[0] - counts[1]) + (counts[1] - counts[0])).values())
        lines += sum(map(len, sides))
    return tokens, lines
