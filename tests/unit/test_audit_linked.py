# SPDX-License-Identifier: GPL-2.0-or-later
"""The folders of arch/x86 that the makefiles link into vmlinux are read."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import pytest

from patchgen.audit.audit_tree import TreeAudit
from patchgen.audit.kbuild import find_unbuilt, find_unlinked
from patchgen.errors import RefusedError
from patchgen.kernel import DotConfig
from patchgen.model.base import Oid, TreeFile
from patchgen.odb import Repository, list_files
from tests.support.kernels import commit_all
from tests.support.small_kernel import FILES, SITE, write_files

SOURCES = ("boot/main.c", "boot/startup/sev.c", "kernel/kvm.c", "kernel/cpu/common.c")


@contextmanager
def commit(tree: Path, files: Mapping[str, str]) -> Iterator[tuple[Repository, Oid]]:
    """Yield the repository and the root of a tree with these files below arch/x86."""
    write_files(tree, {f"arch/x86/{path}": text for path, text in files.items()})
    commit_all(tree, "kernel")
    repository = Repository(tree)
    try:
        yield repository, repository.resolve_tree(repository.resolve_commit("HEAD"))
    finally:
        repository.close()


def list_sources(repository: Repository, root: Oid) -> list[TreeFile]:
    return list(list_files(repository, root, [PurePosixPath("arch/x86")]))


def unlinked(tree: Path, makefiles: Mapping[str, str]) -> set[str]:
    """Return the files of SOURCES, below arch/x86, that are not linked."""
    with commit(tree, {**dict.fromkeys(SOURCES, "int x;\n"), **makefiles}) as (repository, root):
        return {
            path.removeprefix("arch/x86/")
            for path in find_unlinked(repository, root, list_sources(repository, root))
            if path.endswith(".c")
        }


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
        # No linked makefile names the folder of this one.
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
def test_a_folder_is_linked_if_a_linked_makefile_names_it(tmp_path, makefiles, expected):
    assert unlinked(tmp_path / "kernel", makefiles) == expected


MAKEFILES = {
    "Kbuild": "obj-y += kernel/\n",
    "kernel/Makefile": "SUFFIX := $(BITS)\nobj-y := head_$(BITS).o setup_${SUFFIX}.o\n"
    "obj-$(CONFIG_KVM_GUEST) += kvm.o\n",
    "Makefile": "ifeq ($(CONFIG_X86_32),y)\nBITS := 32\nelse\nBITS := 64\nendif\nexport BITS\n",
    "../../Makefile": "core-y :=\ninclude arch/x86/Makefile\ncore-y += arch/x86/\n",
}


@pytest.mark.parametrize(("option", "bits"), [("CONFIG_X86_64", "64"), ("CONFIG_X86_32", "32")])
def test_a_configuration_selects_files_by_variables_of_make(tmp_path, option, bits):
    names = ("head_32.S", "head_64.S", "setup_32.c", "setup_64.c", "kvm.c")
    files = {**dict.fromkeys((f"kernel/{name}" for name in names), "int x;\n"), **MAKEFILES}
    with commit(tmp_path / "kernel", files) as (repository, root):
        config = DotConfig({option: "y"})
        unbuilt = find_unbuilt(repository, root, list_sources(repository, root), config)
    built = {name for name in names if f"arch/x86/kernel/{name}" not in unbuilt}
    assert built == {f"head_{bits}.S", f"setup_{bits}.c"}


@pytest.mark.parametrize(
    "options", [{}, {"CONFIG_XEN": "y"}, {"CONFIG_ARM64": "y"}, {"CONFIG_X86_64": "n"}]
)
def test_a_fragment_of_a_configuration_is_refused(tmp_path, options):
    with (
        commit(tmp_path / "kernel", {"kernel/kvm.c": "int x;\n"}) as (repository, root),
        pytest.raises(RefusedError, match="neither CONFIG_X86_64 nor CONFIG_X86_32"),
    ):
        TreeAudit(repository, root, config=DotConfig(options))


def test_a_refused_audit_leaves_garbage_collection_on(tmp_path):
    with commit(tmp_path / "kernel", {"kernel/kvm.c": "int x;\n"}) as (repository, root):
        with pytest.raises(RefusedError, match="no calls lead from"):
            TreeAudit(repository, root).find_audit()
        assert gc.isenabled()


def test_a_cached_audit_reads_no_file_and_answers_only_the_same_question(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_files(tmp_path / "kernel", FILES)
    files = {"kernel/kvm.c": f"#ifdef CONFIG_KVM_GUEST\n{SITE}#endif\n"}
    with commit(tmp_path / "kernel", files) as (repository, root):
        audit = TreeAudit(repository, root).find_audit()
        config = DotConfig({"CONFIG_X86_64": "y"})
        assert not TreeAudit(repository, root, config=config).find_audit().hypercalls
    assert audit.hypercalls
    shutil.rmtree(tmp_path / "kernel")
    assert TreeAudit(repository, root).find_audit() == audit
