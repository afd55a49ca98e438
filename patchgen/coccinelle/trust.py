"""What in a semantic patch makes spatch run code, or read and write files of its choice.

spatch has no switch that forbids scripts, so that they are found before it sees them. A script
needs one of three words with a colon behind it, whatever stands between them
(parsing_cocci/parser_cocci_menhir.mly: script, initialize and finalize rules, constraints and
seeds). Where it is doubtful what is a comment, none is taken for one: too much is found, not
too little.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from patchgen.coccinelle.header import (
    Numbered,
    Reference,
    find_includes,
    find_isomorphisms,
    read_options,
    read_own_options,
)
from patchgen.coccinelle.lexing import CODE, line_of, make_plain
from patchgen.errors import SpecError
from patchgen.model.smpl import SemanticPatch

# Options that name no program, no file and no folder (enter.ml), and what their argument must be.
_FLAGS = """
--no-includes --local-includes --all-includes --recursive-includes --include-headers
--include-headers-for-types --no-include-cache --relax-include-path
--no-loops --no-gotos --loop --l1 --no-saved-typedefs --ocaml-regexps --ifdef-to-if
--no-ifdef-to-if --disable-multi-pass --noif0-passing --itu --noadd-typedef-root
--disallow-nested-exps --disable-worth-trying-opt --only-return-is-error-exit
--allow-inconsistent-paths --no-safe-expressions --keep-comments --partial-match --reverse
--linux-spacing --smpl-spacing --c++ --ibm --force-kr --prevent-kr --no-iso-limit --track-iso
--show-diff --no-show-diff --force-diff --show-misc --show-trying --show-bindings
--show-transinfo --show-dependencies --quiet --very-quiet --debug --ignore-unknown-options
"""
_NUMBERS = "--int-bits --long-bits --indent --max-width --timeout --steps --iso-limit -U"
_WORDS = "-D --disable-iso --defined --undefined"
_ARGUMENTS = {
    **dict.fromkeys(_FLAGS.split()),
    **dict.fromkeys(_NUMBERS.split(), re.compile(r"[0-9]+")),
    # What ends so is read as one more semantic patch (cocci_args.ml).
    **dict.fromkeys(
        _WORDS.split(), re.compile(r"(?!.*\.cocci$)[A-Za-z_]\w*(?:=[\w+*&.,:-]*)?", re.ASCII)
    ),
}
_REASONS = {
    "script": "a script runs code",
    "initialize": "an initialize rule runs code",
    "finalize": "a finalize rule runs code",
}


@dataclass(frozen=True, slots=True)
class Code:
    """A line that would run code, or have spatch use programs or files of the author's choice.

    Lines count from 1. `text` is the line, `why` says what it would do.
    """

    line: int
    text: str
    why: str


def find_code(text: str, read: Callable[[str], str | None] = lambda _: None) -> tuple[Code, ...]:
    """Return all that a semantic patch would run, in the order of its lines.

    `read` gives the text of a file that it includes, or None. A file that cannot be read counts
    as code, since it cannot be said what is in it.
    """
    return _find_code(text, read, frozenset())


def refuse_code(patch: SemanticPatch) -> None:
    """Refuse what would run code of its own, or set options, when spatch reads it.

    A variant's `// Options:` are for its readers only. Raises SpecError at the first such line.
    """
    text = patch.text
    found = {*_find_scripts(text), *_find_in_references(text, lambda _: None, frozenset())}
    own = read_own_options(text)
    found |= {(each.line, "a #spatch line sets options of its own") for each in own}
    for line, why in sorted(found):
        raise SpecError(
            f"{why}, which a variant may not do",
            place=patch.place(line),
            hint="say it with rules, virtual identifiers and texts",
        )


def refuse_option(words: tuple[str, ...]) -> str | None:
    """Return the first word that is no harmless option or its argument, None where all are."""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        option = _spelled_out(word)
        if option not in _ARGUMENTS:
            return word
        wanted = _ARGUMENTS[option]
        if wanted is not None and not (rest and wanted.fullmatch(rest.pop(0))):
            return word
    return None


def _find_code(
    text: str, read: Callable[[str], str | None], above: frozenset[str]
) -> tuple[Code, ...]:
    lines = text.split("\n")
    found = {
        *_find_scripts(text),
        *_find_in_options(read_own_options(text), "#spatch"),
        *_find_in_options(read_options(text), "Options:"),
        *_find_in_references(text, read, above),
    }
    return tuple(Code(line, lines[line - 1].rstrip("\r"), why) for line, why in sorted(found))


def _find_scripts(text: str) -> Iterator[tuple[int, str]]:
    plain = make_plain(text).text
    for each in CODE.finditer(plain):
        word = next(word for word in _REASONS if each[0].startswith(word))
        yield line_of(plain, each.start()), _REASONS[word]


def _find_in_options(lines: tuple[Numbered, ...], mark: str) -> Iterator[tuple[int, str]]:
    for each in lines:
        word = refuse_option(each.words)
        if word is not None:
            yield each.line, f"{mark} gives spatch {word}, which is not known to be harmless"


def _find_in_references(
    text: str, read: Callable[[str], str | None], above: frozenset[str]
) -> Iterator[tuple[int, str]]:
    for reference in (*find_includes(text), *find_isomorphisms(text)):
        why = _judge_reference(reference, read, above)
        if why is not None:
            yield line_of(text, reference.offset), why


def _judge_reference(
    reference: Reference, read: Callable[[str], str | None], above: frozenset[str]
) -> str | None:
    """Return what another file would run, None where it runs nothing."""
    name = reference.name
    if reference.is_shipped and posixpath.basename(name) == name and name.endswith(".iso"):
        return None
    if name in above:
        return f"{name} includes itself"
    text = None if reference.is_shipped else read(name)
    if text is None:
        return f"{name} is read as well, and cannot be looked into"
    inside = _find_code(text, read, above | {name})
    return f"{name}:{inside[0].line}: {inside[0].why}" if inside else None


def _spelled_out(word: str) -> str:
    """Return an option as spatch takes it: `-no_includes` is `--no-includes` (enter.ml)."""
    if len(word) > 2 and word[0] == "-" and word[1] != "-":
        return "-" + "-".join(part for part in word.split("_") if part)
    return word
