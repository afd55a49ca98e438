# SPDX-License-Identifier: GPL-2.0-or-later
"""Infer rules for calls that a change makes to another function, or with other arguments.

A hunk makes rules if each changed token is the name of a called function, or inside the parentheses
of a call. All calls that changed in the same way make one rule. An argument that both calls pass is
a metavariable; a new argument has to be the same text in all of these calls. accepted_rules.py runs
the rules to test them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from patchgen.ctokens import is_word
from patchgen.newvariant.changed_tokens import (
    ChangedFile,
    TokenChange,
    Tokens,
    split_arguments,
)
from patchgen.newvariant.rule import InferredRule, choose_name

# Keywords and operators that are not functions, although a parenthesis may follow them.
_NOT_CALLED = frozenset(
    b"if while for switch return sizeof typeof __typeof__ defined __attribute__ case".split()
)
_ENDS = frozenset({b";", b"{", b"}"})


@dataclass(frozen=True, slots=True)
class _Argument:
    """An argument: its tokens, and its text on one line. Arguments with equal tokens are equal."""

    tokens: tuple[bytes, ...]
    text: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class _CallChange:
    """A call before and after: the names of the functions, and the arguments."""

    old_name: str
    new_name: str
    old: tuple[_Argument, ...]
    new: tuple[_Argument, ...]

    @property
    def is_rename(self) -> bool:
        return self.old == self.new


def infer_call_rules(files: Iterable[ChangedFile]) -> list[InferredRule]:
    """Return the rules for the calls that differ in these files."""
    changes = [change for file in files for change in _find_call_changes(file)]
    rules: list[InferredRule] = []
    used: set[str] = set()
    renames = {(c.old_name, c.new_name): None for c in changes if c.is_rename}
    for old_name, new_name in renames:
        name = choose_name(f"rename_{old_name}", used)
        rules.append(_make_rename(name, old_name, new_name))
    groups: dict[tuple[str, str, int, int], list[_CallChange]] = {}
    for change in changes:
        if not change.is_rename:
            key = (change.old_name, change.new_name, len(change.old), len(change.new))
            groups.setdefault(key, []).append(change)
    for group in groups.values():
        clusters = _cluster(group)
        for cluster in clusters:
            name = choose_name(f"arguments_{cluster.changes[0].old_name}", used)
            rules.append(_make_arguments(name, cluster, is_only=len(clusters) == 1))
    return rules


def _find_call_changes(file: ChangedFile) -> Iterator[_CallChange]:
    """Yield each changed call of a file once, from hunks that change only calls."""
    pairs: dict[tuple[int, int], None] = {}
    for hunk in file.list_hunks():
        found = [_find_pair(file, change) for change in file.list_changes(hunk)]
        if None not in found:
            pairs |= dict.fromkeys(filter(None, found))
    for old_at, new_at in pairs:
        old, new = file.old, file.new
        old_arguments = split_arguments(old.texts, old_at + 1)
        new_arguments = split_arguments(new.texts, new_at + 1)
        if old_arguments is None or new_arguments is None:
            continue
        spans = ((old, old_arguments), (new, new_arguments))
        if any(tokens.spans_lines(*span) for tokens, each in spans for span in each):
            continue
        yield _CallChange(
            old.show(old_at, old_at + 1),
            new.show(new_at, new_at + 1),
            tuple(_read_argument(old, *span) for span in old_arguments),
            tuple(_read_argument(new, *span) for span in new_arguments),
        )


def _read_argument(tokens: Tokens, start: int, end: int) -> _Argument:
    return _Argument(tuple(tokens.texts[start:end]), tokens.show(start, end))


def _find_pair(file: ChangedFile, change: TokenChange) -> tuple[int, int] | None:
    """Return the indices of the old and the new name of the call around a change, or None."""
    old, new = file.old.texts, file.new.texts
    i1, i2, j1, j2 = change
    if i2 - i1 == j2 - j1 == 1 and _is_callee(old, i1) and _is_callee(new, j1):
        return i1, j1
    old_at, new_at = _find_call(old, i1), _find_call(new, j1)
    return None if old_at is None or new_at is None else (old_at, new_at)


def _is_callee(tokens: Sequence[bytes], at: int) -> bool:
    return (
        is_word(tokens[at])
        and tokens[at] not in _NOT_CALLED
        and at + 1 < len(tokens)
        and tokens[at + 1] == b"("
    )


def _find_call(tokens: Sequence[bytes], at: int) -> int | None:
    """Return the index of the function's name in the innermost call around a token."""
    depth = 0
    for index in range(at - 1, 0, -1):
        if tokens[index] in _ENDS:
            return None
        if tokens[index] == b")":
            depth += 1
        elif tokens[index] == b"(" and depth:
            depth -= 1
        elif tokens[index] == b"(" and _is_callee(tokens, index - 1):
            return index - 1
    return None


@dataclass(slots=True)
class _SimilarCalls:
    """Calls that changed in the same way.

    `sources` has, for each new argument, the possible sources that all calls share: the index of an
    old argument, or the new argument itself.
    """

    changes: list[_CallChange]
    sources: list[set[int | _Argument]]


def _cluster(group: Sequence[_CallChange]) -> list[_SimilarCalls]:
    clusters: list[_SimilarCalls] = []
    for change in group:
        sources: list[set[int | _Argument]] = [
            {new, *(k for k, old in enumerate(change.old) if old == new)} for new in change.new
        ]
        for cluster in clusters:
            joined = [ours & theirs for ours, theirs in zip(cluster.sources, sources, strict=True)]
            if all(joined):
                cluster.changes.append(change)
                cluster.sources = joined
                break
        else:
            clusters.append(_SimilarCalls([change], sources))
    return clusters


def _make_rename(name: str, old: str, new: str) -> InferredRule:
    text = f"@{name}@\nposition p;\n@@\n-{old}@p\n+{new}\n (...)\n"
    return InferredRule(name, text, f"Call {new}() instead of {old}().", (old,))


def _make_arguments(name: str, cluster: _SimilarCalls, *, is_only: bool) -> InferredRule:
    """Return the rule of a cluster; `is_only` if these functions have no other cluster.

    The rule has the text of a dropped argument if that is the same in all calls. If the calls of
    other clusters must not match, it has the text of each old argument that is the same in all
    calls of its own.
    """
    first = cluster.changes[0]
    columns = [{change.old[k] for change in cluster.changes} for k in range(len(first.old))]
    new = _choose_sources(cluster)
    passed = {source for source in new if isinstance(source, int)}
    is_text = [
        len(column) == 1 and (k not in passed or not is_only) for k, column in enumerate(columns)
    ]
    words = {word.decode() for each in (*first.old, *first.new) for word in each.tokens}
    variables = [choose_name(f"e{k + 1}", words) for k in range(len(columns))]
    old = [first.old[k].text if is_text[k] else variables[k] for k in range(len(columns))]
    variables = [name for name, text in zip(variables, old, strict=True) if name == text]
    place = choose_name("p", words)
    result = [old[source] if isinstance(source, int) else source.text for source in new]
    lines = [f"@{name}@"]
    lines += [f"expression {', '.join(variables)};"] if variables else []
    lines += [f"position {place};", "@@"]
    if first.old_name == first.new_name:
        lines.append(f" {first.old_name}@{place}(")
    else:
        lines += [f"-{first.old_name}@{place}", f"+{first.new_name}", " ("]
    lines += [*_diff_arguments(old, result), " )"]
    verb = "Pass other arguments to" if first.old_name == first.new_name else "Call"
    return InferredRule(
        name, "\n".join(lines) + "\n", f"{verb} {first.new_name}().", (first.old_name,)
    )


def _choose_sources(cluster: _SimilarCalls) -> list[int | _Argument]:
    """Return the source of each new argument: the old argument at the same place if possible, else
    another old argument, else its own text.
    """
    chosen: list[int | _Argument] = []
    for m, sources in enumerate(cluster.sources):
        others = sorted(k for k in sources if isinstance(k, int) and k not in chosen)
        texts = [source for source in sources if isinstance(source, _Argument)]
        chosen.append(m if m in others else others[0] if others else texts[0])
    return chosen


def _diff_arguments(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a rule that replace the old arguments by the new ones."""
    before, after = (_with_commas(arguments) for arguments in (old, new))
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            yield " " + " ".join(before[i1:i2])
            continue
        if i1 < i2:
            yield "-" + " ".join(before[i1:i2])
        if j1 < j2:
            yield "+" + " ".join(after[j1:j2])


def _with_commas(arguments: Sequence[str]) -> list[str]:
    return [part for argument in arguments for part in (",", argument)][1:]
