# SPDX-License-Identifier: GPL-2.0-or-later
"""Which folders of arch/x86 count: those that the makefiles link into vmlinux."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest

from patchgen.audit.kbuild import find_unlinked
from patchgen.odb import Repository, list_files
from tests.support.kernels import commit_all
from tests.support.small_kernel import write_files

SOURCES = ("boot/main.c", "boot/startup/sev.c", "kernel/kvm.c", "kernel/cpu/common.c")


def unlinked(tree: Path, makefiles: Mapping[str, str]) -> set[str]:
    """Return the files of SOURCES that do not count, below arch/x86."""
    files = {**dict.fromkeys(SOURCES, "int x;\n"), **makefiles}
    write_files(tree, {f"arch/x86/{path}": text for path, text in files.items()})
    commit_all(tree, "kernel")
    repository = Repository(tree)
    try:
        root = repository.resolve_tree(repository.resolve_commit("HEAD"))
        files = list_files(repository, root, [PurePosixPath("arch/x86")])
        return {
            path.removeprefix("arch/x86/")
            for path in find_unlinked(repository, root, files)
            if path.endswith(".c")
        }
    finally:
        repository.close()


@pytest.mark.parametrize(
    ("makefiles", "expected"),
    [
        ({}, set()),
        ({"Kbuild": "obj-y += kernel/\nobj-y += boot/startup/\n"}, {"boot/main.c"}),
        (
            {"Kbuild": "obj-y += kernel/\nsubdir- += boot/ boot/startup/\n"},
            {"boot/main.c", "boot/startup/sev.c"},
        ),
        (
            {"Kbuild": "obj-y += kernel/\n# obj-y += boot/startup/\n"},
            {"boot/main.c", "boot/startup/sev.c"},
        ),
        (
            {"Makefile": "core-y += arch/x86/kernel/ \\\n\tarch/x86/boot/startup/\n"},
            {"boot/main.c"},
        ),
        (
            {
                "Kbuild": "obj-y += kernel/\nobj-$(CONFIG_X) += boot/\n",
                "boot/Makefile": "obj-y += other/\n",
            },
            {"boot/startup/sev.c"},
        ),
        # A makefile that nothing leads to links nothing.
        (
            {"Kbuild": "obj-y += kernel/\n", "boot/Makefile": "obj-y += startup/\n"},
            {"boot/main.c", "boot/startup/sev.c"},
        ),
        ({"Kbuild": "obj-$(call new,CONFIG_X) += kernel/ boot/startup/\n"}, {"boot/main.c"}),
        (
            {
                "Kbuild": "obj-y += kernel/ boot/startup/\n",
                "kernel/Makefile": "obj-y += kvm.o\nobj-$(CONFIG_CPU) += cpu/\n",
            },
            {"boot/main.c"},
        ),
    ],
)
def test_a_folder_counts_where_a_makefile_that_counts_names_it(tmp_path, makefiles, expected):
    assert unlinked(tmp_path / "kernel", makefiles) == expected
