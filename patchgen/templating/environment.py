# SPDX-License-Identifier: GPL-2.0-or-later
"""Jinja2 environments: one for prose, one for HTML pages, and one for C and SmPL.

C and SmPL contain Jinja's default delimiters (`= {{0}};`, `{#a, 1}`), and SmPL uses `<<`, `@@` and
`<...`. `<% %>`, `<%= %>` and `<%# %>` occur in neither, so all templates but `*.txt.j2` and
`*.html.j2` use those. Values in HTML pages are escaped.
Undefined variables are errors, and templates run in Jinja2's sandbox. Functions with random results
(`lipsum`, `random`) are removed.

For a semantic patch, each line of literal text in a template gets a mark with its line number;
after rendering, the marks are read and removed. So values, loops and included files keep their
template lines without support by Jinja2. The format of a mark is \\x01FILE\\x02LINE\\x03.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from types import TracebackType
from typing import Any

import jinja2
from jinja2 import meta, nodes
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from patchgen.errors import ErrorPlace, SpecError, suggest_name
from patchgen.model.smpl import TemplateLine
from patchgen.sourcefolder import SourceFolder, decode_text
from patchgen.templating.limits import LARGEST_OUTPUT, LimitError, TooLongError, relaxed_memory
from patchgen.templating.places import place_in_template, refuse_undefined
from patchgen.templating.syntax_errors import place_at_tag

Folders = Sequence[SourceFolder]


def make_text(template: str, folders: Folders, context: Mapping[str, Any]) -> str:
    """Render a message, a cover letter or verbatim text; see render_text()."""
    prose = template.endswith(".txt.j2")
    environment = _environment(tuple(folders), marks=_PROSE if prose else _CODE)
    return _render(environment, template, folders, context)


def make_smpl(
    template: str, folders: Folders, context: Mapping[str, Any]
) -> tuple[str, tuple[TemplateLine | None, ...]]:
    """Render a semantic patch; see render_smpl()."""
    environment = _environment(tuple(folders), marks=_CODE, line_marks=True)
    return split_marks(_render(environment, template, folders, context))


def check_template(template: str, folders: Folders) -> tuple[dict[str, int], dict[str, int]]:
    """Return the variables that a template needs, and what it includes, with their lines.

    A variable that the template tests for its existence is not needed. Raises SpecError for a
    template that is not valid.
    """
    prose = template.endswith(".txt.j2")
    environment = _environment(tuple(folders), marks=_PROSE if prose else _CODE)
    try:
        assert environment.loader is not None
        source, *_ = environment.loader.get_source(environment, template)
        tree = environment.parse(source, template)
        # This also finds unknown filters and tests.
        needed = meta.find_undeclared_variables(tree) - set(environment.globals)
    except jinja2.TemplateSyntaxError as err:
        raise _refuse_syntax(err, template, environment, folders) from None
    except jinja2.TemplateNotFound:
        raise _refuse_missing(template, folders) from None
    # A variable that is set in each branch of an `if` is reported as undeclared.
    needed -= {name.name for name in tree.find_all(nodes.Name) if name.ctx == "store"}
    for test in tree.find_all(nodes.Test):
        if test.name in ("defined", "undefined") and isinstance(test.node, nodes.Name):
            needed.discard(test.node.name)
    lines: dict[str, int] = {}
    for name in tree.find_all(nodes.Name):
        if name.name in needed:
            lines.setdefault(name.name, name.lineno)
    return lines, dict(_list_includes(tree))


def _list_includes(tree: nodes.Template) -> Iterator[tuple[str, int]]:
    """Yield the names of the templates that must exist, and the lines that include them."""
    for kind in (nodes.Extends, nodes.FromImport, nodes.Import, nodes.Include):
        for node in tree.find_all(kind):
            name = getattr(getattr(node, "template", None), "value", None)
            if isinstance(name, str) and not getattr(node, "ignore_missing", False):
                yield name, node.lineno


def _refuse_syntax(
    err: jinja2.TemplateSyntaxError,
    template: str,
    environment: jinja2.Environment,
    folders: Folders,
) -> SpecError:
    """Return the error for a template that Jinja2 cannot parse or compile."""
    message, hint = err.message or "", None
    if (unknown := _UNKNOWN.match(message)) is not None:
        kind = f"{unknown['kind']}s"
        names = getattr(environment, kind)
        hint = suggest_name(unknown["name"], sorted(names), kind)
    place = place_in_template(template, folders, err.lineno)
    return SpecError(f"template: {message}", code="template-failed", place=place, hint=hint)


def _refuse_missing(template: str, folders: Folders, place: ErrorPlace | None = None) -> SpecError:
    return SpecError(
        f"the template {template} does not exist",
        code="file-missing",
        place=place,
        hint="looked in " + ", ".join(str(folder.path) for folder in folders),
    )


def render_html(template: str, folders: Folders, context: Mapping[str, Any]) -> str:
    """Render an HTML page. Values are escaped, except those that the template marks as `safe`.

    Use it for shipped templates only: it has no limits. Raises SpecError as render_text() does.
    """
    environment = _environment(tuple(folders), marks=_PROSE, escape=True)
    return _render(environment, template, folders, context, largest=sys.maxsize)


# Jinja2's message for an unknown name in a template (jinja2/compiler.py).
_UNKNOWN = re.compile(r"No (?P<kind>filter|test) named '(?P<name>\w+)'")
_PROSE = ("{%", "%}", "{{", "}}", "{#", "#}")
_CODE = ("<%", "%>", "<%=", "%>", "<%#", "%>")


class _Loader(jinja2.BaseLoader):
    """Read templates from the first folder that has them."""

    def __init__(self, folders: Folders):
        self._folders = folders

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """Return a template's text, its path, and a function that checks that it is unchanged."""
        for folder in self._folders:
            content = folder.read(template)
            if content is not None:
                path = str(folder.path / template)
                text = decode_text(content, ErrorPlace(path))
                return text, path, partial(_is_same, folder, template, content)
        raise jinja2.TemplateNotFound(template)


def _is_same(folder: SourceFolder, template: str, content: bytes) -> bool:
    return folder.read(template) == content


class _UndefinedError(jinja2.UndefinedError):
    """A variable, or a member of a value, is undefined.

    `names` are the members of a value that has names; None for a variable.
    """

    def __init__(self, owner: Any, name: Any, message: str):
        super().__init__(message)
        self.name = str(name)
        self.is_variable = owner is missing
        self.names = list(map(str, owner)) if isinstance(owner, Mapping) else None


class _Undefined(jinja2.StrictUndefined):
    """An undefined value whose error has its name, and the names in its place."""

    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: type[jinja2.TemplateRuntimeError] = jinja2.UndefinedError,
    ):
        super().__init__(hint, obj, name, exc)
        if exc is jinja2.UndefinedError:
            self._undefined_exception = partial(_UndefinedError, obj, name)  # type: ignore[assignment]


class _Environment(ImmutableSandboxedEnvironment):
    """A sandbox whose syntax errors have the line of the tag with the mistake."""

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        try:
            return super()._parse(source, name, filename)
        except jinja2.TemplateSyntaxError as err:
            raise place_at_tag(err, self, source, name, filename) from None


@lru_cache(maxsize=32)
def _environment(
    folders: tuple[SourceFolder, ...],
    *,
    marks: tuple[str, ...],
    line_marks: bool = False,
    escape: bool = False,
) -> jinja2.Environment:
    environment = _Environment(
        *marks,
        extensions=[LineMarks] if line_marks else [],
        loader=_Loader(folders),
        undefined=_Undefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=escape,
    )
    environment.filters["plus"] = plus_lines
    environment.filters["under"] = space_under
    del environment.globals["lipsum"], environment.filters["random"]
    return environment


def plus_lines(text: str) -> str:
    """Put `+` before every line but the first: a line without it would be context.

    The first line of a value follows the `+` that the author wrote.
    """
    return text.rstrip("\n").replace("\n", "\n+")


def space_under(text: str) -> str:
    """Return tabs and spaces of the same width as a text, to align further lines with its end."""
    width = len(text.expandtabs(8))
    return "\t" * (width // 8) + " " * (width % 8)


def _render(
    environment: jinja2.Environment,
    template: str,
    folders: Folders,
    context: Mapping[str, Any],
    *,
    largest: int = LARGEST_OUTPUT,
) -> str:
    try:
        return _join(environment.get_template(template).generate(context), largest)
    except jinja2.TemplateSyntaxError as err:
        raise _refuse_syntax(err, err.name or template, environment, folders) from None
    except jinja2.TemplateNotFound as err:
        missing = str(err.name or template)
        includer = _deepest_place(err, template, folders) if missing != template else None
        raise _refuse_missing(missing, folders, includer) from None
    except SpecError as err:
        place = _deepest_place(err, template, folders)
        if place.line is None:
            raise
        raise SpecError(str(err), code=err.code, place=place) from None
    except Exception as err:
        with relaxed_memory():
            raise _explain(err, context, _deepest_place(err, template, folders)) from None


def _join(pieces: Iterator[str], largest: int) -> str:
    """Return the pieces as one text. Raises LimitError, in the template, for too many."""
    texts = []
    size = 0
    for piece in pieces:
        texts.append(piece)
        size += len(piece)
        if size > largest:
            why = f"its result is larger than {largest >> 20} MiB"
            # Raise the error inside the template, so that its traceback has the line.
            pieces.throw(LimitError(why))  # type: ignore[attr-defined]
    return "".join(texts)


def _explain(err: Exception, context: Mapping[str, Any], place: ErrorPlace) -> SpecError:
    """Return the error for the failure of a template."""
    hint = None
    message = str(err) or type(err).__name__
    match err:
        case _UndefinedError() if err.is_variable:
            return refuse_undefined(err.name, context, place)
        case _UndefinedError() if err.names is not None:
            hint = suggest_name(err.name, sorted(err.names), "names")
        case MemoryError():
            message = "it needs too much memory"
        case RecursionError() | SyntaxError():
            message = (
                "it is nested too deeply (does it include itself, or does a macro call itself?)"
            )
    return SpecError(f"template: {message}", code="template-failed", place=place, hint=hint)


def _deepest_place(err: BaseException, template: str, folders: Folders) -> ErrorPlace:
    """Return the innermost template line of an error, from the traceback that Jinja2 rewrites.

    An error in parsing a template is at the line that its parser has reached. The line is unknown
    if Python cannot compile the code that Jinja2 generated.
    """
    # The timer may fire again during this search.
    TooLongError.is_armed = False
    name, line = template, 0
    traceback: TracebackType | None = err.__traceback__
    while traceback is not None:
        frame = traceback.tb_frame
        reader = frame.f_locals.get("self")
        if isinstance(reader, Parser):
            name, line = reader.name or template, reader.stream.current.lineno
        node = frame.f_locals.get("node")
        if isinstance(node, nodes.Expr):
            line = node.lineno
        for folder in folders:
            path = str(folder.path) + "/"
            if frame.f_code.co_filename.startswith(path):
                name, line = frame.f_code.co_filename.removeprefix(path), traceback.tb_lineno
                break
        traceback = traceback.tb_next
    return place_in_template(name, folders, line or None)


_MARK = re.compile("\x01(?P<file>[^\x01-\x03\n]*+)\x02(?P<line>\\d{1,9})\x03")


class LineMarks(Extension):
    """Put a mark at the beginning of each line of literal text in a template."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Yield the template's tokens, with marks in the literal text."""
        name = stream.name or ""
        for token in stream:
            if token.type != "data":
                yield token
                continue
            pieces = token.value.split("\n")
            marked = [
                f"\x01{name}\x02{token.lineno + offset}\x03{piece}"
                for offset, piece in enumerate(pieces)
            ]
            yield Token(token.lineno, "data", "\n".join(marked))


def split_marks(marked: str) -> tuple[str, tuple[TemplateLine | None, ...]]:
    """Remove the marks; return the text, and the template line of each of its lines.

    A line without a mark, such as the further lines of a value, has that of the line before.
    """
    lines: list[str] = []
    places: list[TemplateLine | None] = []
    current: TemplateLine | None = None
    for line in marked.split("\n"):
        # The first mark with text after it gives the line's place. The last mark on a line applies
        # to the lines that follow.
        marks = list(_MARK.finditer(line))
        first: TemplateLine | None = None
        for index, mark in enumerate(marks):
            end = marks[index + 1].start() if index + 1 < len(marks) else len(line)
            current = TemplateLine(mark["file"], int(mark["line"]))
            if first is None and (end > mark.end() or index + 1 == len(marks)):
                first = current
        lines.append(_MARK.sub("", line))
        places.append(first or current)
    if lines and lines[-1] == "":
        places.pop()
    return "\n".join(lines), tuple(places)
