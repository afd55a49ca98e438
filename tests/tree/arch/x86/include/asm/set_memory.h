/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TOY_ASM_SET_MEMORY_H
#define _TOY_ASM_SET_MEMORY_H

int set_memory_np(unsigned long addr, int numpages);
int set_memory_encrypted(unsigned long addr, int numpages);
int set_memory_decrypted(unsigned long addr, int numpages);

#endif
