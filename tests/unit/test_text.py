# SPDX-License-Identifier: GPL-2.0-or-later
"""Small pure pieces: line edits, sign-offs, recipients, error messages."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from patchgen.edit.lines import insert_lines
from patchgen.errors import ErrorPlace, PatchgenError, RefusedError
from patchgen.kernel.get_maintainer import join_recipients
from patchgen.kernel.maintainer_program import parse_recipients
from patchgen.model.base import Oid, TreeFile
from patchgen.model.plan import HitCount, InsertLines
from patchgen.model.series import Identity, Recipients
from patchgen.series import sign_off

ADA = Identity("Ada", "ada@example.org", "0 +0000")


def edit(anchor: str, *, before: bool) -> InsertLines:
    file = TreeFile(PurePosixPath("Kconfig"), "100644", Oid("0" * 40))
    return InsertLines(file, b"new\n", anchor, before)


def test_inserts_lines_next_to_an_anchor():
    assert insert_lines(b"a\nb\nc", edit("b", before=True)) == b"a\nnew\nb\nc"
    assert insert_lines(b"a\nb\nc", edit("c", before=False)) == b"a\nb\nc\nnew\n"


@pytest.mark.parametrize("content", [b"a\n", b"b\nb\n", b"bb\n"])
def test_refuses_an_anchor_that_is_not_one_line(content):
    with pytest.raises(RefusedError, match="must match exactly one line"):
        insert_lines(content, edit("b", before=True))


def test_a_sign_off_joins_the_trailers():
    line = "Signed-off-by: Ada <ada@example.org>\n"
    assert sign_off("s\n\nbody\n", ADA) == f"s\n\nbody\n\n{line}"
    assert sign_off(f"s\n\nbody\n\n{line}", ADA) == f"s\n\nbody\n\n{line}"


def test_a_sign_off_stands_before_cc_and_link_as_the_tip_tree_orders_them():
    line = "Signed-off-by: Ada <ada@example.org>\n"
    before, after = "Suggested-by: B <b@example.org>\n", "Cc: x@y.org\nLink: https://y.org/z\n"
    signed = f"s\n\nbody\n\n{before}{line}{after}"
    assert sign_off(f"s\n\nbody\n\n{before}{after}", ADA) == signed
    assert sign_off(signed, ADA) == signed


def test_reads_what_get_maintainer_prints():
    found = parse_recipients(
        '"H. Peter Anvin" <hpa@example.org> (reviewer:X86 (32-BIT AND 64-BIT))\n'
        "Paolo <p@example.org> (supporter:KVM)\n"
        "x86@example.org (maintainer:X86 ARCHITECTURE (32-BIT AND 64-BIT))\n"
        "kvm@example.org (open list:KVM (KVM/x86))\n"
        "Paolo <p@example.org> (maintainer:OTHER)\n"
        "mod@example.org (moderated list:X)\n"
    )
    assert found.to == ("Paolo <p@example.org>", "x86@example.org")
    assert found.cc == (
        '"H. Peter Anvin" <hpa@example.org>',
        "kvm@example.org",
        "mod@example.org",
    )


def test_everybody_gets_the_cover_once():
    joined = join_recipients([Recipients(("a",), ("b",)), Recipients(("b",), ("a", "c"))])
    assert joined == Recipients(("a", "b"), ("c",))


def test_hit_counts():
    assert HitCount(2).accepts(2) and not HitCount(2).accepts(3)
    assert HitCount(2, at_least=True).accepts(3) and not HitCount(2, at_least=True).accepts(1)


def test_a_message_marks_the_column_behind_tabs():
    place = ErrorPlace("f", 3, 3, excerpt="\tx y")
    assert str(PatchgenError("bad", place=place, hint="mend it")) == (
        "f:3:3: bad\n            x y\n             ^\nhint: mend it"
    )
