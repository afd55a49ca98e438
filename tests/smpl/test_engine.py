# SPDX-License-Identifier: GPL-2.0-or-later
"""A plan where spatch cannot finish never makes a patch with less in it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from patchgen.coccinelle import find_spatch
from patchgen.edit.engine import make_patches
from patchgen.errors import RefusedError, ToolError
from patchgen.model.plan import HitCount, PlannedPatch, RunRules
from patchgen.model.series import MadePatch
from patchgen.model.smpl import SemanticPatch
from tests.support.memory_tree import MemoryTree

# Each `...` of the second rule may end at any of the calls of SLOW: the paths multiply.
TEXT = (
    "@quick@\n@@\n-old();\n+new();\n"
    "@slow@\nexpression list es;\n@@\n f(...);\n" + "... when any\n f(...);\n" * 40 + "-g(es);\n"
)
QUICK = b"void quick(void)\n{\n\told();\n}\n"
SLOW = b"void slow(void)\n{\n%s}\n" % b"".join(
    b"\tif (a%d) f(%d); else g(%d);\n" % (n, n, n) for n in range(300)
)


def make(
    tree: MemoryTree, *, optional: bool, must_fire: Mapping[str, HitCount]
) -> tuple[MadePatch, ...]:
    run = RunRules(SemanticPatch("slow.cocci", TEXT), tree.files, must_fire)
    patch = PlannedPatch("one", None, "message.txt", (), edits=(run,), optional=optional)
    return make_patches((patch,), tree, find_spatch(), timeout_s=1)


def test_a_file_that_spatch_gives_up_on_is_not_left_out_of_a_patch():
    tree = MemoryTree({"a.c": QUICK, "b.c": SLOW, "c.c": QUICK})
    with pytest.raises(
        ToolError, match=r"patch one: slow\.cocci: spatch gave up on b\.c after 1 s"
    ):
        make(tree, optional=False, must_fire={"quick": HitCount(2)})


def test_an_optional_patch_does_not_vanish_where_spatch_gives_up():
    with pytest.raises(ToolError, match=r"spatch gave up on b\.c"):
        make(MemoryTree({"b.c": SLOW}), optional=True, must_fire={})


COUNTED = "@counted@\nposition p;\n@@\n-old@p();\n+new();\n@plain@\n@@\n-bare();\n+new();\n"
FEW = "use another base, extend the rule, or correct `must_fire`"
# The rule, how often it must match, `on`, `containing`, the text, and the end of the hint.
HITS = {
    "too few": (
        ("counted", HitCount(3, at_least=True), ("*.c",), ()),
        "matched 2 times in a.c:3, d.c:3 and not in b.c, c.c, but must match at least 3",
        FEW,
    ),
    "without a position": (
        ("plain", HitCount(4), ("*.c",), ()),
        "matched 3 times in a.c (2 times), c.c and not in b.c, d.c, but must match 4",
        FEW,
    ),
    "nothing": (
        ("counted", HitCount(1), ("b.c", "c.c"), ()),
        "matched nothing in b.c, c.c, but must match 1; no searched file has old",
        FEW,
    ),
    "too many": (
        ("counted", HitCount(1), ("*.c",), ()),
        "matched 2 times in a.c:3, d.c:3, but must match 1",
        "name fewer files in `on`, or correct `must_fire`",
    ),
    "a file that is not in the base": (
        ("counted", HitCount(2), ("a.c", "x.c"), ()),
        "matched once in a.c:3, but must match 2; the base has no x.c",
        "correct `on` for this base, use another base, or correct `must_fire`",
    ),
    "a file that does not have the tokens": (
        ("counted", HitCount(2), ("a.c", "b.c"), ("old()", "older()")),
        "matched once in a.c:3, but must match 2; the base has no b.c with old() or older()",
        "correct `on` for this base, use another base, or correct `must_fire`",
    ),
}


@pytest.mark.parametrize(("declared", "text", "hint"), HITS.values(), ids=HITS)
def test_a_rule_that_matched_otherwise_than_declared_names_the_files(declared, text, hint):
    name, count, on, containing = declared
    tree = MemoryTree(
        {
            "a.c": b"void a(void)\n{\n\told();\n\tbare();\n\tbare();\n}\n",
            "b.c": b"void b(void)\n{\n}\n",
            "c.c": b"void c(void)\n{\n\tbare();\n}\n",
            "d.c": b"void d(void)\n{\n\told();\n}\n",
        }
    )
    files = [file for file in tree.find(on) if not containing or b"old(" in tree.read(file)]
    semantic_patch = SemanticPatch("counted.cocci", COUNTED)
    run = RunRules(semantic_patch, tuple(files), {name: count}, on, containing)
    with pytest.raises(RefusedError) as caught:
        make_patches(
            (PlannedPatch("one", None, "message.txt", (), edits=(run,)),),
            tree,
            find_spatch(),
            timeout_s=10,
        )
    assert caught.value.message == f"patch one: the rule {name} {text}"
    assert caught.value.hint is not None and caught.value.hint.endswith(hint)


def test_of_many_files_the_first_are_named():
    tree = MemoryTree({f"{number}.c": b"int x;\n" for number in range(10, 40)})
    text = r"matched nothing in 30 files, such as 10\.c, 11\.c, 12\.c, but must"
    with pytest.raises(RefusedError, match=text) as caught:
        make(tree, optional=False, must_fire={"quick": HitCount(1)})
    assert caught.value.hint and "`patchgen run VARIANT` prints all places" in caught.value.hint


LEFT = {
    "x.c": (
        b'/* old() is gone */\nchar *s = "old";\n',
        "0 in code; comment or string: x.c:1, x.c:2",
    ),
    "y.c": (b"#define X old\n", "1 in code; body of a macro: y.c:1"),
    "z.c": (
        b"#if 0\nvoid f(void) { old(); }\n#endif\n",
        "1 in code; code in #if 0: z.c:2",
    ),
    "p.c": (
        b"int f(void)\n{\n\tfoo bar( old() {;\n}\n",
        "1 in code; function not parsed: p.c:3",
    ),
    "u.c": (
        b"void *f = &old;\n",
        "1 in code; code that the semantic patch does not change: u.c:1",
    ),
}


@pytest.mark.parametrize("name", LEFT)
def test_a_rule_without_a_match_says_where_its_words_are(name):
    text, reason = LEFT[name]
    tree = MemoryTree({**{f"{n}.c": b"int x;\n" for n in range(10, 20)}, name: text})
    with pytest.raises(RefusedError) as caught:
        make(tree, optional=False, must_fire={"quick": HitCount(1)})
    assert (
        f"11 files, such as {name}, 10.c, 11.c, but must match 1; old in " in caught.value.message
    )
    assert caught.value.message.endswith(reason)
    assert caught.value.hint is not None
    assert ("no code of these files has a word" in caught.value.hint) == ("0 in" in reason)
    assert "--leftovers" in caught.value.hint


def test_a_patch_without_a_change_says_where_the_words_of_its_rules_are():
    with pytest.raises(RefusedError) as caught:
        make(MemoryTree({"a.c": b"/* old() */\n"}), optional=False, must_fire={})
    assert caught.value.message == (
        "patch one changes nothing in this base; old in 1 place of the searched files, 0 in code; "
        "comment or string: a.c:1; no searched file has g"
    )


def test_of_many_missing_files_the_first_are_named():
    tree = MemoryTree({"a.c": QUICK})
    on = ("a.c", *(f"b{number}.c" for number in range(8)))
    run = RunRules(SemanticPatch("quick.cocci", TEXT), tree.files, {"quick": HitCount(2)}, on)
    patch = PlannedPatch("one", None, "message.txt", (), edits=(run,))
    text = r"no b0\.c or b1\.c or b2\.c or b3\.c or b4\.c or 3 more of `on`\n"
    with pytest.raises(RefusedError, match=text):
        make_patches((patch,), tree, find_spatch(), timeout_s=10)
