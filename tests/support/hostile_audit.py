# SPDX-License-Identifier: GPL-2.0-or-later
"""An audit of a small kernel whose file names and arguments are markup."""

from __future__ import annotations

from patchgen.audit.result import Audit
from tests.support.small_kernel import audit_files

MARKUP = '<img src=x onerror="document.title=1">'
SOURCE = """\
static void deep(void)
{
	kvm_hypercall1(KVM_HC_DEEP, "</text><script>document.title = 'taken'</script>");
}
static void middle(void)
{
	deep();
}
static void platform(void)
{
	kvm_sev_hypercall3(KVM_HC_MAP_GPA_RANGE, 0);
	middle();
}
struct x86_init_ops x86_init = { .hyper = { .init_platform = platform } };
static void late(void)
{
	kvm_hypercall1(KVM_HC_LATE, 0);
}
void rest_init(void)
{
	late();
}
"""


def hostile_audit() -> Audit:
    """Return the audit of a kernel with a file and an argument that are markup."""
    return audit_files({f"arch/x86/kernel/{MARKUP}.c": SOURCE})
