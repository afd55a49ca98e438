// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An SEV guest, which is the toy tree, and a host that it reports to. Both keep
 * a list of the pages that are shared; at the end they are printed.
 *
 *	guest HAS_FEATURE [CHANGE ADDRESS SIZE]...
 *
 * CHANGE is `d` or `e` for a site that calls early_set_memory_decrypted() or
 * _encrypted(), `D` or `E` for the later ones, whose SIZE is in pages. VMCALL kills the guest,
 * as alternatives are not patched yet. The last line counts how often the guest's reports of
 * these changes walked its page tables.
 */
#include <stdlib.h>

#include "stubs.h"

#include "arch/x86/kernel/x86_init.c"
#include "arch/x86/kernel/paravirt.c"
#include "arch/x86/mm/mem_encrypt.c"
#include "arch/x86/mm/pat/set_memory.c"
#include "arch/x86/kernel/sev.c"
#include "arch/x86/kernel/kvm.c"
#include "arch/x86/kernel/decrypted.c"
#include "arch/x86/kernel/encrypted.c"

#define MAP_GPA_RANGE	12
#define SMALL		0x100000UL	/* 16 pages of 4K, physically the other way round */
#define LARGE		0x40000000UL	/* 2 mappings of 2M, then nothing */
#define HUGE		0x80000000UL	/* 1 mapping of 1G, then nothing */
#define FAR		0x8000000000UL	/* 1 mapping of 512G, which no kernel makes */

#define PAGE_TABLE	0x7000UL	/* what splits a mapping */

static unsigned long guest_shared[4096], host_shared[4096];
static unsigned int features, walks;

asm(".pushsection .data\n"
    ".balign 4096\n"
    ".globl __start_bss_decrypted, __end_bss_decrypted\n"
    "__start_bss_decrypted: .zero 2 * 4096\n"
    "__end_bss_decrypted: .zero 4096\n"
    ".popsection");

/* Keep a list of pages that ends with a zero. */
static void note(unsigned long *pages, unsigned long pfn, bool shared)
{
	while (*pages && *pages != pfn)
		pages++;
	if (shared)
		*pages = pfn;
	else
		for (; *pages; pages++)
			pages[0] = pages[1];
}

static unsigned int level_at(unsigned long vaddr)
{
	if (vaddr >= FAR)
		return vaddr - FAR < 1UL << 39 ? PG_LEVEL_512G : PG_LEVEL_NONE;
	if (vaddr >= HUGE)
		return vaddr - HUGE < 1UL << 30 ? PG_LEVEL_1G : PG_LEVEL_NONE;
	if (vaddr >= LARGE)
		return vaddr - LARGE < 4UL << 20 ? PG_LEVEL_2M : PG_LEVEL_NONE;
	return PG_LEVEL_4K;
}

static unsigned long pfn_at(unsigned long vaddr)
{
	if (vaddr >= SMALL && vaddr < SMALL + 16 * PAGE_SIZE)
		return 0x5000 + 15 - ((vaddr - SMALL) >> PAGE_SHIFT);
	if (vaddr >= LARGE)
		return ((vaddr - LARGE) >> PAGE_SHIFT) + 0x8000;
	return vaddr >> PAGE_SHIFT;
}

/* While pgd_lock is not held, another CPU splits the mapping as soon as it was looked up. */
bool pgd_lock;

pte_t *lookup_address(unsigned long vaddr, unsigned int *level)
{
	static pte_t pte;

	walks++;
	*level = level_at(vaddr);
	if (*level == PG_LEVEL_NONE)
		return NULL;
	pte.pfn = pfn_at(vaddr & page_level_mask(*level));
	if (*level > PG_LEVEL_4K && !pgd_lock)
		pte.pfn = PAGE_TABLE;
	return &pte;
}

int toy_set_pte_enc(unsigned long vaddr, bool enc)
{
	if (level_at(vaddr) == PG_LEVEL_NONE)
		return 1;
	note(guest_shared, pfn_at(vaddr), !enc);
	return 0;
}

void toy_cpa_init(struct cpa_data *cpa, unsigned long *addr, int npages, bool enc)
{
	*cpa = (struct cpa_data){ *addr, npages, enc };
}

int __change_page_attr_set_clr(struct cpa_data *cpa, int checkalias)
{
	int i, ret = 0;

	for (i = 0; i < cpa->npages && !ret; i++)
		ret = toy_set_pte_enc(cpa->vaddr + i * PAGE_SIZE, cpa->enc);
	return checkalias ? ret : -1;
}

bool sev_active(void)
{
	return true;
}

unsigned int kvm_arch_para_features(void)
{
	return features;
}

/* What the host finds in the guest's registers, after an exit by VMMCALL. */
__attribute__((used)) long host_vmmcall(unsigned int nr, unsigned long rbx, unsigned long rcx,
					unsigned long rdx)
{
	unsigned long i;

	if (nr != MAP_GPA_RANGE || rbx % PAGE_SIZE || !rcx || rcx > INT_MAX || rdx & ~0x10UL || !features)
		abort();
	for (i = 0; i < rcx; i++)
		note(host_shared, rbx / PAGE_SIZE + i, !rdx);
	return 0;
}

/* VMMCALL changes RAX and nothing else; test_variants.py puts a call in its place. */
asm("toy_vmmcall:\n"
    "	pushq %rbp\n"
    "	movq %rsp, %rbp\n"
    "	pushq %rdi; pushq %rsi; pushq %rcx; pushq %rdx\n"
    "	pushq %r8; pushq %r9; pushq %r10; pushq %r11\n"
    "	andq $-16, %rsp\n"
    "	movl %eax, %edi\n"
    "	movq %rbx, %rsi\n"
    "	xchgq %rcx, %rdx\n"
    "	call host_vmmcall\n"
    "	leaq -64(%rbp), %rsp\n"
    "	popq %r11; popq %r10; popq %r9; popq %r8\n"
    "	popq %rdx; popq %rcx; popq %rsi; popq %rdi\n"
    "	popq %rbp\n"
    "	ret\n"
    "toy_vmcall:\n"
    "	ud2\n");

static void print(const char *who, const unsigned long *pages)
{
	printf("%s", who);
	for (; *pages; pages++)
		printf(" %lx", *pages);
	printf("\n");
}

static int change(char how, unsigned long address, unsigned long size)
{
	switch (how) {
	case 'd': return site_decrypted(address, size);
	case 'e': return site_encrypted(address, size);
	case 'D': return set_memory_decrypted(address, size);
	case 'E': return set_memory_encrypted(address, size);
	}
	abort();
}

int main(int argc, char **argv)
{
	char *page;
	int i;

	features = atoi(argv[1]) << KVM_FEATURE_HC_MAP_GPA_RANGE;

	/* The first page tables have this section decrypted. */
	for (page = __start_bss_decrypted; page < __end_bss_decrypted; page += PAGE_SIZE)
		toy_set_pte_enc((unsigned long)page, false);
	x86_hyper_kvm.init.init_platform();
	sev_es_init_vc_handling();
	x86_hyper_kvm.init.guest_late_init();

	walks = 0;
	for (i = 2; i + 2 < argc; i += 3) {
		unsigned long address = strtoul(argv[i + 1], NULL, 16);

		if (change(*argv[i], address, strtoul(argv[i + 2], NULL, 16)))
			printf("refused %lx\n", address);
	}
	print("guest", guest_shared);
	print("host", host_shared);
	printf("walks %u\n", walks);
	return 0;
}
