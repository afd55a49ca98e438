/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TOY_ASM_PARAVIRT_TYPES_H
#define _TOY_ASM_PARAVIRT_TYPES_H

#ifdef CONFIG_PARAVIRT

struct mm_struct;

struct pv_mmu_ops {
	void (*flush_tlb_user)(void);

	/* When an address space goes away. */
	void (*exit_mmap)(struct mm_struct *mm);

#ifdef CONFIG_PARAVIRT_XXL
	unsigned long (*read_cr3)(void);
#endif
} __no_randomize_layout;

struct paravirt_patch_template {
	struct pv_mmu_ops mmu;
} __no_randomize_layout;

extern struct paravirt_patch_template pv_ops;

#define PVOP_VCALL1(op, arg1)			(pv_ops.op(arg1))
#define PVOP_VCALL3(op, arg1, arg2, arg3)	(pv_ops.op(arg1, arg2, arg3))

#endif
#endif
