// SPDX-License-Identifier: GPL-2.0-or-later
static void gadget_poll(struct timer_list *t)
{
	struct gadget *gadget = timer_container_of(gadget, t, poll);

	gadget->from_timer(gadget);
}
