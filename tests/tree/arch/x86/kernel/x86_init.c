// SPDX-License-Identifier: GPL-2.0-or-later
#include <asm/x86_init.h>

void x86_op_int_noop(int cpu) { }
static void default_nmi_init(void) { };

struct x86_platform_ops x86_platform __ro_after_init = {
	.nmi_init			= default_nmi_init,
	.hyper.pin_vcpu			= x86_op_int_noop,
};
