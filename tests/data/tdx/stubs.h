/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * As much of the kernel as the arch/x86/kernel/tdx.c takes that pvops adds, so
 * that it can be compiled as a part of a program.
 */
#ifndef STUBS_H
#define STUBS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uint32_t u32;
typedef unsigned long long u64;

#define __init
#define __ro_after_init

#define BIT_ULL(n)		(1ULL << (n))
#define GENMASK_ULL(h, l)	((~0ULL << (l)) & (~0ULL >> (63 - (h))))
#define IS_ALIGNED(x, a)	(((x) & ((a) - 1)) == 0)
#define upper_32_bits(n)	((u32)((n) >> 32))

#define PAGE_SHIFT	12
#define PAGE_SIZE	(1UL << PAGE_SHIFT)
#define PAGE_ALIGNED(x)	IS_ALIGNED(x, PAGE_SIZE)
#define PMD_SIZE	(1UL << 21)
#define PFN_PHYS(pfn)	((u64)(pfn) << PAGE_SHIFT)

#define pr_info(format, ...)	printf(pr_fmt(format), ##__VA_ARGS__)
#define pr_err(format, ...)	printf(pr_fmt(format), ##__VA_ARGS__)
#define WARN_ONCE(condition, ...)			\
	do {						\
		if (condition)				\
			printf("WARN " __VA_ARGS__);	\
	} while (0)

extern struct pv_ops {
	struct {
		int (*notify_page_enc_status_changed)(unsigned long pfn, int npages, bool enc);
	} mmu;
} pv_ops;

u32 cpuid_eax(u32 leaf);
void cpuid_count(u32 leaf, u32 subleaf, u32 *eax, u32 *ebx, u32 *ecx, u32 *edx);

#endif
