// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/percpu.h>
#include <asm/mem_encrypt.h>
#include <asm/sev.h>

static struct ghcb ghcb_page;

void __init sev_es_init_vc_handling(void)
{
	int err;

	err = early_set_memory_decrypted((unsigned long)&ghcb_page,
					 sizeof(ghcb_page));
	if (err)
		panic("Can't map GHCBs unencrypted");

	memset(&ghcb_page, 0, sizeof(ghcb_page));
}
