// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/mm.h>
#include <linux/pfn.h>
#include <asm/memtype.h>
#include <asm/set_memory.h>

#include "../mm_internal.h"

static int __set_memory_enc_dec(unsigned long addr, int numpages, bool enc)
{
	struct cpa_data cpa;
	int ret;

	toy_cpa_init(&cpa, &addr, numpages, enc);
	cpa_flush(&cpa, 1);
	ret = __change_page_attr_set_clr(&cpa, 1);

	/* Once more, for what was cached speculatively. */
	cpa_flush(&cpa, 0);

	return ret;
}

int set_memory_encrypted(unsigned long addr, int numpages)
{
	return __set_memory_enc_dec(addr, numpages, true);
}

int set_memory_decrypted(unsigned long addr, int numpages)
{
	return __set_memory_enc_dec(addr, numpages, false);
}
