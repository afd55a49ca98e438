/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TOY_MM_INTERNAL_H
#define _TOY_MM_INTERNAL_H

extern int after_bootmem;

void update_cache_mode_entry(unsigned entry, enum page_cache_mode cache);

#endif
