# SPDX-License-Identifier: GPL-2.0-or-later
"""Who gets a patch by MAINTAINERS: roles, lists, keywords, .mailmap, and what cannot be mailed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

import pytest

from patchgen.controls import has_controls
from patchgen.kernel import find_recipients
from patchgen.model.base import Oid, TreeFile, compile_glob
from patchgen.model.series import Mail, Recipients

NET = """\
NETWORKING
M:	Jane Doe <jane@example.org>
M:	"Last, First" <lf@example.org>
R:	Rev Iewer <rev@example.org>
L:	netdev@example.org
L:	closed@example.org (subscribers-only)
L:	slow@example.org (moderated for non-subscribers)
S:	Maintained
F:	net/
X:	net/wireless/
"""


class Tree:
    """A tree of texts; a TreeReader."""

    def __init__(self, **files: str | bytes):
        self._files = {
            name.replace("__", "/").replace("mailmap", ".mailmap"): text
            for name, text in files.items()
        }

    def find(self, patterns: Sequence[str]) -> list[TreeFile]:
        return [
            TreeFile(PurePosixPath(name), "100644", Oid(name))
            for name in sorted(self._files)
            if any(compile_glob(pattern).fullmatch(name) for pattern in patterns)
        ]

    def read(self, file: TreeFile) -> bytes:
        text = self._files[str(file.path)]
        return text if isinstance(text, bytes) else text.encode()

    def read_all(self, files: Sequence[TreeFile]) -> list[bytes]:
        return [self.read(file) for file in files]


def patch(*paths: str, text: str = "", added: str = "b") -> Mail:
    diffs = "".join(
        f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-a\n+{added}\n"
        for path in paths
    )
    return Mail("0001.patch", f"Subject: x\n\n{text}\n---\n{diffs}-- \n2.39\n".encode())


def ask(text: str | bytes, mail: Mail, **files: str) -> tuple[Recipients, str]:
    """Return who gets a mail, and the warnings."""
    result = find_recipients(Tree(MAINTAINERS=text, **files), [mail])
    assert result is not None
    for printed in (
        *result.by_mail["0001.patch"].to,
        *result.by_mail["0001.patch"].cc,
        *result.warnings,
    ):
        assert not has_controls(printed), repr(printed)
    return result.by_mail["0001.patch"], "\n".join(result.warnings)


def test_maintainers_go_to_to_and_reviewers_and_open_lists_to_cc():
    recipients, warnings = ask(NET, patch("net/core/dev.c"))
    assert recipients.to == ("Jane Doe <jane@example.org>", '"Last, First" <lf@example.org>')
    assert recipients.cc == (
        "Rev Iewer <rev@example.org>",
        "netdev@example.org",
        "slow@example.org",
    )
    assert warnings == ""
    assert ask(NET, patch("net/wireless/x.c"))[0] == Recipients()


@pytest.mark.parametrize(
    ("status", "is_to"),
    [("Supported", True), ("Maintained", True), ("Odd Fixes", False), ("", False)],
)  # fmt: skip
def test_only_maintainers_are_in_to(status, is_to):
    recipients, _ = ask(f"X\nM:\ta@b.org\nS:\t{status}\nF:\tx/\n", patch("x/y.c"))
    assert (recipients.to, recipients.cc) == ((("a@b.org",), ()) if is_to else ((), ("a@b.org",)))


def test_the_deepest_section_comes_first_and_the_others_of_its_path_follow():
    text = "A\nM: a@b.org\nS: Maintained\nF: net/\n\nB\nM: b@b.org\nS: Maintained\nF: net/x/*.c\n"
    assert ask(text, patch("net/x/y.c"))[0].to == ("b@b.org", "a@b.org")


def test_a_pattern_without_a_slash_is_a_folder_if_the_tree_has_it():
    text = "A\nM: a@b.org\nS: Maintained\nF: net/l3\n"
    assert ask(text, patch("net/l3/deep/x.c"))[0].to == ("a@b.org",)
    assert ask(text, patch("net/l3foo.c"))[0].to == ("a@b.org",)
    assert ask(text, patch("net/l3foo.c"), net__l3__x="")[0].to == ()


def test_keywords_count_in_the_message_and_in_changed_lines_only():
    text = "BPF\nM: b@b.org\nS: Maintained\nK: (?:\\b|_)bpf(?:\\b|_)\n"
    assert ask(text, patch("x.c", text="Fix bpf"))[0].to == ("b@b.org",)
    assert ask(text, patch("x.c", added="call_bpf_now();"))[0].to == ("b@b.org",)
    assert ask(text, patch("x.c", text='Fixes: 123456789abc ("bpf: x")'))[0].to == ()
    diff = b"+++ b/x.c\n@@ -1,1 +1,1 @@ bpf\n bpf\n-x\n"
    assert ask(text, Mail("0001.patch", diff))[0].to == ()


def test_mailmap_renames_and_joins_people():
    new = "Jane Roe <roe@example.org>"
    mailmap = f"{new} <jane@example.org>\n{new} <rev@example.org>\n"
    recipients, _ = ask(NET, patch("net/x.c"), mailmap=mailmap)
    assert recipients.to[0] == new
    assert not any("rev@" in address for address in recipients.cc)


def test_a_mailmap_with_control_characters_changes_nothing():
    recipients, _ = ask(
        NET, patch("net/x.c"), mailmap="\x1b[1mEve <eve@example.org> <jane@example.org>\n"
    )
    assert recipients.to[0] == "Jane Doe <jane@example.org>"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"M:\tFoo x@y", "MAINTAINERS:2: M: "),
        (b"M:\tfoo at bar dot org", "MAINTAINERS:2: M: "),
        ("M:\tj\u00f6rg@b.org".encode(), "MAINTAINERS:2: M: "),
        (b"L:\tNo Address", "MAINTAINERS:2: L: "),
        (b"N:\t(?|a|b)", "MAINTAINERS:2: N: "),
        (b"N:\t[z-a]y", "MAINTAINERS:2: N: "),
        (b"K:\tx{1}{2}", "MAINTAINERS:2: K: "),
        (b"N:\t\x1b", "MAINTAINERS:2: N: "),
        (b"M:\t" + b"x" * 9_000_000, "MAINTAINERS:2: a line of 9000003 characters"),
    ],
    ids=lambda text: ascii(text[:12]),
)  # fmt: skip
def test_an_unusable_line_is_reported_and_the_others_are_used(line, problem):
    text = b"A\n" + line + b"\nM: ok@b.org\nS: Maintained\nF: xy\n"
    recipients, warnings = ask(text, patch("xy"))
    assert recipients.to == ("ok@b.org",) and problem in warnings


@pytest.mark.parametrize(
    "name", [b"Eve\x00", b"\x1b[31mEve", b"J\xf6rg", "E\u202eve".encode(), b"\x9b31mE", b"a\x0bb"]
)
def test_a_name_invalid_in_headers_is_left_out_but_its_address_is_used(name):
    text = b"A\nM:\t" + name + b" <eve@b.org>\nS:\tMaintained\nF:\tx\n"
    recipients, warnings = ask(text, patch("x"))
    assert recipients.to == ("eve@b.org",) and "MAINTAINERS:2: M: the name" in warnings


def test_a_domain_in_other_letters_is_mailed_in_its_ascii_form():
    text = "A\nM:\tM <m@ex\u00e4mple.org>\nS:\tMaintained\nF:\tx\n"
    assert ask(text, patch("x"))[0].to == ("M <m@xn--exmple-cua.org>",)


def test_a_file_with_crlf_is_read_like_any_other():
    assert ask(NET.replace("\n", "\r\n"), patch("net/a.c")) == ask(NET, patch("net/a.c"))


def test_a_folder_of_files_is_read_as_one_file():
    tree = Tree(MAINTAINERS__a=NET, MAINTAINERS__b="B\nM: b@b.org\nS: Supported\nF: net/\n")
    result = find_recipients(tree, [patch("net/a.c")])
    assert result is not None and result.by_mail["0001.patch"].to[-1] == "b@b.org"
    assert find_recipients(Tree(README=""), [patch("net/a.c")]) is None


def test_quoted_and_spaced_file_names_have_their_maintainers():
    text = "A\nM: a@b.org\nS: Maintained\nF: d\u00f6c/a b\n"
    diff = b'diff --git "a/d\\303\\266c/a b" "b/d\\303\\266c/a b"\n+++ "b/d\\303\\266c/a b"\n'
    assert ask(text, Mail("0001.patch", diff))[0].to == ("a@b.org",)
    spaced = Mail("0001.patch", b"+++ b/x y/a b\t\n")
    assert ask("A\nM: a@b.org\nS: Maintained\nF: x y/a b\n", spaced)[0].to == ("a@b.org",)


def test_many_sections_and_mails_take_linear_time():
    text = "".join(
        f"S{n}\nM:\tP{n} <p{n}@b.org>\nS:\tMaintained\nF:\td{n % 300}/s{n}/\n\n"
        for n in range(20_000)
    )
    mails = [
        Mail(f"{n}", f"+++ b/d{n % 300}/s{n}/f.c\n".encode()) for n in range(2_000)
    ]  # fmt: skip
    result = find_recipients(Tree(MAINTAINERS=text), mails)
    assert result is not None and result.by_mail["1234"].to == ("P1234 <p1234@b.org>",)
