/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TOY_ASM_KVM_PARA_H
#define _TOY_ASM_KVM_PARA_H

#include <asm/alternative.h>

/* What is executed before alternatives are patched is the first of the two. */
#define KVM_HYPERCALL \
	ALTERNATIVE("vmcall", "vmmcall", X86_FEATURE_VMMCALL)

static inline long kvm_hypercall0(unsigned int nr)
{
	long ret;

	asm volatile(KVM_HYPERCALL : "=a"(ret) : "a"(nr) : "memory");
	return ret;
}

static inline long kvm_hypercall3(unsigned int nr, unsigned long p1,
				  unsigned long p2, unsigned long p3)
{
	long ret;

	asm volatile(KVM_HYPERCALL
		     : "=a"(ret)
		     : "a"(nr), "b"(p1), "c"(p2), "d"(p3)
		     : "memory");
	return ret;
}

static inline long kvm_hypercall4(unsigned int nr, unsigned long p1,
				  unsigned long p2, unsigned long p3,
				  unsigned long p4)
{
	long ret;

	asm volatile(KVM_HYPERCALL
		     : "=a"(ret)
		     : "a"(nr), "b"(p1), "c"(p2), "d"(p3), "S"(p4)
		     : "memory");
	return ret;
}

unsigned int kvm_arch_para_features(void);

static inline bool kvm_para_has_feature(unsigned int feature)
{
	return kvm_arch_para_features() & (1UL << feature);
}

#endif
