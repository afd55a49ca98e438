"""Which words of what is cut tell spatch that they are types, where that matters for what stays.

spatch knows no typedef but those that it has seen declare something, further up in the file
(parsing_c/parsing_hacks.ml). Where it does not, `(u64)(x)` is a call, and the first argument of
`min_t(u32, a, b)` an expression rather than a type.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from patchgen.sweep.spans import Span
from patchgen.sweep.words import find_word

# What may be a type or a variable, by what stands around it: `(word)-1`, `sizeof(word`, `f(word,`.
_DOUBTFUL = re.compile(
    rb"\(\s*([A-Za-z_]\w*)[\s*]*\)\s*[-+*&(~!]"
    rb"|\bsizeof\s*\(\s*([A-Za-z_]\w*)"
    rb"|[(,]\s*([A-Za-z_]\w*)\s*(?=[,)])"
)
# What is declared, or assigned to, is none.
_VARIABLE = re.compile(rb"[\w*]\s+\**([A-Za-z_]\w*)\s*(?=[,;=)\[])|\b([A-Za-z_]\w*)\s*(?:=|->|\.)")
_OF_C = frozenset(
    b"char const double enum float int long short signed struct union unsigned void".split()
    + b"break continue else goto return sizeof case do NULL".split()
)
# What stands before a type, and what behind it, where it declares something or is cast to.
_BEFORE = re.compile(
    rb"(?:\A|[;{}(,:]|\*/|\b(?:const|static|inline|extern|volatile|register|__always_inline))\s*\Z"
)
_BEHIND = re.compile(
    rb"\s+\**(?:(?:const|__\w+)\s+)*[A-Za-z_]\w*\s*[,;=)(\[]"
    rb"|\s+\(\s*\*"
    rb"|\s*\*[\s*]*\)"
    rb"|\s*\*+\s*[A-Za-z_]\w*\s*[;=\[]"
)


def find_doubtful(texts: Iterable[bytes]) -> list[bytes]:
    """Return the words in the texts that may be types, by what stands around them."""
    found: set[bytes] = set()
    for text in texts:
        words = {word for groups in _DOUBTFUL.findall(text) for word in groups if word}
        found |= words - {word for groups in _VARIABLE.findall(text) for word in groups}
    return sorted(found - _OF_C)


def declares(text: bytes, words: Collection[bytes]) -> bool:
    """Tell whether a text tells of any of the words that it is a type."""
    return any(True for word in words for _ in _find_declarations(text, word))


def find_lessons(
    source: bytes, cut: Sequence[Span], doubtful: Sequence[bytes]
) -> dict[int, list[bytes]]:
    """Return by the number of a part that is cut which of the words it tells first to be types."""
    lessons: dict[int, list[bytes]] = {}
    for word in doubtful:
        places = list(_find_declarations(source, word))
        for number, span in enumerate(cut) if places else ():
            if any(span.begin <= at < span.end for at in places):
                lessons.setdefault(number, []).append(word)
                break
    return lessons


def _find_declarations(text: bytes, word: bytes) -> Iterator[int]:
    return (
        at
        for at in find_word(text, word)
        if _BEHIND.match(text, at + len(word))
        and _BEFORE.search(text[max(0, at - 40) : at])
        and not _is_prose(text, at)
    )


def _is_prose(text: bytes, at: int) -> bool:
    """Tell whether an offset is in a comment or a string."""
    line = text[text.rfind(b"\n", 0, at) + 1 : at]
    if b"//" in line or line.count(b'"') % 2:
        return True
    return text.rfind(b"/*", 0, at) > text.rfind(b"*/", 0, at)
