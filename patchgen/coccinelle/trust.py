# SPDX-License-Identifier: GPL-2.0-or-later
"""Find what in a semantic patch makes spatch run code, or read and write files of its choice.

spatch has no switch that forbids scripts, so they are found before it reads them. The rule, by the
tokens that lexing.py describes and by parsing_cocci/ of Coccinelle 1.1.1 and 1.3.1:

- Each way to write a script has the word `script`, `initialize` or `finalize` with `:` as the next
  token: rule headers, constraints of metavariables, seeds of fresh identifiers
  (parser_cocci_menhir.mly). This holds for isomorphism files, too, whose declarations may have
  constraints.
- A `#spatch` line sets options, wherever it is (cocci_args.ml). So does `.cocciconfig` in the
  folder that spatch runs in (read_options.ml), which is why no included file may have that name.
- `#include "FILE"` before the first rule and `using "FILE", ...` read other files. Their contents
  are judged in the same way; a file that cannot be read is treated as code. `using <FILE>` reads
  Coccinelle's own folder.

A .cocci without any of these does not run code. In doubt it is code: text that seems to be in a
comment is ignored only if spatch, too, must read it as a comment.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from patchgen.coccinelle.header import (
    OptionLine,
    Reference,
    find_references,
    read_options,
    read_own_options,
)
from patchgen.coccinelle.lexing import LineNumbers, find_words, make_plain, skip_gap
from patchgen.errors import ErrorPlace, SpecError
from patchgen.model.smpl import SemanticPatch

# Options that name no program, file or folder (enter.ml), and the form of their argument.
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
_IDENTIFIERS = "-D --disable-iso --defined --undefined"
_ARGUMENTS = {
    **dict.fromkeys(_FLAGS.split()),
    **dict.fromkeys(_NUMBERS.split(), re.compile(r"[0-9]+")),
    # An argument that ends in .cocci is read as another semantic patch (cocci_args.ml).
    **dict.fromkeys(
        _IDENTIFIERS.split(), re.compile(r"(?!.*\.cocci$)[A-Za-z_]\w*(?:=[\w+*&.,:-]*)?", re.ASCII)
    ),
}
# Companion files are next to patchgen's own input for spatch (spatch.py), and must not replace it.
# spatch 1.3.1 looks in its working directory, `tree`, first. Hidden names include .cocciconfig.
_FILE_NAME = re.compile(
    r"(?!(?:tree|groups|patchgen[^/]*)(?:/|\Z))(?:[^/.\0-\x1f][^/\0-\x1f]*(?:/(?!\Z)|\Z))+"
)
_MAX_DEPTH = 16
_REASONS = {
    "script": "a script runs code",
    "initialize": "an initialize rule runs code",
    "finalize": "a finalize rule runs code",
}


@dataclass(frozen=True, slots=True)
class RiskyLine:
    """A line that would run code, or have spatch use programs or files of the author's choice.

    Lines count from 1. `text` is the line, `why` states what it would do.
    """

    line: int
    text: str
    why: str


def find_code(
    text: str, read: Callable[[str], str | None] = lambda _: None
) -> tuple[RiskyLine, ...]:
    """Return all code that a semantic patch would run, in the order of its lines.

    `read` returns the text of a file that it includes, or None. A file that cannot be read is
    treated as code, since its content is unknown.
    """
    # patchgen obeys `// Options:` as coccicheck does; spatch ignores these lines.
    options = set(_find_in_options(read_options(text), "Options:"))
    return _list_risky_lines(text, options.union(_find_code(text, _Files(read))))


def refuse_code(patch: SemanticPatch) -> None:
    """Refuse a semantic patch that runs code or sets options when spatch reads it.

    A variant's `// Options:` are only for its readers. Raises SpecError at the first such line.
    """
    for line, why in find_forbidden(patch.text):
        raise SpecError(
            f"{why}; a variant must not do that",
            code="code-in-variant",
            place=patch.place(line),
            hint="use rules, virtual identifiers and texts instead",
        )


def find_forbidden(text: str) -> list[tuple[int, str]]:
    """Return the lines of a variant's semantic patch that run code or set options, and why."""
    options = read_own_options(text)
    lines = {(option.line, "a #spatch line sets options") for option in options}
    lines |= {*_find_scripts(text), *_find_in_references(text, _Files(lambda _: None))}
    return sorted(lines)


def check_harmless(patch: SemanticPatch, text: str, companions: Mapping[str, str]) -> None:
    """Refuse a text that would run code, right before spatch reads it.

    `text` was derived from the semantic patch; this last check covers what that may have exposed.
    Raises SpecError.
    """
    code = _list_risky_lines(text, _find_code(text, _Files(companions.get)))
    if code:
        raise SpecError(
            f"{patch.name} is not trusted, and {code[0].why}: {code[0].text.strip()!r}",
            code="not-trusted",
            place=ErrorPlace(patch.name),
        )


def find_unsafe_arg(args: tuple[str, ...]) -> str | None:
    """Return the first argument that is not known to be harmless, None if all are."""
    remaining = iter(args)
    for arg in remaining:
        option = _normalise_option(arg)
        if option not in _ARGUMENTS:
            return arg
        expected = _ARGUMENTS[option]
        if expected is not None and not expected.fullmatch(next(remaining, "")):
            return arg
    return None


@dataclass(slots=True)
class _Files:
    """What the other files that a semantic patch reads would run; each file is judged once."""

    read: Callable[[str], str | None]
    judged: dict[str, str | None] = field(default_factory=dict)
    depth: int = 0


def _find_code(text: str, files: _Files) -> Iterator[tuple[int, str]]:
    """Yield the lines that make spatch run code, and why; unordered, and some twice."""
    yield from _find_scripts(text)
    yield from _find_in_options(read_own_options(text), "#spatch")
    yield from _find_in_references(text, files)


def _list_risky_lines(text: str, found: Iterable[tuple[int, str]]) -> tuple[RiskyLine, ...]:
    lines = text.split("\n")
    return tuple(
        RiskyLine(line, lines[line - 1].rstrip("\r"), why) for line, why in sorted(set(found))
    )


def _find_scripts(text: str) -> Iterator[tuple[int, str]]:
    plain = make_plain(text).text
    lines = LineNumbers(text)
    for word, start, end in find_words(text, tuple(_REASONS)):
        following = skip_gap(plain, end)
        if following is None or plain.startswith(":", following):
            yield lines.find(start), _REASONS[word]


def _find_in_options(lines: tuple[OptionLine, ...], mark: str) -> Iterator[tuple[int, str]]:
    for line in lines:
        arg = find_unsafe_arg(line.args)
        if arg is not None:
            yield line.line, f"{mark} passes spatch {arg}, which is not known to be harmless"


def _find_in_references(text: str, files: _Files) -> Iterator[tuple[int, str]]:
    lines = LineNumbers(text)
    for reference in find_references(text):
        why = _judge_reference(reference, files)
        if why is not None:
            yield lines.find(reference.offset), why


def _judge_reference(reference: Reference, files: _Files) -> str | None:
    """Return what another file would run, None if it does not run code."""
    name = reference.name
    if reference.is_shipped and posixpath.basename(name) == name and name.endswith(".iso"):
        return None
    if not (_FILE_NAME.fullmatch(name) and name.endswith((".cocci", ".iso"))):
        return f"it reads {name!r}, which is not a .cocci or .iso file in or below its folder"
    if name not in files.judged:
        files.judged[name] = f"{name} includes itself"
        files.judged[name] = _judge_file(name, files)
    return files.judged[name]


def _judge_file(name: str, files: _Files) -> str | None:
    """Return what an included file would run, None if it does not run code."""
    text = files.read(name)
    if text is None:
        return f"it reads {name}, which cannot be checked"
    if files.depth == _MAX_DEPTH:
        return f"{name} is included through more than {_MAX_DEPTH} files"
    files.depth += 1
    inside = min(_find_code(text, files), default=None)
    files.depth -= 1
    return f"{name}:{inside[0]}: {inside[1]}" if inside else None


def _normalise_option(arg: str) -> str:
    """Return an option as spatch reads it: `-no_includes` is `--no-includes` (enter.ml)."""
    if len(arg) > 2 and arg[0] == "-" and arg[1] != "-":
        return "-" + "-".join(part for part in arg.split("_") if part)
    return arg
