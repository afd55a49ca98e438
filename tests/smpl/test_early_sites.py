# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions around the early changes of page status, which are reported from there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from patchgen.coccinelle import find_spatch
from patchgen.sourcefolder import SourceFolder
from patchgen.templating import render_smpl

TEMPLATES = Path(__file__).parent.parent.parent / "templates"
CALL = "early_set_memory_decrypted((unsigned long)ptr, size);"
REPORT = "report((unsigned long)ptr, size, false);"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("static inline void", "static inline __init void"),
        ("static inline __init void", "static inline __init void"),
        ("static inline void __init", "static inline void __init"),
        ("static void __init", "static void __init"),
        ("static void", "static void"),
    ],
)
def test_an_inline_function_that_reports_is_init_once(before, after, tmp_path):
    smpl, _ = render_smpl(
        "notify/sites.cocci.j2", [SourceFolder(TEMPLATES)], {"notifier": "report", "has": {}}
    )
    (tmp_path / "sites.cocci").write_text(smpl)
    source = tmp_path / "kvm.c"
    other = "static inline void other(void)\n{\n\tg();\n}\n"
    source.write_text(f"{before} share(void *ptr, unsigned long size)\n{{\n\t{CALL}\n}}\n{other}")
    options = ["--no-includes", "--in-place", "--very-quiet"]
    subprocess.run(
        [find_spatch().path, *options, "--sp-file", tmp_path / "sites.cocci", source], check=True
    )
    made = source.read_text()
    assert made.startswith(f"{after} share(void *ptr, unsigned long size)\n{{\n\tif (!early_set_")
    assert made.count(REPORT) == 1
    assert made.endswith(other)
