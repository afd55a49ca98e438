# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen status --html` writes the page of a campaign; Chromium opens one in tests/browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.call_rule import format_function, format_rule
from tests.support.kernels import commit_all

CAMPAIGN = "patchgen/call-v1"
MAINTAINERS = """\
NETWORKING
M:	Ada & Net <net@example.org>
L:	netdev@example.org
T:	git https://git.example.org/net-next.git
F:	net/

ANOTHER NAME OF NETWORKING
M:	Ada & Net <Net@Example.org>
F:	net/b.c

FILESYSTEM F
M:	Fay <fay@example.org>
T:	git https://git.example.org/f.git
F:	fs/f/
"""


@pytest.fixture
def tree(patchgen, git, tmp_path: Path) -> Path:
    """Return a tree with a campaign of three patches, for two trees and for one person.

    MAINTAINERS names no tree for `lib`, but the log names who applies its patches.
    """
    folder = tmp_path / "linux"
    for name in ("fs/f/f.c", "lib/l.c", "net/a.c", "net/b.c"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(format_function(Path(name).stem))
    (folder / "MAINTAINERS").write_text(MAINTAINERS)
    commit_all(folder, "start")
    (folder / "lib/l.c").write_text(f"/* */\n{format_function('l')}")
    git(folder, "commit", "-q", "-a", "-m", "lib: Add a comment")
    (tmp_path / "call.cocci").write_text(format_rule(""))
    done = patchgen("run", tmp_path / "call.cocci", "--tree", folder, "--split", "tree")
    assert done.code == 0, done.err
    return folder


def read_rows(page: str) -> list[str]:
    """Return the rows of the patches."""
    return page.partition("<tbody>")[2].split("<tr ")[1:]


def test_the_page_shows_the_tree_and_the_maintainers_of_each_patch(patchgen, tree, git, tmp_path):
    git(tree, "cherry-pick", f"{CAMPAIGN}~2")
    taken = git(tree, "rev-parse", "--short=12", "HEAD").strip()
    page_file = tmp_path / "page.html"
    result = patchgen("status", CAMPAIGN, "--tree", tree, "--html", page_file)
    assert (result.code, result.err) == (0, "")
    assert "3 patches: 1 applied, 2 needed" in result.out
    page = page_file.read_text()
    assert ">1 of 3 patches applied<" in page
    files, lib, net = read_rows(page)
    assert 'data-stage="applied"' in files and f"<code>{taken}</code>" in files
    assert (
        "https://git.example.org/f.git" in files and 'title="Fay &lt;fay@example.org&gt;"' in files
    )
    assert 'data-stage="needed"' in net and "<code>net/a.c</code>" in net
    # MAINTAINERS has this person twice, with a different case of the address.
    assert "net-next <span" in net and net.count("Ada &amp; Net") == 2
    assert "Ada Übergang &lt;ada@example.org&gt;" in lib and "git.example.org" not in lib


def test_the_page_needs_one_series_and_a_folder(patchgen, tree, tmp_path):
    result = patchgen("status", "--tree", tree, "--html", tmp_path / "page.html")
    assert result.code == 2 and f"name one of these [branch-not-named]:\n  {CAMPAIGN}" in result.err
    assert not (tmp_path / "page.html").exists()
    result = patchgen("status", CAMPAIGN, "--tree", tree, "--html", tmp_path / "new/page.html")
    assert result.code == 2 and "does not exist" in result.err
