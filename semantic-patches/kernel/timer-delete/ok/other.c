// SPDX-License-Identifier: GPL-2.0-or-later
static void gadget_stop(struct gadget *gadget)
{
	gadget->ops->del_timer(gadget);
	timer_delete_sync_try(&gadget->poll);
	timer_delete(&gadget->poll);
}
