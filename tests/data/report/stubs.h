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
#define IS_ENABLED(option)	1
#define min(a, b)		((a) < (b) ? (a) : (b))

#define PAGE_SHIFT		12
#define PAGE_SIZE		(1UL << PAGE_SHIFT)
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define PFN_UP(bytes)		(((bytes) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define PHYS_PFN(address)	((unsigned long)(address) >> PAGE_SHIFT)
#define offset_in_page(p)	((unsigned long)(p) & ~PAGE_MASK)
#define __pa_symbol(symbol)	slow_virt_to_phys(symbol)

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

/* Mappings of 4K and 2M are enough: 1G is one more of the same kind. */
typedef struct {
	unsigned long pfn;
} pte_t;

#define pte_none(pte)			(!(pte).pfn)
#define page_level_size(level)		((level) == 2 ? 1UL << 21 : PAGE_SIZE)
#define page_level_mask(level)		(~(page_level_size(level) - 1))

pte_t *lookup_address(unsigned long vaddr, unsigned int *level);
unsigned long slow_virt_to_phys(void *vaddr);

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
