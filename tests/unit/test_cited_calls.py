# SPDX-License-Identifier: GPL-2.0-or-later
"""The search for the calls that manifests cite, over a base in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

from patchgen.edit import PatchedTree
from patchgen.model.base import TreeFile
from patchgen.model.series import FileEdit, MadePatch
from patchgen.spec import find_cited_calls, find_variant
from tests.support.memory_tree import MemoryTree

OP = "notify_page_enc_status_changed"
BASE = {
    "arch/x86/kernel/kvm.c": b"""\
static void report(unsigned long pfn) { kvm_sev_hypercall3(1, pfn); }
void kvm_init(void) { pv_ops.mmu.notify_page_enc_status_changed = report; }
""",
    "arch/x86/mm/a.c": b"""\
void announce(int n) { pv_ops.mmu.notify_page_enc_status_changed(n); }
void set_memory_decrypted(int n) { announce(n); }
""",
    "arch/x86/mm/b.c": b"void use(void) { set_memory_decrypted(2); }\n",
    "arch/x86/mm/none.c": b"int announced;\n",
}


class CountingTree(MemoryTree):
    """A base that records which files are read, and in how many requests."""

    def __init__(self) -> None:
        super().__init__(BASE)
        self.requests: list[list[str]] = []

    def read_all(self, files: Sequence[TreeFile]) -> list[bytes]:
        """Return the contents of files."""
        if files:
            self.requests.append([str(file.path) for file in files])
        return super().read_all(files)


def test_each_file_is_read_once_though_several_cites_name_it():
    tree = CountingTree()
    context = {"has": defaultdict(bool), "hypercall": "kvm_sev_hypercall3"}
    variant = find_variant("pvops")
    cited = {cite.name: cite.calls for cite in find_cited_calls(variant, ["sev"], tree, context)}
    assert [(str(call.site), call.function, call.via) for call in cited["later"]] == [
        ("arch/x86/mm/b.c:1", "use", ("set_memory_decrypted", "announce", OP)),
    ]
    assert [(str(call.site), call.reason) for call in cited["direct"]] == [
        ("arch/x86/kernel/kvm.c:1", "the op calls it"),
    ]
    assert tree.requests == [sorted(BASE)]


def test_the_files_of_a_patched_tree_are_those_after_the_patches():
    tree = MemoryTree(BASE)
    edited = "arch/x86/mm/b.c"
    edit = FileEdit(PurePosixPath(edited), "100644", BASE[edited], b"int after;\n")
    patched = PatchedTree(tree, [MadePatch("edit", edits=(edit,))])
    contents = {**BASE, edited: b"int after;\n"}
    assert patched.read_all(tree.files) == [contents[path] for path in sorted(BASE)]
