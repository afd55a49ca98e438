# SPDX-License-Identifier: GPL-2.0-or-later
"""Find stores of a function's address to an object that is not a local variable, in C source.

modpost allows data whose name ends in `_ops`, such as `pv_ops`, to refer to `__init` functions
(scripts/mod/modpost.c, `secref_whitelist()`). Nor does it report `pv_ops.mmu.x = f;` in an `__init`
function: the store is code in .init.text, which may refer to .init.text (`sectioncheck`). The
pointer outlives f, and the next call through it jumps to freed memory.

The source is read as tokens: macros are not expanded, and a store by a called function through its
argument is not found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from patchgen.ctokens import Token, erase_directives, tokenize

INIT_FUNCTION = frozenset((b"__init",))
# __ref* mark references that their author knows to be valid (include/linux/init.h).
INIT_DATA = frozenset((b"__initdata", b"__initconst", b"__refdata", b"__refconst"))
# Macros that evaluate to their argument in another type (arch/x86/include/asm/paravirt_types.h).
_TRANSPARENT = frozenset((b"__PV_IS_CALLEE_SAVE", b"PV_CALLEE_SAVE"))
# Macros that store, with the argument numbers of the object and of the value.
_STORERS = {
    b"WRITE_ONCE": (0, 1),
    b"rcu_assign_pointer": (0, 1),
    b"RCU_INIT_POINTER": (0, 1),
    b"smp_store_release": (0, 1),
    b"smp_store_mb": (0, 1),
    b"static_call_update": (0, 1),
    b"xchg": (0, 1),
    b"cmpxchg": (0, 2),
}
_CONDITIONS = frozenset((b"if", b"while", b"for", b"switch"))
_KEYWORDS_BEFORE = frozenset((b"else", b"do"))
_ATTRIBUTES = frozenset(
    (b"__attribute__", b"__aligned", b"__section", b"__printf", b"__acquires", b"__releases")
)
_OPENS = {b"(": 1, b"[": 1, b")": -1, b"]": -1}
# A word between these is a whole value, not an operand.
_BEFORE_VALUE = frozenset((b"=", b"(", b"?", b":", b",", b"&", b")"))
_AFTER_VALUE = frozenset((b")", b":", b",", b""))


@dataclass(frozen=True, slots=True)
class AddressStore:
    """A store of the address of `value` to an object: its name is `root`, the full access `place`.

    `function` contains the store; it is "" for the initial value of an object at file level.
    """

    function: str
    root: str
    place: str
    value: str
    line: int


@dataclass
class CFile:
    """The declarations of a C file at file level, and the stores in functions and initial values.

    `functions` and `variables` have True for names marked `__init`, `__initdata` or `__initconst`.
    A name that is only declared here, without a mark, is left out: its definition may have one.
    """

    functions: dict[str, bool] = field(default_factory=dict)
    variables: dict[str, bool] = field(default_factory=dict)
    stores: list[AddressStore] = field(default_factory=list)


@dataclass
class _Scope:
    """The local names of a function; the targets of local pointers, and the values of locals."""

    function: str
    names: set[bytes]
    targets: dict[bytes, bytes] = field(default_factory=dict)
    values: dict[bytes, list[bytes]] = field(default_factory=dict)


def read_c_file(source: bytes) -> CFile:
    """Return declarations and stores of a C source. For invalid C, they may be missing or wrong."""
    file = CFile()
    bodies = []
    for header, body in _split_items(list(tokenize(erase_directives(source)))):
        marks = {token.text for token in header}
        name = _find_function_name(header)
        if name is not None:
            key = name.text.decode()
            if marks & INIT_FUNCTION or body is not None:
                file.functions[key] = file.functions.get(key, False) or bool(marks & INIT_FUNCTION)
            if body is not None:
                bodies.append((key, header, body))
        elif b"extern" not in marks or marks & INIT_DATA:
            names = (_find_variable_name(part) for part in _split_at(_cut_value(header), b","))
            for key in (token.text.decode() for token in names if token is not None):
                file.variables[key] = file.variables.get(key, False) or bool(marks & INIT_DATA)
            file.stores += _read_initial(header, body or [])
    for key, header, body in bodies:
        scope = _Scope(key, {token.text for token in header if token.is_word})
        for statement in _split_statements(body):
            file.stores += _read_statement(statement, scope)
    return file


def _split_items(
    tokens: Sequence[Token],
) -> Iterator[tuple[list[Token], list[Token] | None]]:
    """Yield the tokens of each declaration at file level, and those in its braces."""
    header: list[Token] = []
    body: list[Token] = []
    depth = parens = 0
    for token in tokens:
        if token.text == b"{":
            depth += 1
        if depth:
            body.append(token)
        elif token.text == b";" and parens == 0:
            yield header, body or None
            header, body = [], []
        else:
            parens = max(0, parens + _OPENS.get(token.text, 0))
            header.append(token)
        if token.text == b"}" and depth:
            depth -= 1
            if depth == 0 and _find_function_name(header) is not None:
                yield header, body
                header, body = [], []


def _find_function_name(header: Sequence[Token]) -> Token | None:
    """Return the name of the function that a header declares, None for anything else."""
    depth = 0
    for index, token in enumerate(header):
        after = [token.text for token in header[index + 1 : index + 3]]
        if token.text == b"=" and depth == 0:
            return None
        if depth == 0 and token.is_word and after[:1] == [b"("]:
            if after[1:] == [b"*"]:
                # A pointer to a function: "void (*hook)(void)".
                return None
            if token.text not in _ATTRIBUTES:
                return token
        depth += _OPENS.get(token.text, 0)
    return None


def _cut_value(header: Sequence[Token]) -> Sequence[Token]:
    texts = [token.text for token in header]
    return header[: texts.index(b"=")] if b"=" in texts else header


def _read_initial(header: Sequence[Token], body: Sequence[Token]) -> Iterator[AddressStore]:
    """Yield the stores of an object's initial value."""
    declared = _cut_value(header)
    root = _find_variable_name(declared)
    if len(declared) == len(header) or root is None:
        return
    pieces = _split_at(header[len(declared) + 1 :], b",")
    pieces += [piece for part in _split_statements(body) for piece in _split_at(part, b",")]
    for piece in pieces:
        parts = _split_at(piece, b"=")
        member = b"".join(token.text for token in parts[0]) if len(parts) > 1 else b""
        for value in _find_values(parts[-1]):
            place = (root.text + member).decode()
            yield AddressStore("", root.text.decode(), place, value.text.decode(), value.line)


def _find_variable_name(declared: Sequence[Token]) -> Token | None:
    """Return the name in a declaration: the last word that is neither an attribute nor a size."""
    depth = 0
    names: list[Token] = []
    pointer = after_star = False
    for token in declared:
        # A pointer to a function has its name in parentheses: "void (*__initdata hook)(void)".
        pointer = token.text == b"*" or (pointer and token.text.startswith(b"__"))
        if token.is_word and (depth == 0 or after_star):
            names.append(token)
        after_star = pointer
        depth += _OPENS.get(token.text, 0)
    plain = [token for token in names if not token.text.startswith(b"__")]
    return plain[-1] if plain else None


def _split_statements(body: Sequence[Token]) -> Iterator[list[Token]]:
    statement: list[Token] = []
    depth = 0
    for token in body:
        depth = max(0, depth + _OPENS.get(token.text, 0))
        if token.text in (b"{", b"}") or (token.text == b";" and depth == 0):
            if statement:
                yield statement
            statement, depth = [], 0
        else:
            statement.append(token)


def _read_statement(statement: Sequence[Token], scope: _Scope) -> Iterator[AddressStore]:
    tokens = _skip_control(statement)
    pieces = _split_at(tokens, b",")
    is_declaration = _is_declaration(pieces[0])
    for piece in pieces:
        parts = _split_at(piece, b"=")
        if is_declaration:
            names = [token for token in parts[0] if token.is_word]
            scope.names.update(token.text for token in names)
            parts[0] = names[-1:]
        if len(parts) == 1:
            yield from _read_storer(piece, scope)
            continue
        values = list(_find_values(parts[-1]))
        for part in parts[:-1]:
            yield from _store(part, values, scope)


def _read_storer(tokens: Sequence[Token], scope: _Scope) -> Iterator[AddressStore]:
    for index, token in enumerate(tokens[:-1]):
        if token.text in _STORERS and tokens[index + 1].text == b"(":
            arguments = _split_at(_take_inside(tokens, index + 1), b",")
            place, value = _STORERS[token.text]
            if len(arguments) > value:
                yield from _store(arguments[place], list(_find_values(arguments[value])), scope)


def _store(part: Sequence[Token], values: Sequence[Token], scope: _Scope) -> Iterator[AddressStore]:
    """Yield the stores of values to one place; record the values of local variables."""
    identifiers = [token for token in part if token.is_word]
    # ".member = f" initialises a local object: a function's code initialises no other.
    if not identifiers or part[0].text == b".":
        return
    texts = [token.text for token in part]
    root = identifiers[0].text
    after = texts[texts.index(root) + 1 : texts.index(root) + 2]
    if after == [b"("]:
        return
    stored = [name for value in values for name in scope.values.get(value.text, [value.text])]
    place = b"".join(texts).lstrip(b"&")
    if root in scope.names:
        through = b"*" in texts or after in ([b"->"], [b"["])
        if not through and len(part) == 1:
            scope.values[root] = stored
            scope.targets[root] = stored[0] if len(stored) == 1 else b""
        if not through or not (target := scope.targets.get(root)):
            return
        root = target
    if root in scope.names:
        return
    for value in dict.fromkeys(stored):
        if value not in scope.names:
            line = identifiers[0].line
            yield AddressStore(scope.function, root.decode(), place.decode(), value.decode(), line)


def _find_values(part: Sequence[Token]) -> Iterator[Token]:
    """Yield the identifiers whose value an expression may have: `f`, `&f`, `c ? f : g`."""
    texts = [b"=", *(token.text for token in part), b""]
    calls: list[bool] = []
    for index, token in enumerate(part, 1):
        if token.text == b"(":
            callee = texts[index - 1]
            is_call = callee[:1].isalpha() or callee[:1] == b"_"
            calls.append(is_call and callee not in _TRANSPARENT)
        elif token.text == b")" and calls:
            calls.pop()
        elif token.is_word and not any(calls):
            target = texts[index - 1] == b"&" and texts[index + 1] in (b".", b"->", b"[")
            alone = texts[index - 1] in _BEFORE_VALUE and texts[index + 1] in _AFTER_VALUE
            if (alone and not _is_cast(texts, index)) or target:
                yield token


def _is_cast(texts: Sequence[bytes], index: int) -> bool:
    """Return whether a word in parentheses is a type: "(word) value"."""
    if (texts[index - 1], texts[index + 1]) != (b"(", b")"):
        return False
    after = texts[index + 2]
    return after in (b"&", b"(", b"*") or after[:1].isalnum() or after[:1] == b"_"


def _skip_control(statement: Sequence[Token]) -> Sequence[Token]:
    """Return a statement without the conditions, `else`, `do` and labels before it."""
    tokens = statement
    while tokens:
        texts = [token.text for token in tokens[:2]]
        if texts[0] in _CONDITIONS and texts[1:] == [b"("]:
            tokens = tokens[len(_take_inside(tokens, 1)) + 3 :]
        elif texts[0] in _KEYWORDS_BEFORE:
            tokens = tokens[1:]
        elif texts[0] == b"case" or (tokens[0].is_word and texts[1:] == [b":"]):
            colon = next((i for i, token in enumerate(tokens) if token.text == b":"), 0)
            tokens = tokens[colon + 1 :]
            if colon == 0:
                break
        else:
            break
    return tokens


def _is_declaration(tokens: Sequence[Token]) -> bool:
    """Return whether tokens start like a declaration: a word, and another one or a `*`."""
    return (
        len(tokens) > 1
        and tokens[0].is_word
        and tokens[0].text not in (b"return", b"goto")
        and (tokens[1].is_word or tokens[1].text == b"*")
    )


def _take_inside(tokens: Sequence[Token], opening: int) -> Sequence[Token]:
    """Return the tokens between the parenthesis at an index and its match, or the end."""
    depth = 0
    for index in range(opening, len(tokens)):
        depth += _OPENS.get(tokens[index].text, 0)
        if depth == 0:
            return tokens[opening + 1 : index]
    return tokens[opening + 1 :]


def _split_at(tokens: Sequence[Token], separator: bytes) -> list[list[Token]]:
    """Return the parts between separators outside of parentheses; one part if there are none."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += _OPENS.get(token.text, 0)
        if token.text == separator and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts
