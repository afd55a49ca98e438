# SPDX-License-Identifier: GPL-2.0-or-later
"""README.md and the pages in docs/ name what exists, and leave nothing out."""

from __future__ import annotations

import re
import tomllib
import typing
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from patchgen.cli.help import list_guides
from patchgen.cli.main import patchgen as program
from patchgen.spec import manifest
from tests.support.commands import read_commands
from tests.support.documents import PAGES, TOP, read_blocks

DOCS = TOP / "docs"
LINK = re.compile(r"\[[^\]]*\]\((?!https?:)(?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")
CODE = re.compile(r"^```.*?^```$|`[^`]+`", re.MULTILINE | re.DOTALL)
OPTION = re.compile(r"(?<![\w-])--?[a-zA-Z][a-z0-9-]*")
# Options of other programs that the pages name.
FOREIGN = {
    "--amend",
    "--auto-to-cc",
    "--check-deps",
    "--compare-to",
    "--debug",
    "--edit-cover",
    "--help",
    "--include-headers",
    "--local-includes",
    "--macro-file",
    "--parse-c",
    "--parse-cocci",
    "--recursive-includes",
    "--version",
    "-i",
}
COMMANDS = read_commands()
READ = [page.read_text(encoding="utf-8") for page in PAGES]


def options(command: click.Command) -> Iterator[tuple[str, ...]]:
    """Yield the spellings of each option of a command."""
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            yield (*parameter.opts, *parameter.secondary_opts)


def test_the_readme_has_less_than_150_lines():
    assert len((TOP / "README.md").read_text(encoding="utf-8").splitlines()) < 150


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and MyST make them."""
    headings = re.findall(r"^#+ +(.*)$", re.sub(CODE, _without_backticks, text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _without_backticks(code: re.Match[str]) -> str:
    return "" if code[0].startswith("```") else code[0].strip("`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_link_leads_to_a_page_and_a_heading(page: Path):
    text = page.read_text(encoding="utf-8")
    for link in LINK.finditer(text):
        target = (page.parent / link["path"]).resolve() if link["path"] else page
        assert target.is_file(), link[0]
        if link["anchor"]:
            assert link["anchor"] in anchors(target.read_text(encoding="utf-8")), link[0]


def test_the_index_lists_each_page():
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    tree = next(block for block in read_blocks(index) if block.language == "{toctree}")
    pages = sorted(page.stem for page in DOCS.glob("*.md") if page.stem != "index")
    assert sorted(re.findall(r"^[\w-]+$", tree.text, re.MULTILINE)) == pages
    assert {f"{name}.md" for name in pages} <= {link["path"] for link in LINK.finditer(index)}


def test_help_has_each_page_with_its_purpose():
    guides = list_guides()
    assert sorted(guides) == sorted(page.stem for page in DOCS.glob("*.md") if page.stem != "index")
    assert all(purpose.endswith(".") for purpose in guides.values())


def test_the_page_of_commands_has_the_exit_codes_of_the_help():
    with click.Context(program, info_name="patchgen") as context:
        text = program.get_help(context)
    shown = dict(re.findall(r"^  (\d+) +(.*)$", text, re.MULTILINE))
    page = (DOCS / "commands.md").read_text(encoding="utf-8")
    assert shown == dict(re.findall(r"^\| (\d+) \| (.*) \|$", page, re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_line_of_text_has_at_most_100_columns(page: Path):
    text = re.sub(
        r"^```.*?^```$|<!--.*?-->", "", page.read_text(encoding="utf-8"), flags=re.M | re.S
    )
    lines = [line for line in text.splitlines() if not line.startswith(("|", "!["))]
    assert len(lines) > 10
    assert [line for line in lines if len(line) > 100] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_only_options_that_exist(page: Path):
    """Those of commands in a block are tested by running them (tests/cli/test_docs.py)."""
    ours = {
        name: {each for spellings in options(command) for each in spellings}
        for name, command in COMMANDS.items()
    }
    known = FOREIGN.union(*ours.values(), *options(program))
    for code in CODE.finditer(page.read_text(encoding="utf-8")):
        text = " ".join(code[0].split())
        if not text.startswith("```"):
            assert set(OPTION.findall(text)) <= known, text
            for call in re.finditer(r"patchgen ([a-z]+)([^`]*)", text):
                assert set(OPTION.findall(call[2])) <= ours[call[1]], text


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_table_of_tasks_has_each_command(name: str):
    page = (DOCS / "commands.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| .* \| `patchgen {name}[ `]", page, re.MULTILINE)


def tables(model: type[BaseModel], name: str) -> Iterator[tuple[str, set[str]]]:
    """Yield each table of a manifest as the page names it, with its keys."""
    yield name, {field.alias or key for key, field in model.model_fields.items()}
    for key, field in model.model_fields.items():
        for inner in _models(field.annotation):
            yield from tables(inner, f"{name}.{key}" if name else key)


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _models(argument)


def documented_tables() -> dict[str, set[str]]:
    """Return the keys of each table in the reference, by the table's heading."""
    page = (DOCS / "write-a-variant.md").read_text(encoding="utf-8")
    reference = page[page.index("## The keys of a manifest") :]
    found = {}
    for section in re.split(r"^### ", reference, flags=re.MULTILINE)[1:]:
        heading, _, text = section.partition("\n")
        name = heading.strip("`[]").removesuffix(".NAME")
        found[name] = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    return found


TABLES = {
    **dict(tables(manifest.BackendManifest, "")),
    **dict(tables(manifest.VariantManifest, "")),
}
# Tables that the reference describes together with another one.
ELSEWHERE = {
    "": "Top level",
    "patch.probe": "facts",
    "patch.left_out": "left_out",
    "patch.left_out.evidence": "left_out.evidence",
}


@pytest.mark.parametrize("name", TABLES, ids=lambda name: name or "top")
def test_the_reference_has_each_key_of_a_manifest(name: str):
    documented = documented_tables()[ELSEWHERE.get(name, name)]
    if name == "patch.left_out":
        documented = documented - {"on_request"}
    assert documented == TABLES[name]


def test_the_reference_has_no_table_that_a_manifest_does_not_have():
    described = {name for name, keys in documented_tables().items() if keys}
    assert described - {"Top level"} <= set(TABLES)


def test_each_file_that_a_page_names_exists():
    for text in READ:
        for path in re.findall(r"`((?:patchgen|tests|templates)/[\w./-]*\.\w+)`", text):
            assert (TOP / path).is_file(), path


def test_each_test_that_a_page_names_exists():
    for text in READ:
        for path, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text):
            assert f"\ndef {name}(" in (TOP / path).read_text(encoding="utf-8"), name


def test_the_page_of_the_design_has_each_package():
    page = (DOCS / "design.md").read_text(encoding="utf-8")
    packages = {each.parent.name for each in (TOP / "patchgen").glob("*/__init__.py")}
    assert set(re.findall(r"^\| `patchgen/(\w+)` \|", page, re.MULTILINE)) == packages


def test_the_page_of_the_design_has_each_dependency():
    page = (DOCS / "design.md").read_text(encoding="utf-8")
    rows = page[page.index("## Dependencies") :]
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for requirement in project["dependencies"]:
        assert re.split(r"[>=<]", requirement)[0] in rows


def test_python_in_a_page_runs(tmp_path):
    blocks = [
        block.text for text in READ for block in read_blocks(text) if block.language == "python"
    ]
    assert blocks
    for block in blocks:
        exec(block, {})


def manifest_fragments() -> list[str]:
    page = (DOCS / "write-a-variant.md").read_text(encoding="utf-8")
    return [block.text for block in read_blocks(page) if block.language == "toml"]


@pytest.mark.parametrize("text", manifest_fragments(), ids=lambda text: text.partition("\n")[0])
def test_each_part_of_a_manifest_that_is_shown_is_valid(text: str):
    document = {"schema": 1, **tomllib.loads(text)}
    if isinstance(patch := document.get("patch"), dict):
        fact = {"file": "x", "tokens": "x"}
        document["patch"] = [{"name": "x", "message": "x", "probe": fact, **patch}]
    head = {"name": "x", "title": "x"}
    if "left_out" in document:
        manifest.BackendManifest.model_validate({"backend": head, **document})
    else:
        manifest.VariantManifest.model_validate({"variant": {**head, "cover": "x"}, **document})


def test_each_console_block_runs_or_has_a_reason():
    for text in READ:
        for block in read_blocks(text):
            if block.language == "console":
                reason = block.markers.get("not run")
                assert reason is None or len(reason.split()) > 4, block.text
