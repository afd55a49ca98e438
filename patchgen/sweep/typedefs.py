# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the parts of a C file that show spatch that a word is a type, so that none is cut.

spatch recognises a typedef name only after it has seen it declare something, further up in the file
(`lookahead2` in parsing_c/parsing_hacks.ml). Otherwise `(u64)(x)` is a call, and the first argument
of `min_t(u32, a, b)` an expression rather than a type. So a type name in the remaining text must be
shown to be one where it was before. The words that may be ambiguous, and the code that may show
that they are types, are matched generously; code that certainly shows it is matched narrowly.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence

from patchgen.coccinelle import find_word
from patchgen.sweep.bodies import Span
from patchgen.sweep.words import is_prose

_C_WORDS = frozenset(
    b"asm auto break case char const continue default do double else enum extern float for goto if"
    b" inline int long register return short signed sizeof static struct switch typeof union"
    b" unsigned void volatile while NULL".split()
)
# `w x`, `w *x`, `w (*x)` and `w *)` at the start of a line, a statement or an argument; and casts,
# as in `(w)(x)` and `(__force w)x`.
_DECLARES = rb"(?=\s++(?:\*++\s*+)?[A-Za-z_(]|\s*+\*++\s*+[A-Za-z_(,)])"
# After `__force` comes a type, but `__be32` is one itself: both words are matched.
_WORD = rb"((?:__\w+\s+)*[A-Za-z_]\w*)"
_CAST = re.compile(
    rb"\((?<![\w)\]]\()(?<!\bif \()(?<!\bwhile \()(?<!\bswitch \()"
    rb"\s*(?:const\s+)?%s\s*\)\s*[A-Za-z_0-9\"'(&*~!-]" % _WORD
)
_QUALIFIERS = rb"(?:(?:const|static|volatile|register|extern|inline)\s+)*+"
_IN_BODY = (
    re.compile(rb"\n[ \t]*+(?=\w++[ \t\n*])%s%s%s" % (_QUALIFIERS, _WORD, _DECLARES)),
    re.compile(rb"[({;](?=\s*+\w++[ \t\n*])\s*+%s%s%s" % (_QUALIFIERS, _WORD, _DECLARES)),
    _CAST,
)
# After a newline, only the same line is scanned: else each of many empty lines would scan the rest.
_IN_HEADER = re.compile(rb"(?:[(,]\s*+|\n[^\S\n]*+)%s%s%s" % (_QUALIFIERS, _WORD, _DECLARES))
# Code whose meaning depends on whether a word is a type: `(w)`, `f(w, w *)`, `(__force w *)x`,
# `(w (*)(`, and `w *x;` or `w (x)`, which are products and calls otherwise.
_AMBIGUOUS = (
    re.compile(rb"[(,]\s*+(?:const\s+)?%s(?:[\s*]|__\w+)*+(?=[),])" % _WORD),
    re.compile(rb"\(\s*+([A-Za-z_]\w*+)\s*+\(\s*+\*"),
    re.compile(rb"(?:[;{})]\s*+|\n[^\S\n]*+)([A-Za-z_]\w*+)\s*+\*++\s*+\w++\s*+[;,=]"),
    re.compile(rb"\n[^\S\n]*+([A-Za-z_]\w*+)\s++\(\w++\)"),
)
_DECLARES_AFTER = re.compile(_DECLARES)
_TAG = re.compile(rb"\b(?:struct|union|enum|goto)\s+\Z")
# `w x;`, `(w x,`, `{ w *x;`, `static w x(`, outside of macro definitions.
_SURE_BEFORE = re.compile(
    rb"(?:(?P<open>[;{]|\A)|[(,}])\s*(?:(?:static|const|inline|extern|volatile)\s+)*\Z"
)
_SURE_AFTER = re.compile(rb"[ \t]+(\**)[A-Za-z_]\w*\s*[,;)=\[(]")


def find_ambiguous_types(text: bytes) -> set[bytes]:
    """Return the words of which a parser of the text must know whether they are types."""
    return _find_words(_AMBIGUOUS, text) - _C_WORDS


def _find_words(patterns: Iterable[re.Pattern[bytes]], text: bytes) -> set[bytes]:
    runs = {words for pattern in patterns for words in pattern.findall(text)}
    return {word for words in runs for word in words.split()}


def find_type_declarers(
    source: bytes, bodies: Sequence[Span], headers: Sequence[Span], words: Collection[bytes]
) -> set[Span]:
    """Return those of the bodies and headers that may be the first to show a word to be a type.

    All are in order.
    """
    inner = b"\n".join(source[begin:end] for begin, end in ((0, 0), *bodies))
    outer = b"\n".join(source[begin:end] for begin, end in ((0, 0), *headers))
    declared = _find_words(_IN_BODY, inner) | _find_words([_IN_HEADER], outer)
    parts = sorted((*bodies, *headers))
    starts = [span.begin for span in parts]
    declarers: set[Span] = set()
    for word in declared & set(words):
        for at in find_word(source, word):
            number = bisect_right(starts, at) - 1
            is_in_part = number >= 0 and at < parts[number].end
            if is_in_part and _may_declare(source, at, word) and not is_prose(source, at):
                declarers.add(parts[number])
            if _surely_declares(source, at, word):
                break
    return declarers


def _may_declare(source: bytes, at: int, word: bytes) -> bool:
    if _DECLARES_AFTER.match(source, at + len(word)):
        return not _TAG.search(source[max(0, at - 20) : at])
    opened = source.rfind(b"(", max(0, at - 60), at)
    cast = _CAST.match(source, opened) if opened >= 0 else None
    return cast is not None and word in cast[1].split()


def _surely_declares(source: bytes, at: int, word: bytes) -> bool:
    after = _SURE_AFTER.match(source, at + len(word))
    before = _SURE_BEFORE.search(source[max(0, at - 80) : at])
    if not after or not before or (after[1] and before["open"] is None):
        return False
    line = source.rfind(b"\n", 0, at) + 1
    is_macro = source.startswith(b"#", line) or source.endswith(b"\\\n", 0, line)
    # In doubt it is in a comment.
    may_be_comment = source.rfind(b"/*", 0, at) > source.rfind(b"*/", 0, at)
    return not is_macro and not may_be_comment and not is_prose(source, at)
