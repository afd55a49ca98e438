/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * As much of the kernel as the code for TDX takes to be compiled as a part of a
 * program, besides what the rest of the toy tree takes.
 */
#ifndef TDX_STUBS_H
#define TDX_STUBS_H

#include "../report/stubs.h"

typedef unsigned long long u64;
struct cpuinfo_x86;

#undef INT_MAX
#define INT_MAX			((int)(~0U >> 1))
#define EINVAL			22

#define BIT_ULL(n)		(1ULL << (n))
#define GENMASK_ULL(h, l)	((~0ULL << (l)) & (~0ULL >> (63 - (h))))
#define IS_ALIGNED(x, a)	(((x) & ((a) - 1)) == 0)
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof(*(array)))
#define upper_32_bits(n)	((u32)((n) >> 32))

#define PAGE_ALIGNED(x)	IS_ALIGNED(x, PAGE_SIZE)
#define PMD_SIZE	(1UL << 21)
#define PUD_SIZE	(1UL << 30)
#define PFN_PHYS(pfn)	((u64)(pfn) << PAGE_SHIFT)

#define pr_info(...)	printf(__VA_ARGS__)
#define pr_err(...)	printf(__VA_ARGS__)

#define PVOP_CALL3(type, op, arg1, arg2, arg3)	((type)pv_ops.op(arg1, arg2, arg3))

u32 cpuid_eax(u32 leaf);
void cpuid_count(u32 leaf, u32 subleaf, u32 *eax, u32 *ebx, u32 *ecx, u32 *edx);

#endif
