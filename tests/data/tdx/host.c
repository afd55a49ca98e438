// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A TDX guest, which is the toy tree, with a TDX module and a host to play
 * against: TDCALL is an invalid instruction in a program, and what its handler
 * finds in the registers is what they would.
 *
 *	guest VENDOR ANSWERS CHANGE ADDRESS NPAGES
 *
 * ANSWERS are those to MapGPA and to acceptance, one after the other: "-" is
 * success, "rN" to go on N pages further (RETRY), others are a status in hex.
 * Without answers left, all succeeds. CHANGE is `d` or `e` for
 * early_set_memory_decrypted() or _encrypted(), `D` or `E` for the later ones.
 *
 * Prints each TDCALL and each change of the page tables, and "DIES" where a
 * private mapping leads to a page that is not the guest's: a kernel that touches
 * it there is at its end.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <ucontext.h>

#include "stubs.h"

#include "arch/x86/kernel/paravirt.c"
#include "arch/x86/mm/mem_encrypt.c"
#include "arch/x86/mm/pat/set_memory.c"
#include <asm/cpu.h>

#define SHARED_BIT	(1ULL << 47)
#define PAGES		(1UL << 20)
#define BACKWARDS	0x10000000UL	/* 16 pages, physically the other way round */

enum state { ACCEPTED, SHARED, PENDING };

static enum state host[PAGES];
static bool mapped_shared[PAGES];
static unsigned long first, count;
static const char *vendor;
static char *answers;

/* What KASAN has called: it leaves nothing in the registers that it may use. */
#define KASAN(name)						\
	void __asan_##name##_noabort(void *address)	\
	{							\
		(void)address;					\
		asm volatile("mov $-1, %%r10\n\t"		\
			     "mov $-1, %%r11"			\
			     : : : "r10", "r11");		\
	}							\
	void __asan_##name##_noabort(void *address)

KASAN(load1);
KASAN(load4);
KASAN(load8);
KASAN(store1);
KASAN(store4);
KASAN(store8);

u32 cpuid_eax(u32 leaf)
{
	return leaf ? 0 : 0x21;
}

void cpuid_count(u32 leaf, u32 subleaf, u32 *eax, u32 *ebx, u32 *ecx, u32 *edx)
{
	if (leaf != 0x21 || subleaf)
		abort();
	*eax = 0;
	memcpy(ebx, vendor, 4);
	memcpy(edx, vendor + 4, 4);
	memcpy(ecx, vendor + 8, 4);
}

static unsigned long pfn_at(unsigned long vaddr)
{
	unsigned long page = (vaddr - BACKWARDS) >> PAGE_SHIFT;

	return vaddr >= BACKWARDS && page < 16 ? 0x5000 + 15 - page : vaddr >> PAGE_SHIFT;
}

bool pgd_lock;

pte_t *lookup_address(unsigned long vaddr, unsigned int *level)
{
	static pte_t pte;

	*level = PG_LEVEL_4K;
	pte.pfn = pfn_at(vaddr);
	return pte.pfn < PAGES ? &pte : NULL;
}

/* The guest may touch any of its pages at any time, by load_unaligned_zeropad(). */
static void check_pages(void)
{
	unsigned long i;

	for (i = 0; i < count; i++) {
		unsigned long pfn = pfn_at(first + i * PAGE_SIZE);

		if (pfn < PAGES && !mapped_shared[pfn] && host[pfn] != ACCEPTED) {
			printf("DIES\n");
			exit(0);
		}
	}
}

static void set_host(u64 gpa, u64 end, enum state state)
{
	for (; gpa < end; gpa += PAGE_SIZE)
		host[gpa >> PAGE_SHIFT] = state;
}

static void answer_map_gpa(greg_t *regs)
{
	char *answer = strsep(&answers, ",");
	u64 gpa = regs[REG_R12] & ~SHARED_BIT, end = gpa + regs[REG_R13];

	printf("MapGPA rcx=%llx r10=%llx r11=%llx r12=%llx r13=%llx\n",
	       regs[REG_RCX], regs[REG_R10], regs[REG_R11], regs[REG_R12], regs[REG_R13]);
	regs[REG_RAX] = 0;
	regs[REG_R10] = 0;
	regs[REG_R11] = 0;
	if (!answer || *answer == '-') {
		/* nothing */
	} else if (*answer == 'r') {
		regs[REG_R10] = 1;
		regs[REG_R11] = regs[REG_R12] + atol(answer + 1) * (long)PAGE_SIZE;
		if (gpa + atol(answer + 1) * PAGE_SIZE < end)
			end = gpa + atol(answer + 1) * PAGE_SIZE;
	} else {
		regs[REG_R10] = strtoull(answer, NULL, 16);
		end = gpa;
	}
	set_host(gpa, end, regs[REG_R12] & SHARED_BIT ? SHARED : PENDING);
	/* The host may leave anything in the registers that it is shown. */
	regs[REG_R12] = regs[REG_R13] = 0x5a5a5a5a;
}

static void answer_accept(greg_t *regs)
{
	char *answer = strsep(&answers, ",");
	u64 gpa = regs[REG_RCX] & PAGE_MASK;

	printf("accept rcx=%llx\n", regs[REG_RCX]);
	regs[REG_RAX] = answer && *answer != '-' ? (greg_t)strtoull(answer, NULL, 16) : 0;
	if (!regs[REG_RAX])
		set_host(gpa, gpa + (PAGE_SIZE << 9 * (regs[REG_RCX] & 7)), ACCEPTED);
}

static void on_tdcall(int number, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)number;
	(void)info;
	if (memcmp((void *)regs[REG_RIP], "\x66\x0f\x01\xcc", 4))
		abort();
	regs[REG_RIP] += 4;

	switch (regs[REG_RAX]) {
	case 0:
		answer_map_gpa(regs);
		break;
	case 1:
		printf("VP.INFO\n");
		regs[REG_RAX] = 0;
		regs[REG_RCX] = 0x700 | 48;
		regs[REG_RDX] = regs[REG_R8] = regs[REG_R9] = regs[REG_R10] = regs[REG_R11] = -1;
		break;
	case 6:
		answer_accept(regs);
		break;
	default:
		abort();
	}
	check_pages();
}

static void change_page_tables(unsigned long vaddr, int npages, bool enc)
{
	int i;

	printf("page tables: %d at %lx are %s\n", npages, vaddr, enc ? "private" : "shared");
	for (i = 0; i < npages; i++)
		mapped_shared[pfn_at(vaddr + i * PAGE_SIZE)] = !enc;
	check_pages();
}

int toy_set_pte_enc(unsigned long vaddr, bool enc)
{
	change_page_tables(vaddr, 1, enc);
	return 0;
}

void toy_cpa_init(struct cpa_data *cpa, unsigned long *addr, int npages, bool enc)
{
	*cpa = (struct cpa_data){ *addr, npages, enc };
}

int __change_page_attr_set_clr(struct cpa_data *cpa, int checkalias)
{
	change_page_tables(cpa->vaddr, cpa->npages, cpa->enc);
	return checkalias ? 0 : -1;
}

static int change(char how)
{
	switch (how) {
	case 'd': return early_set_memory_decrypted(first, count * PAGE_SIZE);
	case 'e': return early_set_memory_encrypted(first, count * PAGE_SIZE);
	case 'D': return set_memory_decrypted(first, count);
	case 'E': return set_memory_encrypted(first, count);
	}
	abort();
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_sigaction = on_tdcall, .sa_flags = SA_SIGINFO };
	unsigned long i;

	/* #UD outside of a TDX guest. In one it is #GP, as programs may not do that. */
	sigaction(SIGILL, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);

	if (argc != 6)
		return 2;
	vendor = argv[1];
	answers = *argv[2] ? argv[2] : NULL;
	tdx_early_init();

	first = strtoul(argv[4], NULL, 16);
	count = strtoul(argv[5], NULL, 16);
	for (i = 0; i < count; i++) {
		unsigned long pfn = pfn_at(first + i * PAGE_SIZE);

		if (pfn < PAGES && strchr("eE", *argv[3])) {
			mapped_shared[pfn] = true;
			host[pfn] = SHARED;
		}
	}
	printf("returns %d\n", change(*argv[3]));
	return 0;
}
