/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TOY_UAPI_KVM_PARA_H
#define _TOY_UAPI_KVM_PARA_H

#define KVM_HC_KICK_CPU			5
#define KVM_HC_MAP_GPA_RANGE		12

#endif
