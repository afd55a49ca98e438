# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables of an audit: folded paths, and lines that fit a narrow terminal."""

from __future__ import annotations

import pytest

from patchgen.cli import audit_table
from patchgen.cli.audit_table import Section, TableRow, fold_path, print_screen
from patchgen.cli.printer import Printer

PATH = ["start_kernel", "setup_arch", "init_platform", "kvm_init", "notify"]


@pytest.mark.parametrize(
    ("width", "folded"),
    [
        (80, "start_kernel > setup_arch > init_platform > kvm_init > notify"),
        (60, "start_kernel > (1) > init_platform > kvm_init > notify"),
        (40, "start_kernel > (2) > kvm_init > notify"),
        (30, "start_kernel > (3) > notify"),
        (15, "(4) > notify"),
        (10, "5 steps"),
    ],
)
def test_a_path_is_folded_in_the_middle(width, folded):
    assert fold_path(PATH, width) == folded


def test_a_path_without_callers_is_an_entry():
    assert fold_path([], 10) == "entry"
    assert fold_path(["a_function_of_a_long_name"], 10) == "1 step"


SECTION = Section(
    "Calls",
    ("call", "calls"),
    [
        TableRow(("arch/x86/kernel/cpu/mshyperv.c:1234", "a_function_of_a_long_name"), PATH),
        TableRow(("init/main.c:5", "short"), PATH[:1]),
    ],
    header=("site", "function"),
)


def test_lines_fit_a_narrow_terminal_and_are_complete_in_a_pipe(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "20")
    print_screen(Printer(), [], [SECTION], verbose=False)
    assert (
        "arch/x86/kernel/cpu/mshyperv.c:1234 a_function_of_a_long_name" in capsys.readouterr().out
    )
    monkeypatch.setattr(audit_table, "is_terminal", lambda stream: True)
    print_screen(Printer(), [], [SECTION], verbose=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[3] == "  .../mshyperv.c:1234 a_function_of_a_long_name (4) > notify"
    assert all(len(line) <= 60 for line in lines)


def test_names_are_counted_though_several_are_on_a_line(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "8")
    names = [f"name_{number}" for number in range(100)]
    section = Section("Names", ("name", "names"), audit_table.wrap_names(names, 60))
    print_screen(Printer(), [], [section], verbose=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "Names: 100" and len(lines) < 8
    shown = " ".join(lines[2:-1]).split()
    assert shown == names[: len(shown)]
    assert lines[-1] == f"Left out: {100 - len(shown)} names (--verbose shows all)"
