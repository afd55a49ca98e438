# SPDX-License-Identifier: GPL-2.0-or-later
"""Cut parts of a C file that no rule can match, keeping all line numbers, and put them back.

spatch parses whole files, and parsing is the main cost. The body of a function that lacks the words
of every rule becomes a comment of as many lines, `{/*pg7` ... `*/` and `}`; so do the initialisers
of tables. Headers stay, as they declare types, except inside of a run of such functions
(patchgen.sweep.function_runs). spatch copies these comments unchanged to its output, where each is
replaced by the original text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from patchgen.coccinelle import Formula
from patchgen.sweep.bodies import CodeBody, find_bodies, may_go
from patchgen.sweep.function_runs import choose_cuts
from patchgen.sweep.spans import Span, replace_spans
from patchgen.sweep.words import WordIndex, has_word

_CUT = re.compile(rb"/\*pg(\d+)(?: \w+)*\n*\*/")


@dataclass(frozen=True, slots=True)
class Slice:
    """A file's text with parts cut out. `parts` are the cut texts, in order.

    `matters` is False if neither any function nor the text outside has the words of a rule.
    """

    text: bytes
    parts: tuple[bytes, ...]
    matters: bool


def slice_source(
    source: bytes, needs: tuple[Formula, ...], wanted: Collection[str] = frozenset()
) -> Slice:
    """Cut what satisfies none of the needs; each need is what one rule requires of a function.

    A need that always holds keeps everything. Those of the `wanted` words that the source has
    stay in the text, if only in a comment: spatch skips a file that lacks them.
    """
    hits = WordIndex(source, needs)
    if not hits.any_item_may():
        return Slice(b"", (), False)
    cut: list[CodeBody] = []
    keeps_any = False
    before = 0
    for body in find_bodies(source):
        # Text between two items may belong to either; it is at least the header of the second.
        if hits.satisfy(before, body.item_end):
            keeps_any = True
        elif may_go(source[body.begin : body.end]):
            cut.append(body)
        before = body.item_end
    if not keeps_any and not hits.wanted.are_met_by(hits.outside(cut)):
        return Slice(b"", (), False)
    return _cut(source, choose_cuts(source, cut), wanted)


def _cut(source: bytes, cut: Sequence[Span], wanted: Collection[str]) -> Slice:
    parts = tuple(source[span.begin : span.end] for span in cut)
    lines = [part.count(b"\n") for part in parts]
    comments = [b"/*pg%d%s*/" % (number, b"\n" * count) for number, count in enumerate(lines)]
    text = replace_spans(source, cut, comments.__getitem__)
    lost = [word.encode() for word in sorted(wanted) if word.isidentifier()]
    lost = [word for word in lost if has_word(source, word) and not has_word(text, word)]
    if lost:
        text = text.replace(b"/*pg0", b"/*pg0 " + b" ".join(lost), 1)
    return Slice(text, parts, True)


def restore(text: bytes, parts: Sequence[bytes]) -> bytes | None:
    """Put the cut parts back into spatch's output; None if one is missing, doubled or moved."""
    found = [int(match[1]) for match in _CUT.finditer(text)]
    if found != list(range(len(parts))):
        return None
    return _CUT.sub(lambda match: parts[int(match[1])], text)
