"""Which parts of a C file tell spatch what is a type, so that they cannot go.

spatch knows no typedef but those that it has seen declare something, further up in the file
(`lookahead2` in parsing_c/parsing_hacks.ml). Where it does not, `(u64)(x)` is a call, and the first
argument of `min_t(u32, a, b)` an expression rather than a type. A word that stays has to be told
where it was: what may be in doubt and what may tell it is taken generously, and what is sure to
tell it narrowly.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence

from patchgen.sweep.spans import Span
from patchgen.sweep.words import find_word, is_prose

_OF_C = frozenset(
    b"asm auto break case char const continue default do double else enum extern float for goto if"
    b" inline int long register return short signed sizeof static struct switch typeof union"
    b" unsigned void volatile while NULL".split()
)
# `w x`, `w *x`, `w (*x)` and `w *)` where a line, a statement or an argument begins; and casts, as
# `(w)(x)` and `(__force w)x`.
_TELLS = rb"(?=\s++(?:\*++\s*+)?[A-Za-z_(]|\s*+\*++\s*+[A-Za-z_(,)])"
# `__force` says nothing of what is behind it, but `__be32` is a type: both count.
_WORD = rb"((?:__\w+\s+)*[A-Za-z_]\w*)"
_CAST = re.compile(
    rb"\((?<![\w)\]]\()(?<!\bif \()(?<!\bwhile \()(?<!\bswitch \()"
    rb"\s*(?:const\s+)?%s\s*\)\s*[A-Za-z_0-9\"'(&*~!-]" % _WORD
)
_QUALIFIERS = rb"(?:(?:const|static|volatile|register|extern|inline)\s+)*+"
_IN_BODY = (
    re.compile(rb"\n[ \t]*+(?=\w++[ \t\n*])%s%s%s" % (_QUALIFIERS, _WORD, _TELLS)),
    re.compile(rb"[({;](?=\s*+\w++[ \t\n*])\s*+%s%s%s" % (_QUALIFIERS, _WORD, _TELLS)),
    _CAST,
)
# After a newline only its own line is looked at: each of many empty lines would look at the rest.
_IN_HEADER = re.compile(rb"(?:[(,]\s*+|\n[^\S\n]*+)%s%s%s" % (_QUALIFIERS, _WORD, _TELLS))
# Where it matters whether a word is a type: `(w)`, `f(w, w *)`, `(__force w *)x`, `(w (*)(`, and
# `w *x;` or `w (x)`, which are products and calls else.
_DOUBTFUL = (
    re.compile(rb"[(,]\s*+(?:const\s+)?%s(?:[\s*]|__\w+)*+(?=[),])" % _WORD),
    re.compile(rb"\(\s*+([A-Za-z_]\w*+)\s*+\(\s*+\*"),
    re.compile(rb"(?:[;{})]\s*+|\n[^\S\n]*+)([A-Za-z_]\w*+)\s*+\*++\s*+\w++\s*+[;,=]"),
    re.compile(rb"\n[^\S\n]*+([A-Za-z_]\w*+)\s++\(\w++\)"),
)
_TELLS_BEHIND = re.compile(_TELLS)
_TAG = re.compile(rb"\b(?:struct|union|enum|goto)\s+\Z")
# `w x;`, `(w x,`, `{ w *x;`, `static w x(`, in no macro's text.
_SURE_BEFORE = re.compile(
    rb"(?:(?P<open>[;{]|\A)|[(,}])\s*(?:(?:static|const|inline|extern|volatile)\s+)*\Z"
)
_SURE_BEHIND = re.compile(rb"[ \t]+(\**)[A-Za-z_]\w*\s*[,;)=\[(]")


def find_doubtful(text: bytes) -> set[bytes]:
    """Return the words of a text for which it matters whether they are types."""
    return _find_words(_DOUBTFUL, text) - _OF_C


def _find_words(patterns: Iterable[re.Pattern[bytes]], text: bytes) -> set[bytes]:
    found = {words for pattern in patterns for words in pattern.findall(text)}
    return {word for words in found for word in words.split()}


def find_tellers(
    source: bytes, bodies: Sequence[Span], headers: Sequence[Span], words: Collection[bytes]
) -> set[Span]:
    """Return those of the bodies and headers that may be the first to tell one of the words.

    All are in their order.
    """
    inner = b"\n".join(source[begin:end] for begin, end in ((0, 0), *bodies))
    outer = b"\n".join(source[begin:end] for begin, end in ((0, 0), *headers))
    told = _find_words(_IN_BODY, inner) | _find_words([_IN_HEADER], outer)
    parts = sorted((*bodies, *headers))
    starts = [span.begin for span in parts]
    tellers: set[Span] = set()
    for word in told & set(words):
        for at in find_word(source, word):
            number = bisect_right(starts, at) - 1
            is_in_part = number >= 0 and at < parts[number].end
            if is_in_part and _may_tell(source, at, word) and not is_prose(source, at):
                tellers.add(parts[number])
            if _is_sure(source, at, word):
                break
    return tellers


def _may_tell(source: bytes, at: int, word: bytes) -> bool:
    if _TELLS_BEHIND.match(source, at + len(word)):
        return not _TAG.search(source[max(0, at - 20) : at])
    opened = source.rfind(b"(", max(0, at - 60), at)
    cast = _CAST.match(source, opened) if opened >= 0 else None
    return cast is not None and word in cast[1].split()


def _is_sure(source: bytes, at: int, word: bytes) -> bool:
    behind = _SURE_BEHIND.match(source, at + len(word))
    before = _SURE_BEFORE.search(source[max(0, at - 80) : at])
    if not behind or not before or (behind[1] and before["open"] is None):
        return False
    line = source.rfind(b"\n", 0, at) + 1
    is_macro = source.startswith(b"#", line) or source.endswith(b"\\\n", 0, line)
    # In doubt, it is in a comment.
    may_be_comment = source.rfind(b"/*", 0, at) > source.rfind(b"*/", 0, at)
    return not is_macro and not may_be_comment and not is_prose(source, at)
