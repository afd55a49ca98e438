# SPDX-License-Identifier: GPL-2.0-or-later
"""A refusal's text: the library says what is wrong, the command line names its own options."""

from __future__ import annotations

import click
import pytest

from patchgen.cli import main
from patchgen.errors import PatchgenError


@click.command("toy")
@click.option("-o", "--output-directory", "output")
@click.argument("tree", required=False)
def _toy(output: str | None, tree: str | None) -> None:
    raise PatchgenError(
        "the folder exists", hint="name another", parameters=("output", "base", "tree")
    )


def test_an_error_of_the_library_names_no_option() -> None:
    error = PatchgenError("no such commit", hint="name a commit", parameters=("base",))
    assert str(error) == "no such commit\nhint: name a commit"


def test_a_hint_names_only_options_that_the_called_command_has(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(main.patchgen, "get_command", lambda *_: _toy)
    monkeypatch.setattr("sys.argv", ["patchgen", "apply"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        "patchgen: the folder exists\nhint: name another (--output-directory)\n"
    )
