// SPDX-License-Identifier: GPL-2.0-or-later
#include <asm/paravirt.h>

void paravirt_nop(void)
{
}

struct paravirt_patch_template pv_ops = {
	.mmu.flush_tlb_user	= native_flush_tlb_local,
	.mmu.exit_mmap		= paravirt_nop,

#ifdef CONFIG_PARAVIRT_XXL
	.mmu.read_cr3		= __native_read_cr3,
#endif
};
