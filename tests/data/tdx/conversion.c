// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A TDX guest that shares pages and makes them private again, as a program. The
 * functions of the kernel are in "made.c", taken from a tree; the page tables,
 * the host and the TDX module are played here, and print what is done to them.
 *
 *	conversion FRAMES KIND ANSWERS
 *
 * FRAMES are those that virtual pages from BASE on are mapped to, "100,101,200",
 * or "2M:100": three pages from frame 0x100 on of a 2M page. KIND is what they
 * become, "shared" or "private"; they are the other one before. ANSWERS are
 * those to MapGPA and to acceptance, one after the other: "-" is success, "rN"
 * to go on N pages further (RETRY), others are a status in hex. Without answers
 * left, all succeeds.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define pr_fmt(format)	format

typedef uint8_t u8;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef u64 phys_addr_t;
typedef struct { unsigned long pte; } pte_t;
typedef struct { unsigned long pmd; } pmd_t;
typedef struct { unsigned long pud; } pud_t;
typedef struct { unsigned long pgprot; } pgprot_t;

#define BIT_ULL(n)		(1ULL << (n))
#define IS_ALIGNED(x, a)	(((x) & ((a) - 1)) == 0)
#define IS_ENABLED(option)	1
#define PAGE_SHIFT		12
#define PAGE_SIZE		(1UL << PAGE_SHIFT)
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define PFN_PHYS(pfn)		((phys_addr_t)(pfn) << PAGE_SHIFT)
#define PHYS_PFN(address)	((unsigned long)((address) >> PAGE_SHIFT))
#define PFN_DOWN(address)	((address) >> PAGE_SHIFT)
#define PFN_UP(address)		(((address) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define offset_in_page(p)	((unsigned long)(p) & ~PAGE_MASK)
#define min(a, b)		((a) < (b) ? (a) : (b))
#define unlikely(x)		(x)

/* The direct mapping, and where the pages of the test are mapped. */
#define DIRECT			0xffff888000000000UL
#define BASE			0xffffc90000000000UL
#define __va(address)		((void *)(DIRECT + (unsigned long)(address)))
#define __pa(address)		((phys_addr_t)((unsigned long)(address) - DIRECT))

#define SHARED			BIT_ULL(47)
#define cc_mkdec(value)		((value) | SHARED)
#define __pgprot(value)		((pgprot_t) { value })
#define pgprot_encrypted(prot)	__pgprot((prot).pgprot & ~SHARED)
#define pgprot_decrypted(prot)	__pgprot((prot).pgprot | SHARED)

enum pg_level { PG_LEVEL_NONE, PG_LEVEL_4K, PG_LEVEL_2M, PG_LEVEL_1G };
#define page_level_size(level)	(1UL << (12 + 9 * ((level) - 1)))
#define page_level_mask(level)	(~(page_level_size(level) - 1))

#define CC_ATTR_GUEST_MEM_ENCRYPT	1
#define cc_platform_has(attribute)	((attribute) == CC_ATTR_GUEST_MEM_ENCRYPT)

#define WARN_ONCE(condition, ...)					\
	({								\
		bool warns = condition;					\
		if (warns)						\
			printf("WARN\n");				\
		warns;							\
	})

typedef struct { long counter; } atomic_long_t;
#define atomic_long_add(n, v)	((void)((v)->counter += (n)))
#define atomic_long_sub(n, v)	((void)((v)->counter -= (n)))

static struct { void *pgd; } init_mm;
struct cpa_data {
	unsigned long *vaddr;
	void *pgd;
	pgprot_t mask_set;
	pgprot_t mask_clr;
	unsigned long numpages;
};

static struct {
	struct {
		HOOK_PREPARE (*enc_status_change_prepare)(unsigned long vaddr, int n, bool enc);
		HOOK_FINISH (*enc_status_change_finish)(unsigned long vaddr, int n, bool enc);
		bool (*enc_tlb_flush_required)(bool enc);
		bool (*enc_cache_flush_required)(void);
	} guest;
} x86_platform;

static struct {
	struct {
		int (*prepare_page_enc_status_change)(unsigned long pfn, int npages, bool enc);
		int (*notify_page_enc_status_changed)(unsigned long pfn, int npages, bool enc);
	} mmu;
} pv_ops;

static int prepare_page_enc_status_change(unsigned long pfn, int npages, bool enc)
{
	return pv_ops.mmu.prepare_page_enc_status_change(pfn, npages, enc);
}

static int notify_page_enc_status_changed(unsigned long pfn, int npages, bool enc)
{
	return pv_ops.mmu.notify_page_enc_status_changed(pfn, npages, enc);
}

/* The pages, what the page tables say of them, and what the TDX module does. */
#define MOST	8
enum state { PRIVATE, PENDING, IS_SHARED };
static struct { unsigned long pfn; enum state state; } pages[MOST];
static int count;
static pte_t ptes[MOST];
static bool large;
static char *answers;

/* Bad only in this direction: a shared mapping of a private page raises a #VE. */
static void check(void)
{
	for (int i = 0; i < count; i++) {
		bool mapped_private = !(ptes[large ? 0 : i].pte & SHARED);

		if (mapped_private && pages[i].state == IS_SHARED)
			printf("GUEST ENDS: private mapping of shared frame %lx\n", pages[i].pfn);
	}
}

/* While this is not held, another CPU splits the mapping as soon as it was looked up. */
static bool pgd_lock;
#define spin_lock(lock)		((void)(*(lock) = true))
#define spin_unlock(lock)	((void)(*(lock) = false))

static pte_t *lookup_address(unsigned long address, unsigned int *level)
{
	static pte_t page_table = { 0x7000 * PAGE_SIZE };
	unsigned long page = (address - BASE) >> PAGE_SHIFT;

	*level = large ? PG_LEVEL_2M : PG_LEVEL_4K;
	if (large)
		return pgd_lock ? &ptes[0] : &page_table;
	return page < (unsigned long)count ? &ptes[page] : NULL;
}

#define pte_none(entry)	(!(entry).pte)
#define pte_pfn(entry)	PHYS_PFN((entry).pte & (SHARED - 1))
#define pmd_pfn(entry)	PHYS_PFN((entry).pmd & (SHARED - 1))
#define pud_pfn(entry)	PHYS_PFN((entry).pud & (SHARED - 1))

static int __change_page_attr_set_clr(struct cpa_data *cpa, int primary)
{
	(void)primary;
	for (int i = 0; i < (large ? 1 : count); i++) {
		ptes[i].pte |= cpa->mask_set.pgprot;
		ptes[i].pte &= ~cpa->mask_clr.pgprot;
	}
	printf("page tables: %s\n", cpa->mask_set.pgprot & SHARED ? "shared" : "private");
	check();
	return 0;
}

static void cpa_flush(struct cpa_data *cpa, int cache)
{
	(void)cpa;
	printf("flush%s\n", cache ? " with caches" : "");
}

static void kmap_flush_unused(void) { }
static void vm_unmap_aliases(void) { }

static u64 map_gpa(u64 start, u64 size, u64 *next)
{
	bool shared = start & SHARED;
	u64 first = start & ~SHARED, end = first + size;
	char *answer = strsep(&answers, ",");
	u64 status = 0;

	printf("MapGPA %s %llx+%llx\n", shared ? "shared" : "private", first, size >> PAGE_SHIFT);
	if (answer && *answer == 'r') {
		status = 1;
		*next = start + atol(answer + 1) * PAGE_SIZE;
		end = *next & ~SHARED;
	} else if (answer && *answer != '-') {
		return strtoull(answer, NULL, 16);
	}
	for (int i = 0; i < count; i++) {
		u64 gpa = PFN_PHYS(pages[i].pfn);

		if (gpa >= first && gpa < end)
			pages[i].state = shared ? IS_SHARED : PENDING;
	}
	check();
	return status;
}

static u64 accept(u64 rcx)
{
	char *answer = strsep(&answers, ",");
	unsigned int level = rcx & 7;
	u64 gpa = rcx & ~7ULL;

	printf("accept %llx level %u\n", gpa, level);
	if (answer && *answer != '-')
		return strtoull(answer, NULL, 16);
	for (int i = 0; i < count; i++) {
		if (PFN_PHYS(pages[i].pfn) - gpa < page_level_size(level + 1))
			pages[i].state = PRIVATE;
	}
	return 0;
}

/* The calls of the module: one set of functions up to v6.6, another later. */
#define TDX_HYPERCALL_STANDARD	0
#define TDVMCALL_MAP_GPA	0x10001
#define TDVMCALL_STATUS_RETRY	1
#define TDX_ACCEPT_PAGE		6

struct tdx_module_args { u64 r10, r11, r12, r13; };

static inline u64 _tdx_hypercall(u64 fn, u64 r12, u64 r13, u64 r14, u64 r15)
{
	u64 next;

	if (fn != TDVMCALL_MAP_GPA || r14 || r15)
		abort();
	return map_gpa(r12, r13, &next);
}

static inline u64 __tdx_hypercall(struct tdx_module_args *args)
{
	if (args->r10 || args->r11 != TDVMCALL_MAP_GPA)
		abort();
	return map_gpa(args->r12, args->r13, &args->r11);
}

static inline u64 __tdx_module_call(u64 fn, u64 rcx, u64 rdx, u64 r8, u64 r9, void *out)
{
	if (fn != TDX_ACCEPT_PAGE || rdx || r8 || r9 || out)
		abort();
	return accept(rcx);
}

static inline bool tdx_accept_memory(phys_addr_t start, phys_addr_t end)
{
	for (; start < end; start += PAGE_SIZE) {
		if (accept(start))
			return false;
	}
	return true;
}

#include "made.c"

#ifdef BOTH_LATE
static int prepare_nothing(unsigned long pfn, int npages, bool enc)
{
	(void)pfn;
	(void)npages;
	(void)enc;
	return 0;
}

/* Both directions after the page tables: what TDX forbids. */
static int notify_all(unsigned long pfn, int npages, bool enc)
{
	int ret = PREPARE(pfn, npages, enc);

	return ret ? ret : NOTIFY(pfn, npages, enc);
}
#else
#define prepare_nothing	PREPARE
#define notify_all	NOTIFY
#endif

static void set_up(char *frames, bool shared)
{
	char *frame;

	large = !strncmp(frames, "2M:", 3);
	if (large) {
		unsigned long pfn = strtoul(frames + 3, NULL, 16);

		for (count = 0; count < 3; count++)
			pages[count].pfn = pfn + count;
		ptes[0].pte = (PFN_PHYS(pfn) & page_level_mask(PG_LEVEL_2M)) | 1;
	} else {
		while ((frame = strsep(&frames, ",")) && count < MOST)
			pages[count++].pfn = strtoul(frame, NULL, 16);
	}
	for (int i = 0; i < count; i++) {
		pages[i].state = shared ? IS_SHARED : PRIVATE;
		if (!large)
			ptes[i].pte = PFN_PHYS(pages[i].pfn) | 1;
	}
	for (int i = 0; shared && i < (large ? 1 : count); i++)
		ptes[i].pte |= SHARED;
	check();
}

int main(int argc, char **argv)
{
	const char *names[] = { "private", "pending", "shared" };
	unsigned long vaddr = BASE;
	bool private;

	if (argc != 4)
		return 2;
	private = !strcmp(argv[2], "private");
	set_up(argv[1], private);
	answers = *argv[3] ? argv[3] : NULL;
	if (large)
		vaddr += (pages[0].pfn << PAGE_SHIFT) & ~page_level_mask(PG_LEVEL_2M);
	x86_platform.guest.enc_status_change_prepare = NOOP_PREPARE;
	x86_platform.guest.enc_status_change_finish = NOOP_FINISH;
	x86_platform.guest.enc_tlb_flush_required = tdx_tlb_flush_required;
	x86_platform.guest.enc_cache_flush_required = tdx_cache_flush_required;
	pv_ops.mmu.prepare_page_enc_status_change = prepare_nothing;
	pv_ops.mmu.notify_page_enc_status_changed = notify_all;
	printf("returns %d\n", CHANGE(vaddr, count, private));
	for (int i = 0; i < count; i++)
		printf("%s%s", i ? "," : "", names[pages[i].state]);
	printf("\n");
#ifdef COUNTER
	printf("counted %ld\n", COUNTER.counter);
#endif
	return 0;
}
