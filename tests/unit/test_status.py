# SPDX-License-Identifier: GPL-2.0-or-later
"""What the parts of `patchgen status` make of diffs and of conflicts."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from patchgen.odb.changes import CommitHunk, FileChange, parse_diff
from patchgen.status.conflict_hunks import Block, resolve_conflicts, split_blocks

DIFF = b"""\
diff --git a/fs/a b.c b/fs/a b.c
index 111..222 100644
--- a/fs/a b.c\t
+++ b/fs/a b.c\t
@@ -1,2 +1 @@ int f(void)
--- a/looks/like/a/header
-two
+one
@@ -9 +8,0 @@
-last
\\ No newline at end of file
diff --git a/gone.c b/gone.c
deleted file mode 100644
index 111..000
--- a/gone.c
+++ /dev/null
@@ -1 +0,0 @@
-x
diff --git a/run.sh b/run.sh
old mode 100644
new mode 100755
"""


def test_reads_hunks_without_context():
    changes = parse_diff(DIFF)
    assert list(map(str, changes)) == ["fs/a b.c", "gone.c", "run.sh"]
    first = CommitHunk((b"-- a/looks/like/a/header", b"two"), (b"one",))
    last = CommitHunk((b"last", b"\\ No newline at end of file"))
    assert changes[PurePosixPath("fs/a b.c")] == FileChange((first, last))
    assert changes[PurePosixPath("gone.c")].is_deleted
    assert changes[PurePosixPath("gone.c")].hunks[-1] == CommitHunk((b"x",))
    mode = CommitHunk(header=b"old mode 100644\nnew mode 100755")
    assert changes[PurePosixPath("run.sh")] == FileChange((mode,))
    assert parse_diff(b"") == {}


def test_reads_names_that_git_puts_in_quotes():
    name = 'fs/\u00fc "b\\c'
    quoted = name.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    diff = b'diff --git "a/%s" "b/%s"\n@@ -1 +1 @@\n-a\n+b\n' % (quoted, quoted)
    assert list(parse_diff(diff)) == [PurePosixPath(name)]


def test_a_revert_is_known():
    change = FileChange((CommitHunk((b"a",), (b"b",)), CommitHunk((), (b"c",))))
    assert FileChange((CommitHunk((b"b",), (b"a",)), CommitHunk((b"c",), ()))).is_reverse_of(change)
    assert not change.is_reverse_of(change)


def conflict(ours: str, base: str, theirs: str) -> tuple[bytes, bytes, bytes]:
    """Return a file with one conflict, and what both sides had: lines for letters."""
    sides = [[f"{line};" * 3 for line in side] for side in (ours, base, theirs)]
    marks = ("<<<<<<< upstream", "||||||| 123", "=======")
    marked = ["top;", *(line for m, s in zip(marks, sides, strict=True) for line in (m, *s))]
    files = [["top;", *side, "end;", ""] for side in (sides[1], sides[0])]
    contents = ["\n".join(lines).encode() for lines in ([*marked, ">>>>>>> patch", "end;", ""],)]
    before, upstream = ("\n".join(lines).encode() for lines in files)
    return contents[0], before, upstream


@pytest.mark.parametrize(
    ("ours", "base", "theirs", "gone"),
    [
        pytest.param("Ax", "ay", "Ay", 0, id="the same, and a neighbour"),
        pytest.param("xc", "abc", "ac", None, id="another removal, with its neighbour changed"),
        pytest.param("acx", "abcd", "acd", 0, id="removed, and a neighbour"),
        pytest.param("", "abc", "aBc", 1, id="upstream removed all of it"),
        pytest.param("", "abcde", "aBcE", 2, id="upstream removed two places"),
        pytest.param("", "abc", "abxc", 1, id="what it adds to was removed"),
        pytest.param("x", "abc", "aBc", None, id="upstream wrote it anew"),
        pytest.param("aBxc", "abc", "aByc", None, id="half of it, and something else"),
        pytest.param("Aa", "a", "A", None, id="added, but the old one is there, too"),
        pytest.param("x", "b", "", None, id="removed by one, changed by the other"),
    ],
)
def test_resolves_false_conflicts(ours, base, theirs, gone):
    marked, before, upstream = conflict(ours, base, theirs)
    settled = resolve_conflicts(marked, before, upstream)
    assert (settled.gone if settled else None) == gone
    if settled:
        assert settled.content == upstream


def test_lines_that_only_moved_were_not_removed():
    marked, before, upstream = conflict("", "abc", "aBc")
    moved = upstream + b"b;b;b;\n"
    assert resolve_conflicts(marked + b"b;b;b;\n", before, moved) is None


def test_white_space_matters_if_the_patch_changes_nothing_else():
    blocks = b"<<<<<<< upstream\n%s\n||||||| 1\n%s\n=======\n%s\n>>>>>>> patch\n"
    spaced = blocks % (b"x( a );\ny;", b"x( a );", b"x(a);")
    assert resolve_conflicts(spaced, b"x( a );\n", b"x( a );\ny;\n") is None
    same = blocks % (b"x( b );\ny;", b"x(a);", b"x(b);")
    assert resolve_conflicts(same, b"x(a);\n", b"x( b );\ny;\n") is not None


def test_lines_may_break_elsewhere():
    """spatch joins lines of what it changes; those who did it by hand did not."""
    blocks = b"<<<<<<< upstream\n%s\n||||||| 1\n%s\n=======\n%s\n>>>>>>> patch\n"
    before, wrapped, joined = b"\told(a,\n\t    MAX);", b"\tnew(a,\n\t    MAX);", b"\tnew(a, MAX);"
    marked = blocks % (wrapped, before, joined)
    assert resolve_conflicts(marked, before, wrapped) is not None
    half = b"\tnew(a,\n\t    MAX);\n\told(b);"
    marked = blocks % (half, before + b"\n\told(b);", joined)
    assert resolve_conflicts(marked, before, half) is None


def test_markers_that_may_be_the_file_s_own_are_left_alone():
    text = b"<<<<<<< upstream\na\n||||||| 1\nb\n=======\nTitle\n=======\nc\n>>>>>>> patch\n"
    assert split_blocks(text) is None
    assert split_blocks(b"<<<<<<< upstream\na\n") is None
    assert split_blocks(b"Title\n=======\n") == [b"Title", b"=======", b""]
    block = Block((b"a",), (b"b",), (b"c",))
    text = b"<<<<<<< upstream\na\n||||||| 1\nb\n=======\nc\n>>>>>>> patch\n"
    assert split_blocks(text) == [block, b""]
