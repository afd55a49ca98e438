// SPDX-License-Identifier: GPL-2.0-or-later
static int gadget_register(struct gadget *gadget)
{
	gadget->id = ida_alloc_range(&gadget_ida, 1, 0, GFP_KERNEL);
	gadget->minor = ida_simple_get(&ida, 0, is_long ? 64 : 8, GFP_KERNEL);
	gadget->bits = ida_simple_get(&ida, 1, mask & limit, GFP_KERNEL);
	return idr_alloc(&gadget_idr, gadget, 0, 0, GFP_KERNEL);
}
