// SPDX-License-Identifier: GPL-2.0-or-later
#include <asm/paravirt.h>

static const struct pv_mmu_ops xen_mmu_ops __initconst = {
	.flush_tlb_user = xen_flush_tlb,

	.exit_mmap = xen_exit_mmap,

#ifdef CONFIG_PARAVIRT_XXL
	.read_cr3 = xen_read_cr3,
#endif
};

void __init xen_init_mmu_ops(void)
{
	pv_ops.mmu = xen_mmu_ops;
}
