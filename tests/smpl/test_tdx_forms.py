# SPDX-License-Identifier: GPL-2.0-or-later
"""The forms that hooks around a change of encryption status had, from v5.19 to now."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from patchgen.coccinelle import find_spatch
from patchgen.sourcefolder import SourceFolder
from patchgen.templating import render_smpl

TDX = Path(__file__).parent.parent.parent / "semantic-patches" / "pvops" / "backends" / "tdx"
HEAD = "static int change(unsigned long addr, int numpages, bool enc)\n{\n\tint ret;\n\n"
MIDDLE = "\tret = __change_page_attr_set_clr(&cpa, 1);\n\tcpa_flush(&cpa, 0);\n"
BEFORE, AFTER = (
    f"x86_platform.guest.enc_status_change_{name}(addr, numpages, enc)"
    for name in ("prepare", "finish")
)
FAIL = "\nfail:\n\twarn();\n\treturn ret;\n}\n"
LATER = f"\tif (!ret) {{\n\t\tif (!{AFTER})\n\t\t\tret = -EIO;\n\t}}\n\treturn ret;\n}}\n"
FORMS = {
    "nothing, then a bool": (f"\t{BEFORE};\n", LATER, "return ret"),
    "a bool, and return": (f"\tif (!{BEFORE})\n\t\treturn -EIO;\n", LATER, "return ret"),
    "a bool, and go to a warning": (
        f"\tif (!{BEFORE})\n\t\tgoto fail;\n",
        f"\tif (ret)\n\t\treturn ret;\n\tif (!{AFTER})\n\t\tgoto fail;\n\treturn 0;\n{FAIL}",
        "goto fail",
    ),
    "an errno, and go to a warning": (
        f"\tret = {BEFORE};\n\tif (ret)\n\t\tgoto fail;\n",
        f"\tif (ret)\n\t\treturn ret;\n\tret = {AFTER};\n"
        f"\tif (ret)\n\t\tgoto fail;\n\treturn 0;\n{FAIL}",
        "goto fail",
    ),
}


@pytest.mark.parametrize(("before", "after", "fails"), FORMS.values(), ids=FORMS)
def test_the_operations_come_around_the_page_tables_and_their_errors_go_on(
    before, after, fails, tmp_path
):
    smpl, _ = render_smpl(
        "convert/late.cocci.j2", [SourceFolder(TDX)], {"notifier": "notify_range", "has": {}}
    )
    (tmp_path / "late.cocci").write_text(smpl)
    source = tmp_path / "change.c"
    source.write_text(HEAD + before + MIDDLE + after)
    options = ["--no-includes", "--in-place", "--very-quiet"]
    subprocess.run(
        [find_spatch().path, *options, "--sp-file", tmp_path / "late.cocci", source], check=True
    )

    made = source.read_text().replace("\n\t\t", " ")
    prepared, _, changed = made.partition("__change_page_attr_set_clr")
    prepares = "prepare_range_enc_status_change(addr, numpages * PAGE_SIZE, enc);"
    notifies = "notify_range(addr, numpages * PAGE_SIZE, enc);"
    assert f"ret = {prepares}\n\tif (ret) {fails};" in prepared
    assert prepared.index(prepares) < prepared.index(BEFORE)
    assert changed.index(AFTER) < changed.index(notifies)
    returned = f"return {notifies}" in changed
    assert returned or f"ret = {notifies}\n\tif (ret) {fails};" in changed
    assert made.count(prepares) == made.count(notifies) == 1
