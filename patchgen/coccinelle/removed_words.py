# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the words that a semantic patch removes from the code.

These are the words on its `-` lines that are not on a `+` line: for a rename the old name, and for
a call that is replaced its function, but not the arguments that the new call has, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from patchgen.coccinelle.choices import ANY
from patchgen.coccinelle.metavariables import Declaration
from patchgen.coccinelle.plain_rules import find_rule_choices
from patchgen.coccinelle.rules import Rule, read_rules

_MINUS = re.compile(r"[?!]*-")
_INCLUDE = re.compile(r"\s*#\s*include\s*[\"<](?P<name>[^\">]+)[\">]")
_WORD = re.compile(r"(?<![\w#])[A-Za-z_]\w*", re.ASCII)
# C11 6.4.1, what the kernel adds, and the words of SmPL.
_C_KEYWORDS = (
    "auto break case char const continue default do double else enum extern float for goto if"
    " inline int long register restrict return short signed sizeof static struct switch typedef"
    " union unsigned void volatile while _Bool bool asm typeof __typeof__ __attribute__ __inline"
)
_SMPL_KEYWORDS = "when any exists forall strict define undef ifdef ifndef endif elif pragma"
_KEYWORDS = frozenset(f"{_C_KEYWORDS} {_SMPL_KEYWORDS}".split())
# Metavariables of these kinds stand for themselves.
_OWN_NAMES = frozenset({"symbol", "typedef"})


def find_removed_words(
    texts: Iterable[str], dead: frozenset[str], values: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the words, sorted; the name of a header is one word.

    `texts` are the semantic patch and those that it includes. `dead` are the rules that cannot
    apply, by the names that spatch gives them; `values` are those of the virtual identifiers.
    """
    removed: set[str] = set()
    added: set[str] = set()
    rules = (
        rule
        for text in texts
        for rule in zip(read_rules(text), find_rule_choices(text), strict=True)
    )
    for rule, choices in rules:
        if rule.is_script or rule.traced_name in dead:
            continue
        meanings: dict[str, set[str]] = {name: set() for name in list_metavariables(rule)}
        virtual = (name for name in rule.virtual_identifiers if name in values)
        meanings |= {name: {values[name]} for name in virtual}
        meanings |= {name: set(words) for name, words in choices.items()}
        code = rule.pattern.split("\n")
        for line, plain in zip(_body(rule, len(code)), code, strict=True):
            minus = _MINUS.match(plain)
            if minus is None and not plain.startswith("+"):
                continue
            target = added if minus is None else removed
            include = _INCLUDE.match(line[minus.end() if minus else 1 :])
            words = {include["name"]} if include else set(_WORD.findall(plain))
            for word in words:
                target |= meanings.get(word, {word})
    words = removed - added - _KEYWORDS
    # A pattern stands for words that cannot be listed.
    return tuple(sorted(word for word in words if ANY not in word))


def _body(rule: Rule, count: int) -> list[str]:
    """Return the lines of a pattern as they are written; the first one follows the `@@`."""
    lines = ["", *rule.body_lines]
    return [*lines, *[""] * count][:count]


def list_metavariables(rule: Rule) -> Iterator[str]:
    """Yield the metavariables of a rule that stand for other code."""
    for declaration in rule.declarations:
        if declaration.kind not in _OWN_NAMES and not _is_plain_name(declaration):
            yield from declaration.names


def _is_plain_name(declaration: Declaration) -> bool:
    """Return whether it is `declarer name X` or `iterator name X`, which declare words of C."""
    return declaration.kind in ("declarer", "iterator") and declaration.words[1:2] == ["name"]
