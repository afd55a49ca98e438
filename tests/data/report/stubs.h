/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * As much of the kernel as the toy tree takes to be compiled as a program, with
 * any of the variants applied.
 */
#ifndef STUBS_H
#define STUBS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uint32_t u32;

#define __init
#define __initconst
#define __ro_after_init
#define __no_randomize_layout
#define EIO		5
/* So small that a few pages are more than fit into one report. */
#define INT_MAX		1000
#define IS_ENABLED(option)	1
#define min(a, b) \
	({ __auto_type _a = (a); __auto_type _b = (b); _a < _b ? _a : _b; })

#define PAGE_SHIFT		12
#define PAGE_SIZE		(1UL << PAGE_SHIFT)
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define PFN_UP(bytes)		(((bytes) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define PFN_DOWN(bytes)		((bytes) >> PAGE_SHIFT)
#define PHYS_PFN(address)	((unsigned long)(address) >> PAGE_SHIFT)
#define offset_in_page(p)	((unsigned long)(p) & ~PAGE_MASK)
#define __pa_symbol(symbol)	((unsigned long)(symbol))

/* Alternatives are not patched yet. */
#define ALTERNATIVE(old, new, feature)	old
#define boot_cpu_has(feature)		true
#define setup_force_cpu_cap(feature)	do { } while (0)

#define pr_warn_once(...)	printf("warning: " __VA_ARGS__)
#define WARN_ONCE(condition, ...) \
	((condition) ? (printf("WARNING: " __VA_ARGS__), true) : false)
#define panic(text)		printf("panic: %s\n", text)

#define DEFINE_PER_CPU_DECRYPTED(type, name)	type name
#define per_cpu_ptr(pointer, cpu)		(pointer)
#define for_each_possible_cpu(cpu)		for ((cpu) = 0; (cpu) < 1; (cpu)++)

/* An entry of a page table holds the first page frame of its mapping. */
typedef struct {
	unsigned long pfn;
} pte_t, pmd_t, pud_t;

enum { PG_LEVEL_NONE, PG_LEVEL_4K, PG_LEVEL_2M, PG_LEVEL_1G, PG_LEVEL_512G };

#define pte_none(pte)			(!(pte).pfn)
#define pte_pfn(pte)			((pte).pfn)
#define pmd_pfn(pmd)			((pmd).pfn)
#define pud_pfn(pud)			((pud).pfn)
#define page_level_size(level)		(PAGE_SIZE << 9 * ((level) - PG_LEVEL_4K))
#define page_level_mask(level)		(~(page_level_size(level) - 1))

extern bool pgd_lock;
#define spin_lock(lock)			((void)(*(lock) = true))
#define spin_unlock(lock)		((void)(*(lock) = false))

pte_t *lookup_address(unsigned long vaddr, unsigned int *level);

struct ghcb {
	char page[4096];
} __attribute__((aligned(4096)));

struct hypervisor_x86 {
	const char *name;
	struct {
		void (*guest_late_init)(void);
		void (*init_platform)(void);
	} init;
};

enum page_cache_mode { _PAGE_CACHE_MODE_WB };

struct cpa_data {
	unsigned long vaddr;
	int npages;
	bool enc;
};

int toy_set_pte_enc(unsigned long vaddr, bool enc);
void toy_cpa_init(struct cpa_data *cpa, unsigned long *addr, int npages, bool enc);
int __change_page_attr_set_clr(struct cpa_data *cpa, int checkalias);
static inline void cpa_flush(struct cpa_data *cpa, int cache) { (void)cpa; (void)cache; }
static inline void kvmclock_init(void) { }
static inline void native_flush_tlb_local(void) { }

#endif
