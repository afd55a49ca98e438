// SPDX-License-Identifier: GPL-2.0-or-later
static void gadget_poll(struct timer_list *t)
{
	struct gadget *gadget = from_timer(gadget, t, poll);
	struct widget *widget;

	widget = from_timer(widget, t, state.poll);
	gadget_work(gadget, widget);
}

static void gadget_nested(struct timer_list *t)
{
	struct gadget *gadget = from_timer(gadget, t, arch.state.poll);
	struct widget *widget = from_timer(widget, t, timers[WIDGET_POLL]);
}
