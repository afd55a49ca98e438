// SPDX-License-Identifier: GPL-2.0-or-later
static void gadget_notify(struct gadget *gadget, int count)
{
	eventfd_signal(gadget->ctx);
	eventfd_signal(gadget->ctx, count);
	if (eventfd_signal(gadget->ctx, 1) != 1)
		return;
	eventfd_signal_mask(gadget->ctx, 1);
}
