// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A TDX module and a host to play against: TDCALL is an invalid instruction in
 * a program, and what its handler finds in the registers is what they would.
 *
 *	guest VENDOR ANSWERS PFN NPAGES ENC
 *
 * ANSWERS are those to MapGPA and to acceptance, one after the other: "-" is
 * success, "rN" to go on N pages further (RETRY), others are a status in hex.
 * Without answers left, all succeeds.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <ucontext.h>

#include "stubs.h"
#include <asm/tdx.h>

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

struct pv_ops pv_ops;
static const char *vendor;
static char *answers;

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

static void answer_map_gpa(greg_t *regs)
{
	char *answer = strsep(&answers, ",");

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
	} else {
		regs[REG_R10] = strtoull(answer, NULL, 16);
	}
	/* The host may leave anything in the registers that it is shown. */
	regs[REG_R12] = regs[REG_R13] = 0x5a5a5a5a;
}

static void answer_accept(greg_t *regs)
{
	char *answer = strsep(&answers, ",");

	printf("accept rcx=%llx\n", regs[REG_RCX]);
	regs[REG_RAX] = answer && *answer != '-' ? (greg_t)strtoull(answer, NULL, 16) : 0;
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
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_sigaction = on_tdcall, .sa_flags = SA_SIGINFO };

	/* #UD outside of a TDX guest. In one it is #GP, as programs may not do that. */
	sigaction(SIGILL, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);

	if (argc != 6)
		return 2;
	vendor = argv[1];
	answers = *argv[2] ? argv[2] : NULL;
	tdx_early_init();
	if (!pv_ops.mmu.notify_page_enc_status_changed)
		printf("no callback\n");
	else
		pv_ops.mmu.notify_page_enc_status_changed(strtoul(argv[3], NULL, 16),
							  atoi(argv[4]), atoi(argv[5]));
	return 0;
}
