# SPDX-License-Identifier: GPL-2.0-or-later
"""The recipients are those of the kernel's own scripts/get_maintainer.pl."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from patchgen.kernel import find_recipients
from patchgen.kernel.maintainer_program import parse_recipients
from patchgen.model.base import Oid
from patchgen.model.series import Mail, Recipients
from patchgen.odb import GitTree, Repository
from tests.support.kernels import commit_all

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-read")]

OPTIONS = ("--no-tree", "--no-git", "--no-git-fallback", "--roles", "--no-rolestats")
SCRIPT = "scripts/get_maintainer.pl"
SAMPLE = 8
# Lines as people and machines write them, within and outside of the format that MAINTAINERS states.
HOSTILE = """\
Prose that is not a section, with F: in it

\tM: *Mail* in the description <not@example.org>
SUPPORTED
M:\tAda <ada@example.org>
M:\t"Last, First" <lf@example.org>
M:\tLast, Unquoted <unquoted@example.org>
M:\tLinus Torvalds <torvalds@linux-foundation.org>
M:\tBea <bea@example.org> (only in summer)
R:\tH. Peter Anvin <hpa@example.org>
R:\tJames (Qian) Wang <qian@example.org>
L:\topen@example.org
L:\tmoderated@example.org (moderated for non-subscribers)
L:\tclosed@example.org (subscribers-only)
S:\tSupported
F:\tnet/
X:\tnet/excluded/

M:\tAfter <after@example.org>
# A comment does not end a section
ODD FIXES, AND A NAME THAT IS LONGER THAN FIFTY CHARACTERS (AND HAS PARENTHESES)
M:\tAda <other-ada@example.org>
M:\tJ\u00f6rg \u00dc <joerg@example.org>
S:\tOdd Fixes
F:\tnet/*.c
F:\tnet/?/
F:\tnet/x/[ab].h
F:\tlib
N:\t[^a-z]zork
K:\t\\bclang\\b
K:\t(?i)PidFD
K:\tone|two
TWICE
M:\tA <a@example.org>, B <b@example.org>
S:\tMaintained
S:\tOrphan
F:\tnet/x/y.c
F:\tx.t?t
F:\td/*.txt
THE REST
M:\tRest <rest@example.org>
L:\tlkml@example.org
S:\tBuried alive in reporters
F:\t*
F:\t*/
"""
MAILMAP = """\
Ada Lovelace <lovelace@example.org> <ada@example.org>
<new@example.org> <after@example.org>
Bea New <bea@example.org>
X Y <xy@example.org> Rest <rest@example.org>
"""
PATHS = ("net/a.c", "net/x/y.c", "net/x/a.h", "net/q/w", "net/excluded/x.c", "lib/deep/x", "lib.c",
         "a/zork", "azork", "x.txt", "d/x.txt", "top", "net/x/c.h")  # fmt: skip
KEYWORDS = ("clang", "pidfd", "two", "one", "none", "Fixes: 123456789abc clang")


def make_mail(number: int, paths: list[str], word: str, change: Callable[[], str]) -> Mail:
    text = f'Subject: [PATCH] {word}\n\n{word}\n\nFixes: 123456789abc ("clang")\n---\n x | 1 +\n\n'
    for path in paths:
        text += f"diff --git a/{path} b/{path}\n"
        kind = change()
        if kind == "new":
            text += f"new file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,1 @@\n+{word}\n"
        elif kind == "gone":
            text += f"--- a/{path}\n+++ /dev/null\n@@ -1,1 +0,0 @@ clang\n-{word}\n"
        elif kind == "renamed":
            text += f"rename from {path}\nrename to {path}.new\n"
        else:
            text += f"--- a/{path}\n+++ b/{path}\n@@ -1,1 +1,1 @@\n clang\n-{word}\n+x\n"
    return Mail(f"{number:04}.patch", f"{text}-- \n2.39\n".encode())


def ask_script(folder: Path, mail: Mail) -> Recipients:
    (folder / mail.file_name).write_bytes(mail.content)
    completed = subprocess.run(
        ["perl", SCRIPT, *OPTIONS, mail.file_name],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PERL_HASH_SEED": "0"},
        capture_output=True,
        check=True,
    )
    return parse_recipients(completed.stdout.decode())


def check_out_script(repository: Path, folder: Path) -> None:
    (folder / "scripts").mkdir(parents=True)
    for name in (SCRIPT, "MAINTAINERS", ".mailmap"):
        argv = ["git", "-C", repository, "show", f"master:{name}"]
        (folder / name).write_bytes(subprocess.run(argv, capture_output=True, check=True).stdout)


@pytest.fixture(params=["6.1", "6.12"])
def kernel(request: pytest.FixtureRequest) -> Path:
    """Return each of the kernel trees."""
    tree = request.getfixturevalue(f"kernel_{request.param.replace('.', '_')}")
    assert isinstance(tree, Path)
    return tree


def test_recipients_of_a_kernel_are_those_of_its_script(kernel, tmp_path):
    folder = tmp_path / "box"
    check_out_script(kernel, folder)
    repository = Repository(kernel)
    tree = GitTree(repository, repository.resolve_tree(Oid("master")))
    listing = repository.run("ls-tree", "-r", "--name-only", "master").stdout.decode().splitlines()
    chance = random.Random(16)

    def change() -> str:
        return chance.choice(["new", "gone", "renamed", ""])

    mails = []
    for number in range(SAMPLE):
        paths = chance.sample(listing, chance.choice([1, 1, 1, 4]))
        word = chance.choice(["bpf", "struct dma_buf", "rust", "plain"])
        mails.append(make_mail(number, paths, word, change))
        for path in paths:
            # The script checks whether a pattern names a folder.
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
    result = find_recipients(tree, mails)
    assert result is not None
    for mail in mails:
        ours, theirs = result.by_mail[mail.file_name], ask_script(folder, mail)
        assert set(ours.to + ours.cc) == set(theirs.to + theirs.cc), mail.content.decode()
        # For a maintainer of one section who is a reviewer of another that is as deep, the order of
        # Perl's hashes decides between To and Cc.
        assert len(set(ours.to) ^ set(theirs.to)) <= 1, mail.content.decode()


def test_a_maintainers_of_odd_lines_is_read_as_the_script_does(kernel_6_12, tmp_path):
    folder = tmp_path / "box"
    check_out_script(kernel_6_12, folder)
    (folder / "MAINTAINERS").write_text(HOSTILE)
    (folder / ".mailmap").write_text(MAILMAP)
    for path in PATHS:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    commit_all(folder, "odd")
    (folder / ".git").rename(tmp_path / "git")
    repository = Repository(tmp_path / "git")
    chance = random.Random(16)

    def change() -> str:
        return chance.choice(["new", "gone", "renamed", ""])

    mails = [make_mail(number, [path], "none", lambda: "") for number, path in enumerate(PATHS)]
    for number in range(len(PATHS), len(PATHS) + 40):
        paths = chance.sample(PATHS, chance.randint(1, 4))
        mails.append(make_mail(number, paths, chance.choice(KEYWORDS), change))
    tree = GitTree(repository, repository.resolve_tree(Oid("HEAD")))
    result = find_recipients(tree, mails)
    assert result is not None
    for mail in mails:
        assert result.by_mail[mail.file_name] == ask_script(folder, mail), mail.content.decode()
