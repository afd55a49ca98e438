"""Jinja2, set up once for prose, once for pages, and once for what goes into a kernel.

C and SmPL contain Jinja's default marks (`= {{0}};`, `{#a, 1}`), and SmPL uses `<<`, `@@` and
`<...`; `<% %>`, `<%= %>` and `<%# %>` occur in neither, so all templates but `*.txt.j2` and
`*.html.j2` use those. Values that go into a page are escaped.
Undefined variables stop the rendering, and templates run in Jinja2's sandbox.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from patchgen.errors import Place, SpecError
from patchgen.templating.lines import LineMarks, TemplateLine, split_marks

Folders = Sequence[Path]


def render_text(template: str, folders: Folders, context: Mapping[str, Any]) -> str:
    """Render a message, a cover letter or verbatim text, found in the first folder that has it.

    Raises SpecError, with the template's line, for a wrong or missing template and for an
    undefined variable.
    """
    prose = template.endswith(".txt.j2")
    environment = _environment(tuple(folders), marks=_PROSE if prose else _CODE)
    return _render(environment, template, folders, context)


def render_html(template: str, folders: Folders, context: Mapping[str, Any]) -> str:
    """Render a page. Every value is escaped; only what a template marks as `safe` is not.

    Raises SpecError as render_text() does.
    """
    environment = _environment(tuple(folders), marks=_PROSE, escape=True)
    return _render(environment, template, folders, context)


def render_smpl(
    template: str, folders: Folders, context: Mapping[str, Any]
) -> tuple[str, tuple[TemplateLine | None, ...]]:
    """Render a semantic patch; also return for each of its lines the template line behind it."""
    environment = _environment(tuple(folders), marks=_CODE, line_marks=True)
    return split_marks(_render(environment, template, folders, context))


_PROSE = ("{%", "%}", "{{", "}}", "{#", "#}")
_CODE = ("<%", "%>", "<%=", "%>", "<%#", "%>")


@lru_cache(maxsize=32)
def _environment(
    folders: tuple[Path, ...],
    *,
    marks: tuple[str, ...],
    line_marks: bool = False,
    escape: bool = False,
) -> jinja2.Environment:
    environment = ImmutableSandboxedEnvironment(
        *marks,
        extensions=[LineMarks] if line_marks else [],
        loader=jinja2.FileSystemLoader([str(folder) for folder in folders]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=escape,
    )
    environment.filters["plus"] = plus_lines
    environment.filters["under"] = space_under
    return environment


def plus_lines(text: str) -> str:
    """Put `+` before every line but the first: a line without it would turn into context.

    The first line of a value stands behind the `+` that the author wrote.
    """
    return text.rstrip("\n").replace("\n", "\n+")


def space_under(text: str) -> str:
    """Return the tabs and spaces that reach as far as a text, for what is aligned behind it."""
    width = len(text.expandtabs(8))
    return "\t" * (width // 8) + " " * (width % 8)


def _render(
    environment: jinja2.Environment, template: str, folders: Folders, context: Mapping[str, Any]
) -> str:
    try:
        return environment.get_template(template).render(context)
    except jinja2.TemplateSyntaxError as err:
        place = _place(err.name or template, folders, err.lineno)
        raise SpecError(f"template: {err.message}", place=place) from None
    except jinja2.TemplateNotFound as err:
        missing = err.name or template
        raise SpecError(
            f"the template {missing} does not exist",
            place=Place(template) if missing != template else None,
            hint="looked in " + ", ".join(map(str, folders)),
        ) from None
    except jinja2.UndefinedError as err:
        place = _deepest_place(err, template, folders)
        raise SpecError(f"template: {err.message}", place=place) from None
    except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as err:
        place = _deepest_place(err, template, folders)
        raise SpecError(f"template: {err}", place=place) from None


def _deepest_place(err: BaseException, template: str, folders: Folders) -> Place:
    """Return the innermost template line of an error; Jinja2 rewrites tracebacks to show them."""
    found = Place(template)
    for frame in traceback.extract_tb(err.__traceback__):
        for folder in folders:
            path = Path(frame.filename)
            if frame.lineno and path.is_file() and path.is_relative_to(folder):
                found = _place(str(path.relative_to(folder)), folders, frame.lineno)
    return found


def _place(template: str, folders: Folders, line: int) -> Place:
    for folder in folders:
        path = folder / template
        if path.is_file():
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            excerpt = lines[line - 1] if 0 < line <= len(lines) else None
            return Place(str(path), line, excerpt=excerpt)
    return Place(template, line)
