// SPDX-License-Identifier: GPL-2.0-or-later
#define pr_fmt(fmt) "kvm-guest: " fmt

#include <linux/kvm_para.h>
#include <linux/percpu.h>
#include <asm/hypervisor.h>
#include <asm/reboot.h>
#include <asm/svm.h>

static DEFINE_PER_CPU_DECRYPTED(u32, apf_reason);

static void __init kvm_map_percpu_data(void)
{
	int cpu;

	if (!sev_active())
		return;

	for_each_possible_cpu(cpu)
		early_set_memory_decrypted((unsigned long)per_cpu_ptr(&apf_reason, cpu),
					   sizeof(apf_reason));
}

static void __init kvm_guest_init(void)
{
	kvm_map_percpu_data();
}

static void __init kvm_init_platform(void)
{
	kvmclock_init();
}

const __initconst struct hypervisor_x86 x86_hyper_kvm = {
	.name			= "KVM",
	.init.guest_late_init	= kvm_guest_init,
	.init.init_platform	= kvm_init_platform,
};
