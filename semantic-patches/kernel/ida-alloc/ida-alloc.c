// SPDX-License-Identifier: GPL-2.0-or-later
static int gadget_register(struct gadget *gadget)
{
	int id;

	id = ida_simple_get(&gadget_ida, 0, 0, GFP_KERNEL);
	if (id < 0)
		return id;
	gadget->minor = ida_simple_get(&minor_ida, 1, 0, GFP_KERNEL);
	gadget->low = ida_simple_get(&gadget->low_ida, 0, GADGET_COUNT, GFP_KERNEL);
	gadget->high = ida_simple_get(&gadget->high_ida, GADGET_FIRST, GADGET_MAX + 1,
				      GFP_NOWAIT);
	gadget->range = ida_simple_get(&gadget->ida, gadget->first, gadget->count,
				       GFP_KERNEL);
	gadget->all = ida_simple_get(&gadget->ida, 0, gadget->last + 1, GFP_KERNEL);
	gadget->shifted = ida_simple_get(&gadget->ida, 0, 1 << GADGET_BITS, GFP_KERNEL);
	gadget->half = ida_simple_get(&gadget->ida, 1, GADGET_MAX >> 1, GFP_KERNEL);
	gadget->sum = ida_simple_get(&gadget->ida, 1, GADGET_MAX + GADGET_MORE, GFP_KERNEL);
	return 0;
}

static void gadget_release(struct gadget *gadget)
{
	ida_simple_remove(&gadget_ida, gadget->id);
}
