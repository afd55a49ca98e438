# SPDX-License-Identifier: GPL-2.0-or-later
"""The search of the site: an index of its sections and of the options, with their text.

Sphinx's own index has words and the pages that they are on. Its excerpts are cut from pages that
the browser fetches, which it refuses for a site that is opened from the disk. So `sections.js` has
the text of all sections; the search page loads it as a script, which a browser allows there, too.
docs/site/search.js searches it.

The script calls setSections() with a list of [page, anchor, title of the page, title, text]; the
anchor of a page's beginning and its title are empty.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

Section = tuple[str, str, str, str, str]

# Their text is not on the page, or is that of another entry.
_LEFT_OUT = (nodes.comment, nodes.raw, nodes.section, nodes.title)


def connect_search(app: Sphinx) -> None:
    """Let Sphinx give options an anchor, and write the index."""
    app.connect("doctree-read", _give_anchors)
    app.connect("build-finished", _write_index)


def list_sections(env: BuildEnvironment) -> Iterator[Section]:
    """Yield the sections of all pages, and the options of each command."""
    for page in _list_pages(env, env.config.root_doc):
        page_title = env.titles[page].astext()
        for node in env.get_doctree(page).findall(_is_entry):
            title = node[0].astext()
            is_page = isinstance(node, nodes.section) and isinstance(node.parent, nodes.document)
            anchor = (node if isinstance(node, nodes.section) else node[0])["ids"][0]
            shown = ("", page_title, "") if is_page else (anchor, page_title, title)
            yield (page, *shown, _read_text(node))


def _list_pages(env: BuildEnvironment, page: str) -> Iterator[str]:
    """Yield the pages in the order of the table of contents, so that the guides are first."""
    yield page
    for child in env.toctree_includes.get(page, ()):
        yield from _list_pages(env, child)


def _give_anchors(app: Sphinx, doctree: nodes.document) -> None:
    """Let a link lead to an option: `-D, --define NAME` of `patchgen run` is #option-define."""
    for item in doctree.findall(_is_option):
        names = [word for word in item[0].astext().split() if word.startswith("-")]
        item[0]["ids"].append(nodes.make_id(f"option {names[-1]}"))


def _write_index(app: Sphinx, error: Exception | None) -> None:
    if error is None:
        text = json.dumps(list(list_sections(app.env)), ensure_ascii=False, separators=(",", ":"))
        Path(app.outdir, "sections.js").write_text(f"setSections({text});\n", encoding="utf-8")


def _is_entry(node: nodes.Node) -> bool:
    return isinstance(node, nodes.section) or _is_option(node)


def _is_option(node: nodes.Node) -> bool:
    return isinstance(node, nodes.definition_list_item) and node[0].astext().startswith("-")


def _read_text(node: nodes.Element) -> str:
    """Return the text of a section without that of its subsections and options, on one line."""
    parts = [child for child in node.children[1:] if not isinstance(child, _LEFT_OUT)]
    texts = [
        f"{text.astext()} |" if isinstance(text.parent, nodes.entry) else text.astext()
        for part in parts
        for text in part.findall(nodes.TextElement)
        if not isinstance(text.parent, nodes.TextElement) and not _is_in_option(text, node)
    ]
    return " ".join(" ".join(texts).split())


def _is_in_option(node: nodes.Node, top: nodes.Element) -> bool:
    while node.parent is not top:
        node = node.parent
        if _is_option(node):
            return True
    return False
