# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen audit` as users run it, on a kernel of a few lines."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.kernels import commit_all
from tests.support.small_kernel import FILES, write_files

KVM = """\
static void kvm_init_platform(void)
{
	kvm_hypercall1(KVM_HC_X, 0);
}
#ifdef CONFIG_KVM_GUEST
struct x86_init_ops x86_init = { .hyper.init_platform = kvm_init_platform };
#endif
"""
TEXT = """\
1 early site; 2 calls unresolved, 0 of them in arch/x86. An early site is a hypercall that can run
before alternative_instructions() patches the kernel's code; 1 is fatal on one platform or more.
Unresolved calls may lead to more.
6.1.0 (HEAD), all branches (no --config); 0 late sites (--late)
window: x86_64_start_kernel() to arch/x86/kernel/cpu/common.c:4
op: this kernel has no pv_ops.mmu.notify_page_enc_status_changed()

Early sites, fatal on one platform or more: 1 (1 kvm by alternative)
  site                    function          form        fatal on       op by way of
  arch/x86/kernel/kvm.c:3 kvm_init_platform alternative SEV ES/SNP TDX no start_kernel > setup_arch

Unresolved early calls: 2 (0 in arch/x86)
  init/main.c:8  do_early_param p.setup_func: no early code assigns \
obs_kernel_param.setup_func
  init/main.c:18 start_kernel   no early code assigns late_time_init

Names that early code calls and no file that was read defines: 2
  console_init identify_boot_cpu
"""
DETAIL = """\
      kvm_hypercall1(KVM_HC_X): it does not report page status, so the op does not replace it; \
it is fatal on SEV, SEV-ES/SNP, TDX
      1 path; the shortest:
        x86_64_start_kernel()
        start_kernel() at arch/x86/kernel/head64.c:3
        setup_arch() at init/main.c:14
        kvm_init_platform() by x86_init.hyper.init_platform at arch/x86/kernel/setup.c:3
      VT-x: works: VMCALL exits to the hypervisor
"""
MANY = 30


# It makes a call that is unresolved in arch/x86.
CONSOLE = """\
extern void (*console_hook)(void);
void console_init(void)
{
	console_hook();
	kvm_hypercall1(KVM_HC_X, 0);
}
"""


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "99")
    tree = tmp_path / "kernel"
    write_files(tree, {**FILES, "arch/x86/kernel/kvm.c": KVM})
    commit_all(tree, "kernel")
    return tree


def test_an_audit_shows_the_early_sites_and_does_not_change_the_tree(kernel, patchgen, git):
    result = patchgen("audit", "--tree", kernel)
    assert (result.code, result.err, result.out) == (0, "", TEXT)
    assert git(kernel, "status", "--porcelain") == ""


def test_all_details_of_a_site_are_below_its_line(kernel, patchgen):
    out = patchgen("audit", "--tree", kernel, "--verbose").out
    before, _, after = TEXT.partition("start_kernel > setup_arch\n")
    assert out.startswith(f"{before}start_kernel > setup_arch\n{DETAIL}")
    assert out.endswith(after)


def test_a_small_screen_has_the_first_sites_and_the_number_of_the_others(
    kernel, patchgen, git, monkeypatch
):
    calls = "".join(f"\tkvm_hypercall1(KVM_HC_X, {number});\n" for number in range(MANY - 1))
    (kernel / "arch/x86/kernel/kvm.c").write_text(
        KVM.replace("\tkvm_hypercall1(KVM_HC_X, 0);\n", calls) + CONSOLE
    )
    git(kernel, "commit", "-q", "-a", "-m", "many")
    for height in (24, 30, 44):
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setenv("LINES", str(height))
        lines = patchgen("audit", "--tree", kernel).out.splitlines()
        assert lines[0].startswith(f"{MANY} early sites; 3 calls unresolved, 1 of them in arch/x86")
        assert height - 3 <= len(lines) < height
        sites = [line for line in lines if "kvm.c:" in line and "alternative" in line]
        (left_out,) = re.findall(r"Left out: (\d+) fatal sites", " ".join(lines))
        assert len(sites) + int(left_out) == MANY
    sites = patchgen("audit", "--tree", kernel, "--verbose").out
    assert "Left out" not in sites and sites.count("  arch/x86/kernel/kvm.c:") == MANY + 1


REST = """\
static void from_rest(void)
{
	kvm_hypercall1(KVM_HC_Y, 0);
}
void after_alternatives(void)
{
	from_rest();
}
"""
EARLY = """\
setup_arch() at arch/x86/kernel/setup.c:1 is early: it can run before alternative_instructions().
  x86_64_start_kernel() at arch/x86/kernel/head64.c:1
  start_kernel() at arch/x86/kernel/head64.c:3
  setup_arch() at init/main.c:14
"""
LATE = """\
from_rest() at arch/x86/kernel/kvm.c:8 is late: no path leads to it before \
alternative_instructions().
The shortest path to it, with the obstacle:
  arch_cpu_finalize_init() at arch/x86/kernel/cpu/common.c:1
  after_alternatives() at arch/x86/kernel/cpu/common.c:5: the call is after the end of the window
  from_rest() at arch/x86/kernel/kvm.c:14
"""
LATE_SITES = """\
1 late site: no path leads to it before alternative_instructions(); 2 calls unresolved, 0 of them \
in arch/x86.

The call is after the end of the window: 1
  site                     function  form        fatal on       by way of
  arch/x86/kernel/kvm.c:10 from_rest alternative SEV ES/SNP TDX (1) > after_alternatives
"""


def test_a_function_is_explained_on_either_side_of_the_window(kernel, patchgen, git):
    write_files(kernel, {"arch/x86/kernel/kvm.c": KVM + REST})
    git(kernel, "commit", "-q", "-a", "-m", "late")
    assert patchgen("audit", "--tree", kernel, "--why", "setup_arch").out == EARLY
    for _ in ("read", "cached"):
        assert patchgen("audit", "--tree", kernel, "--why", "from_rest").out == LATE
    document = json.loads(patchgen("audit", "--tree", kernel, "--why", "from_rest", "--json").out)
    (answer,) = document["answers"]
    assert (document["kind"], answer["early"], len(answer["paths"][0])) == ("why", False, 3)
    assert answer["paths"][0][1] == {
        "function": "after_alternatives",
        "place": "arch/x86/kernel/cpu/common.c:5",
        "via": "",
        "early": False,
        "obstacle": "after the window",
    }


def test_the_late_hypercalls_are_listed_by_obstacle(kernel, patchgen, git):
    write_files(kernel, {"arch/x86/kernel/kvm.c": KVM + REST})
    git(kernel, "commit", "-q", "-a", "-m", "late")
    assert patchgen("audit", "--tree", kernel, "--late").out == LATE_SITES
    document = json.loads(patchgen("audit", "--tree", kernel, "--late", "--json").out)
    (site,) = document["hypercalls"]
    assert (document["kind"], site["place"]) == ("late", "arch/x86/kernel/kvm.c:10")
    assert site["answer"]["function"] == "from_rest"


def test_the_second_run_prints_the_same_from_the_cache(kernel, patchgen):
    first = patchgen("audit", "--tree", kernel, "--json")
    again = patchgen("audit", "--tree", kernel, "--json")
    assert (first.code, again.code) == (0, 0)
    first_document, second_document = json.loads(first.out), json.loads(again.out)
    del first_document["seconds"], second_document["seconds"]
    assert first_document == second_document


def test_a_broken_cache_is_rebuilt(kernel, patchgen, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = tmp_path / "cache/patchgen/cache.sqlite"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"no database" * 100)
    assert patchgen("audit", "--tree", kernel).out == TEXT
    assert file.read_bytes().startswith(b"SQLite format 3")


def test_json_has_the_fields_that_are_promised(kernel, patchgen):
    document = json.loads(patchgen("audit", "--tree", kernel, "--json").out)
    assert (document["format"], document["kind"], document["revision"]) == (1, "audit", "HEAD")
    assert document["counts"]["unrouted"] == 1
    (site,) = document["hypercalls"]
    assert site["place"] == "arch/x86/kernel/kvm.c:3"
    assert site["group"] == "unrouted"
    assert site["instruction"]["form"] == "alternative"
    assert site["effects"]["SEV"]["outcome"] == "fatal"
    assert site["early"]["steps"][-1] == {
        "function": "kvm_init_platform",
        "defined": "arch/x86/kernel/kvm.c:1",
        "called": "arch/x86/kernel/setup.c:3",
        "how": "pointer",
        "via": "x86_init.hyper.init_platform",
    }
    assert document["coverage"]["lost"] == []


def test_files_that_a_config_does_not_build_are_not_read(kernel, patchgen, tmp_path):
    config = tmp_path / "config"
    config.write_text("CONFIG_X86_64=y\n# CONFIG_KVM_GUEST is not set\n")
    result = patchgen("audit", "--tree", kernel, "--config", config)
    assert result.code == 0
    assert result.out.startswith("0 early sites; 3 calls unresolved, 1 of them in arch/x86.")


def test_files_that_the_option_of_a_makefile_disables_are_not_read(kernel, patchgen, git, tmp_path):
    (kernel / "arch/x86/kernel/Makefile").write_text("obj-$(CONFIG_KVM_GUEST) += kvm.o\n")
    git(kernel, "add", ".")
    git(kernel, "commit", "-q", "-m", "Makefile")
    config = tmp_path / "config"
    for value, expected in (("CONFIG_KVM_GUEST=y\n", 1), ("CONFIG_OTHER=y\n", 0)):
        config.write_text(f"CONFIG_X86_64=y\n{value}")
        result = patchgen("audit", "--tree", kernel, "--config", config, "--json")
        assert len(json.loads(result.out)["hypercalls"]) == expected


def test_a_file_that_a_built_file_includes_is_read(kernel, patchgen, git, tmp_path):
    folder = kernel / "arch/x86/kernel"
    (folder / "host").mkdir()
    (folder / "kvm.c").rename(folder / "host/kvm.c")
    (folder / "guest.c").write_text('#include "host/kvm.c"\n')
    (folder / "Makefile").write_text("obj-y += guest.o\nobj-$(CONFIG_HOST) += host/\n")
    (folder / "host/Makefile").write_text("obj-y += kvm.o\n")
    git(kernel, "add", "-A")
    git(kernel, "commit", "-q", "-m", "include")
    config = tmp_path / "config"
    config.write_text("CONFIG_X86_32=y\nCONFIG_KVM_GUEST=y\n")
    args = ("audit", "--tree", kernel, "--config", config, "--json")
    assert len(json.loads(patchgen(*args).out)["hypercalls"]) == 1
    (folder / "guest.c").write_text("int nothing;\n")
    git(kernel, "commit", "-q", "-a", "-m", "without")
    assert json.loads(patchgen(*args).out)["hypercalls"] == []


def test_the_page_is_written_for_one_and_for_two(kernel, patchgen, git, tmp_path):
    page = tmp_path / "audit.html"
    assert patchgen("audit", "--tree", kernel, "--html", page).code == 0
    assert "1 early hypercall bypasses the op" in page.read_text()
    git(kernel, "commit", "-q", "--allow-empty", "-m", "same")
    args = ("audit", "--tree", kernel, "--diff", "HEAD~..HEAD", "--html", page)
    assert patchgen(*args).code == 0
    assert "What changed at each site" in page.read_text()
    result = patchgen("audit", "--tree", kernel, "--html", tmp_path / "no/audit.html")
    assert result.code == 2 and "does not exist" in result.err


def test_strict_fails_while_a_kvm_hypercall_is_not_routed(kernel, patchgen, git):
    assert patchgen("audit", "--tree", kernel, "--strict").code == 1
    (kernel / "arch/x86/kernel/kvm.c").write_text(KVM.replace("kvm_hypercall1", "nothing"))
    git(kernel, "commit", "-q", "-a", "-m", "without")
    assert patchgen("audit", "--tree", kernel, "--strict").code == 0


def test_a_comparison_lists_new_removed_and_unchanged_sites(kernel, patchgen, git):
    more = "void console_init(void)\n{\n\tkvm_sev_hypercall3(KVM_HC_MAP_GPA_RANGE, 0);\n}\n"
    (kernel / "arch/x86/kernel/kvm.c").write_text(f"\n{KVM}{more}")
    git(kernel, "commit", "-q", "-a", "-m", "more")
    result = patchgen("audit", "--tree", kernel, "--diff", "HEAD~..HEAD")
    assert result.code == 0, result.err
    assert result.out == (
        "HEAD~ .. HEAD\n\nnew: 1\n"
        "  arch/x86/kernel/kvm.c:11 console_init(): kvm_sev_hypercall3(KVM_HC_MAP_GPA_RANGE)\n"
        "      it did not exist before\n\nstays: 1\n"
        "  arch/x86/kernel/kvm.c:4 kvm_init_platform(): kvm_hypercall1(KVM_HC_X)\n"
        "      it does not report page status, so the op does not replace it; it is fatal on SEV, "
        "SEV-ES/SNP, TDX\n"
    )
    back = patchgen("audit", "--tree", kernel, "--diff", "HEAD..HEAD~", "--json")
    document = json.loads(back.out)
    assert document["kind"] == "diff"
    changes = [(difference["fate"], difference["what"]) for difference in document["differences"]]
    assert changes == [("gone", "hypercall"), ("stays", "hypercall")]


def test_dot_is_a_graph_and_quotes_names(kernel, patchgen):
    result = patchgen("audit", "--tree", kernel, "--dot")
    assert result.code == 0
    assert result.out.startswith("digraph audit {\n")
    assert result.out.endswith("}\n")
    assert (
        '"setup_arch\\narch/x86/kernel/setup.c" -> "kvm_init_platform\\narch/x86/kernel/kvm.c" '
        '[label="x86_init.hyper.init_platform", style=dashed];'
    ) in result.out


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("--rev", "nonsense"), 1, "has no commit 'nonsense'"),
        (("--config", "/nowhere/.config"), 2, "the configuration cannot be read"),
        (("--diff", "HEAD"), 2, "'HEAD' is not a range REV1..REV2"),
        (("--diff", "HEAD...HEAD"), 2, "is not a range REV1..REV2"),
        (("--json", "--dot"), 2, "--json cannot be combined with --dot"),
        (("--why", "main", "--late"), 2, "--why cannot be combined with --late"),
        (("--why", "main", "--strict"), 2, "--why cannot be combined with --strict"),
        (("--late", "--dot"), 2, "--late cannot be combined with --dot"),
        (("--why", "setup_arc"), 1, "defines a function setup_arc()"),
        (("--diff", "HEAD..HEAD", "--dot"), 2, "--diff cannot be combined with --dot"),
    ],
)
def test_a_wrong_request_is_refused_with_one_message(kernel, patchgen, args, code, message):
    result = patchgen("audit", "--tree", kernel, *args)
    assert (result.code, result.out) == (code, "")
    assert message in result.err
    assert len(result.err.splitlines()) <= 3


def test_a_tree_that_is_not_an_x86_kernel_is_refused(tmp_path, patchgen):
    tree = tmp_path / "other"
    write_files(tree, {"Makefile": "all:\n", "arch/arm64/kernel/setup.c": "int x;\n"})
    commit_all(tree, "other")
    result = patchgen("audit", "--tree", tree)
    assert (result.code, result.out) == (1, "")
    assert "an audit needs an x86 kernel" in result.err
    assert "not in a git repository" in patchgen("audit", "--tree", tmp_path).err


def test_a_folder_that_kbuild_links_now_is_read_though_no_source_changed(kernel, patchgen, git):
    boot = "void console_init(void)\n{\n\tkvm_hypercall1(KVM_HC_X, 0);\n}\n"
    kbuild = "obj-y += kernel/\n"
    for more, expected in (("", 1), ("obj-y += boot/startup/\n", 2)):
        files = {"arch/x86/boot/startup/sev.c": boot, "arch/x86/Kbuild": kbuild + more}
        write_files(kernel, files)
        git(kernel, "add", ".")
        git(kernel, "commit", "-q", "-m", "boot")
        document = json.loads(patchgen("audit", "--tree", kernel, "--json").out)
        assert len(document["hypercalls"]) == expected
