/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TOY_ASM_PARAVIRT_H
#define _TOY_ASM_PARAVIRT_H

#ifdef CONFIG_PARAVIRT
#include <asm/paravirt_types.h>

static inline void paravirt_arch_exit_mmap(struct mm_struct *mm)
{
	PVOP_VCALL1(mmu.exit_mmap, mm);
}
#endif

#ifndef CONFIG_PARAVIRT
static inline void paravirt_arch_exit_mmap(struct mm_struct *mm)
{
}
#endif

#endif
