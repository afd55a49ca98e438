// SPDX-License-Identifier: GPL-2.0-or-later
#include <asm/unaligned.h>
#include <linux/module.h>
#include <linux/unaligned.h>

u32 gadget_size(const u8 *header)
{
	return get_unaligned_le32(header);
}
