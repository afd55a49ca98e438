# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual pages have all that --help shows, and roff and mandoc have nothing to warn about."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import click
import pytest

from tests.support.commands import read_commands
from tests.support.required import skip
from tools.manual import ManPage, make_man_pages, make_reference

COMMANDS = read_commands()
PAGES = make_man_pages("1.2", "2026-11-28")


@pytest.fixture
def groff() -> None:
    if shutil.which("groff") is None:
        skip("manual", "apt-get install groff-base")


@pytest.fixture
def mandoc() -> None:
    if shutil.which("mandoc") is None:
        skip("manual", "apt-get install mandoc")


@cache
def show(source: str) -> str:
    """Return a page as a terminal shows it, without its line ends."""
    result = subprocess.run(
        ["groff", "-ww", "-man", "-Tascii", "-P-cbou"],
        input=source,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stderr == ""
    return " ".join(result.stdout.split())


def test_patchgen_and_each_command_have_a_page():
    assert set(PAGES) == {"patchgen.1", *(f"patchgen-{name}.1" for name in COMMANDS)}
    assert {f"{name[:-1]}md" for name in PAGES} == set(make_reference())


@pytest.mark.usefixtures("groff")
@pytest.mark.parametrize("name", COMMANDS)
def test_a_page_has_each_option_and_each_example(name: str):
    command = COMMANDS[name]
    text = show(PAGES[f"patchgen-{name}.1"])
    assert text.startswith(f"PATCHGEN-{name.upper()}(1) patchgen manual ")
    context = click.Context(command, info_name=name, help_option_names=["-h", "--help"])
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    described = [record for record in records if record]
    for part in [*described, *command.examples.items(), ("", str(command.help))]:
        assert " ".join(" ".join(part).replace("`", "").split()) in text
    assert text.endswith("SEE ALSO patchgen(1) patchgen 1.2 2026-11-28 " + text.split()[0])


@pytest.mark.usefixtures("groff")
def test_the_page_of_patchgen_lists_the_commands():
    text = show(PAGES["patchgen.1"])
    see_also = text[text.index("SEE ALSO") :]
    for name in COMMANDS:
        assert re.search(rf"\bpatchgen-{name}\(1\)", see_also)
    assert "130 interrupted" in text


@pytest.mark.usefixtures("mandoc")
def test_mandoc_has_no_warning(tmp_path: Path):
    for name, source in PAGES.items():
        (tmp_path / name).write_text(source)
    result = subprocess.run(
        ["mandoc", "-Tlint", "-Wwarning", *sorted(tmp_path.iterdir())],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.usefixtures("groff")
@pytest.mark.parametrize(
    "text",
    [
        ".so /etc/passwd",
        "'br",
        r"\fBx\fP and \n",
        "~/.local/share, a\\b, ^x and 'quoted words'",
        "--split or `--to 'A <a@example.org>'`, not a-b",
    ],
)
def test_a_text_is_printed_as_it_is(text: str):
    page = ManPage()
    page.write(".TH X 1 2026-11-28 x y\n")
    page.write_heading("Name")
    page.write_text(f"{text}\n\n{text}")
    page.write_dl([("term", text)])
    shown = text.replace("`", "")
    middle = (
        show(page.getvalue()).removeprefix("X(1) y X(1) NAME ").removesuffix(" x 2026-11-28 X(1)")
    )
    assert middle == f"{shown} {shown} term {shown}"
