// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/module.h>
#include <asm/unaligned.h>
#include "gadget.h"

u32 gadget_size(const u8 *header)
{
	return get_unaligned_le32(header);
}
