# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel of a few lines, as the audit sees one: an entry, a window, and the files of a test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from patchgen.audit.assembly import parse_assembly
from patchgen.audit.build_audit import build_audit
from patchgen.audit.conditions import Settings
from patchgen.audit.linked_code import LinkedCode
from patchgen.audit.parse_c import parse_source
from patchgen.audit.result import Audit
from patchgen.audit.tables import load_tables
from patchgen.audit.window import follow_window
from tests.support.call_account import CallAccount, account_calls

KVM_PARA = """\
#define KVM_HYPERCALL ALTERNATIVE("vmcall", "vmmcall", X86_FEATURE_VMMCALL)
static inline long kvm_hypercall1(unsigned int nr, unsigned long p1)
{
	long ret;

	asm volatile(KVM_HYPERCALL : "=a"(ret) : "a"(nr), "b"(p1) : "memory");
	return ret;
}
static __always_inline long kvm_sev_hypercall3(unsigned int nr, unsigned long p1)
{
	long ret;

	asm volatile("vmmcall" : "=a"(ret) : "a"(nr), "b"(p1) : "memory");
	return ret;
}
"""
X86_INIT = """\
struct x86_hyper_init {
	void (*init_platform)(void);
	void (*guest_late_init)(void);
};
struct x86_init_ops {
	struct x86_hyper_init hyper;
};
extern struct x86_init_ops x86_init;
"""
MAIN = """\
extern void (*late_time_init)(void);
void __init early_one(void) { }
static int __init do_early_param(char *param)
{
	const struct obs_kernel_param *p;

	for (p = __setup_start; p < __setup_end; p++)
		p->setup_func(param);
	return 0;
}
asmlinkage __visible void __init start_kernel(void)
{
	early_one();
	setup_arch();
	do_early_param(boot_command_line);
	console_init();
	if (late_time_init)
		late_time_init();
	arch_cpu_finalize_init();
	rest_init();
}
"""
HEAD64 = """\
void __init x86_64_start_kernel(char *real_mode_data)
{
	start_kernel();
}
"""
COMMON = """\
void __init arch_cpu_finalize_init(void)
{
	identify_boot_cpu();
	alternative_instructions();
	after_alternatives();
}
"""
SETUP = """\
void __init setup_arch(void)
{
	x86_init.hyper.init_platform();
}
"""
FILES = {
    "Makefile": "VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 0\n",
    "init/main.c": MAIN,
    "include/linux/init.h": "struct obs_kernel_param {\n\tint (*setup_func)(char *);\n};\n",
    "arch/x86/include/asm/kvm_para.h": KVM_PARA,
    "arch/x86/include/asm/x86_init.h": X86_INIT,
    "arch/x86/kernel/head64.c": HEAD64,
    "arch/x86/kernel/setup.c": SETUP,
    "arch/x86/kernel/cpu/common.c": COMMON,
    "arch/x86/kernel/alternative.c": "void __init alternative_instructions(void)\n{\n}\n",
}


# A file with a hypercall in a static function, which tests add code to.
PATH = "arch/x86/kernel/kvm.c"
SITE = "static void site(void)\n{\n\tkvm_hypercall1(KVM_HC_X, 0);\n}\n"


def link_files(files: Mapping[str, str], settings: Settings | None = None) -> LinkedCode:
    """Return linked files, without a repository."""
    facts = {
        path: (parse_assembly if path.endswith(".S") else parse_source)(text.encode())
        for path, text in files.items()
        if path.endswith((".c", ".h", ".S"))
    }
    return LinkedCode(facts, settings)


def audit_files(extra: Mapping[str, str], settings: Settings | None = None) -> Audit:
    """Return the audit of the small kernel with files added or replaced."""
    return build_audit(follow_window(link_files({**FILES, **extra}, settings), load_tables()))


def early(
    source: str, extra: Mapping[str, str] | None = None, settings: Settings | None = None
) -> bool:
    """Return whether the hypercall in site() is early when the source is added."""
    audit = audit_files({PATH: SITE + source, **(extra or {})}, settings)
    (hypercall,) = [hypercall for hypercall in audit.hypercalls if hypercall.function == "site"]
    return hypercall.early is not None


def account_files(extra: Mapping[str, str]) -> CallAccount:
    """Account for each call in the window of the small kernel with files added."""
    code = link_files({**FILES, **extra})
    return account_calls(code, follow_window(code, load_tables()).flow)


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write files below a folder."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def declare_op(root: str = "") -> str:
    """Return C that declares the op and its wrapper; `root` precedes the member, as in 7.1."""
    return """\
struct pv_mmu_ops {
	void (*notify_page_enc_status_changed)(unsigned long pfn, int npages, bool enc);
};
struct paravirt_patch_template {
	struct pv_mmu_ops mmu;
};
extern struct paravirt_patch_template pv_ops;
static inline void notify_page_enc_status_changed(unsigned long pfn, int npages, bool enc)
{
	PVOP_VCALL3(ROOTmmu.notify_page_enc_status_changed, pfn, npages, enc);
}
""".replace("ROOT", root)
