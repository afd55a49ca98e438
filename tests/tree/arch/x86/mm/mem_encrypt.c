// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/mm.h>
#include <asm/mem_encrypt.h>
#include <asm/setup.h>
#include <asm/set_memory.h>

#include "mm_internal.h"

static int __init early_set_memory_enc_dec(unsigned long vaddr,
					   unsigned long size, bool enc)
{
	unsigned long end = vaddr + size;

	for (vaddr &= PAGE_MASK; vaddr < end; vaddr += PAGE_SIZE) {
		if (toy_set_pte_enc(vaddr, enc))
			return 1;
	}

	return 0;
}

int __init early_set_memory_decrypted(unsigned long vaddr, unsigned long size)
{
	return early_set_memory_enc_dec(vaddr, size, false);
}

int __init early_set_memory_encrypted(unsigned long vaddr, unsigned long size)
{
	return early_set_memory_enc_dec(vaddr, size, true);
}
