/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TOY_UAPI_ASM_KVM_PARA_H
#define _TOY_UAPI_ASM_KVM_PARA_H

#define KVM_FEATURE_HC_MAP_GPA_RANGE	16

#define KVM_MAP_GPA_RANGE_PAGE_SZ_4K	0
#define KVM_MAP_GPA_RANGE_ENC_STAT(n)	(n << 4)

#endif
