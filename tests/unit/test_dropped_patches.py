# SPDX-License-Identifier: GPL-2.0-or-later
"""What a cover letter says about patches that a person has dropped."""

from __future__ import annotations

import pytest

from patchgen.model.series import Cover
from patchgen.verify.dropped_patches import MissingPatch, check_dropped, find_added_names

DIFF = """\
diff --git a/x.c b/x.c
--- a/x.c
+++ b/x.c
@@ -1,3 +1,4 @@ int outer(void)
 int known(void);
-old_call(1);
+new_call(old_call, 1);
+known(2);
 int last;
"""
REMAINING = ("x86/kvm: Add the hypercall",)


def test_names_that_only_added_lines_have():
    assert find_added_names(DIFF) == {"new_call"}
    assert find_added_names("") == frozenset()


@pytest.mark.parametrize(
    ("cover", "reasons"),
    [
        (Cover("x86: Add the hypercall", "It adds a hypercall.\n"), []),
        (Cover("x86: Add the hypercall", "It calls old_call().\n"), []),
        # A list of changes states what was dropped.
        (Cover("x86: Add the hypercall", "It.\n", 'Drop "x86/mm: Call new hooks"\n'), []),
        (Cover("x86: Add hypercall and hooks", ""), ["only that patch has hooks of its subject"]),
        (Cover("x86: Add it", "One can Call new\nhooks then.\n"), ["it names that patch"]),
        (Cover("x86: Add it", "new_call()\n"), ["no other patch has new_call, which it names"]),
        (Cover("x86: Add it", "See other_call().\n"), []),
    ],
)
def test_the_cover_letter_is_to_be_read_again(cover, reasons):
    dropped = MissingPatch("x86/mm: Call new hooks", frozenset({"new_call", "other_call"}))
    found = list(check_dropped(cover, [dropped], REMAINING, "+other_call();"))
    head = 'read it again, since the series does not have "x86/mm: Call new hooks" any more: '
    assert [finding.text for finding in found] == [head + reason for reason in reasons]
    assert not any(finding.failure for finding in found)


@pytest.mark.parametrize(
    ("body", "is_named"),
    [
        ("Rename f() to g().\n", False),
        ("Two patches: net: Rename f() to g()\n", False),
        ("One of them is mfd: Rename f() to g()\n", True),
    ],
)
def test_a_patch_is_named_by_its_prefix_if_others_have_the_rest_of_its_subject(body, is_named):
    dropped = MissingPatch("mfd: Rename f() to g()")
    cover = Cover("treewide: Rename f() to g()", body)
    found = list(check_dropped(cover, [dropped], ("net: Rename f() to g()",), ""))
    assert [finding.text.endswith("it names that patch") for finding in found] == [True] * is_named
