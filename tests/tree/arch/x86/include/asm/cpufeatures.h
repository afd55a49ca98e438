/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TOY_ASM_CPUFEATURES_H
#define _TOY_ASM_CPUFEATURES_H

#define X86_FEATURE_VMMCALL		(8 * 32 + 15)
#define X86_FEATURE_VMCALL		(8 * 32 + 18)

#endif
