"""What has to stay in a C file for spatch to know a type where it matters.

spatch knows no typedef that it has not seen declare something, and reads `(u64)(x)` as a call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from patchgen.sweep.bodies import Body
from patchgen.sweep.spans import Span, is_within, without
from patchgen.sweep.words import find_word

# A word that may be a type or a variable, by what stands around it: `(word)-1`, `(word)(x)`.
_DOUBTFUL = re.compile(rb"\(\s*([A-Za-z_]\w*)[\s*]*\)\s*[-+*&(~!]|\bsizeof\s*\(\s*([A-Za-z_]\w*)")
_OF_C = frozenset(
    b"char const double enum float int long short signed struct union unsigned".split()
)
# A word that can only be a type: it declares something.
_DECLARES = re.compile(rb"(?:\s+\**|\s*\*+\s*)[A-Za-z_]")


def find_doubtful(texts: Iterable[bytes]) -> list[bytes]:
    """Return the words in the texts that may be types, by what stands around them."""
    found = {word for text in texts for pair in _DOUBTFUL.findall(text) for word in pair if word}
    return sorted(found - _OF_C)


def keep_teachers(source: bytes, cut: list[Body], doubtful: Sequence[bytes]) -> list[Body]:
    """Return what is to be cut, without what alone spatch learns a doubtful word from."""
    if not doubtful or not cut:
        return cut
    rest = without(source, [body.inner for body in cut])
    for word in doubtful:
        if not _declares(rest, word):
            teacher = next((b for b in cut if _declares(source[b.begin : b.end], word)), None)
            cut = [body for body in cut if body is not teacher]
    return cut


def teach_the_same(
    source: bytes, cut: Sequence[Span], more: Sequence[Span], doubtful: Sequence[bytes]
) -> bool:
    """Tell whether spatch learns the doubtful words where it did, should more be cut."""
    for word in doubtful:
        left = (at for at in _find_declarations(source, word) if not is_within(cut, at))
        if is_within(more, next(left, -1)):
            return False
    return True


def _declares(text: bytes, word: bytes) -> bool:
    return next(_find_declarations(text, word), None) is not None


def _find_declarations(text: bytes, word: bytes) -> Iterator[int]:
    return (at for at in find_word(text, word) if _DECLARES.match(text, at + len(word)))
