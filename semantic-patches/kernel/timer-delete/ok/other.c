// SPDX-License-Identifier: GPL-2.0-or-later
static void gadget_stop(struct gadget *gadget)
{
	gadget->ops->del_timer(gadget);
	try_to_del_timer_sync(&gadget->poll);
	timer_delete(&gadget->poll);
}
