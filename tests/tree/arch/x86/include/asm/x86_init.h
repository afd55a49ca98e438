/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TOY_ASM_X86_INIT_H
#define _TOY_ASM_X86_INIT_H

/**
 * struct x86_hyper_runtime - x86 hypervisor specific runtime callbacks
 * @pin_vcpu:			pin current vcpu to specified physical cpu
 */
struct x86_hyper_runtime {
	void (*pin_vcpu)(int cpu);
};

/**
 * struct x86_platform_ops - platform specific runtime functions
 * @nmi_init			enable NMI on cpus
 * @hyper:			x86 hypervisor specific runtime callbacks
 */
struct x86_platform_ops {
	void (*nmi_init)(void);
	struct x86_hyper_runtime hyper;
};

extern struct x86_platform_ops x86_platform;

#endif
