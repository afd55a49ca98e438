// SPDX-License-Identifier: GPL-2.0-or-later
static void gadget_notify(struct gadget *gadget)
{
	if (gadget->ctx)
		eventfd_signal(gadget->ctx, 1);
	eventfd_signal(find(gadget, 2), 1);
}
