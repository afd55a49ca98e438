/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TOY_ASM_MEM_ENCRYPT_H
#define _TOY_ASM_MEM_ENCRYPT_H

#include <linux/init.h>

#ifdef CONFIG_AMD_MEM_ENCRYPT

int __init early_set_memory_decrypted(unsigned long vaddr, unsigned long size);
int __init early_set_memory_encrypted(unsigned long vaddr, unsigned long size);
bool sev_active(void);

#else

static inline int __init
early_set_memory_decrypted(unsigned long vaddr, unsigned long size) { return 0; }
static inline int __init
early_set_memory_encrypted(unsigned long vaddr, unsigned long size) { return 0; }
static inline bool sev_active(void) { return false; }

#endif

extern char __start_bss_decrypted[], __end_bss_decrypted[];

#endif
