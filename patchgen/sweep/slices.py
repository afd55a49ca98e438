"""Cut out of a C file what no rule can match, keep every line where it is, and put it back.

spatch parses whole files and its parser is the cost. The body of a function that lacks the words of
every rule becomes a comment of as many lines, `{/*pg7` ... `*/` and `}`; the same is done with the
initialisers of tables. Their headers stay, as they say types, but within a run of such functions
(patchgen.sweep.runs). What spatch then writes has these comments as they were, and each is replaced
by what stood there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from patchgen.coccinelle.formula import Formula
from patchgen.sweep.bodies import Body, find_bodies, may_go
from patchgen.sweep.runs import choose_cuts
from patchgen.sweep.spans import Span, replace_spans
from patchgen.sweep.words import Hits, has_word

_CUT = re.compile(rb"/\*pg(\d+)(?: \w+)*\n*\*/")


@dataclass(frozen=True, slots=True)
class Slice:
    """A file's text with parts cut out. `parts` are these, in their order.

    `matters` is False where no rule's words are left in any function or outside of them.
    """

    text: bytes
    parts: tuple[bytes, ...]
    matters: bool


def slice_source(
    source: bytes, needs: tuple[Formula, ...], wanted: Collection[str] = frozenset()
) -> Slice:
    """Cut what satisfies none of the needs, each being what one rule needs of a function.

    A need that always holds keeps everything. Of the `wanted` words, those that the source has stay
    in the text, if only in a comment: spatch skips a file that lacks them.
    """
    hits = Hits(source, needs)
    if not hits.any_item_may():
        return Slice(b"", (), False)
    cut: list[Body] = []
    keeps_any = False
    before = 0
    for body in find_bodies(source):
        # What stands between two items may belong to either; it is the header at least.
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
    signs = [b"/*pg%d%s*/" % (number, b"\n" * count) for number, count in enumerate(lines)]
    text = replace_spans(source, cut, signs.__getitem__)
    lost = [word.encode() for word in sorted(wanted) if word.isidentifier()]
    lost = [word for word in lost if has_word(source, word) and not has_word(text, word)]
    if lost:
        text = text.replace(b"/*pg0", b"/*pg0 " + b" ".join(lost), 1)
    return Slice(text, parts, True)


def restore(text: bytes, parts: Sequence[bytes]) -> bytes | None:
    """Put the parts back into what spatch wrote; None where one is gone, doubled or moved."""
    found = [int(match[1]) for match in _CUT.finditer(text)]
    if found != list(range(len(parts))):
        return None
    return _CUT.sub(lambda match: parts[int(match[1])], text)
