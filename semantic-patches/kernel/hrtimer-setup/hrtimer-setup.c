// SPDX-License-Identifier: GPL-2.0-or-later
static void gadget_init(struct gadget *gadget, struct hrtimer *timer)
{
	hrtimer_init(&gadget->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	gadget->timer.function = gadget_tick;
	hrtimer_init(timer, CLOCK_REALTIME, HRTIMER_MODE_ABS);
	gadget->count = 0;
	timer->function = &gadget_other;
}

static void widget_init(struct widget *widget)
{
	spin_lock_init(&widget->lock);

	hrtimer_init(&widget->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	widget->timer.function = widget_tick;
	hrtimer_init(&widget->other, CLOCK_REALTIME, HRTIMER_MODE_ABS);
	widget->count = 0;
	widget->other.function = widget_tick;
}
