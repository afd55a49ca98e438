// SPDX-License-Identifier: GPL-2.0-or-later
static void gadget_init(struct gadget *gadget, struct hrtimer *timer)
{
	hrtimer_init(&gadget->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	hrtimer_start(&gadget->timer, 0, HRTIMER_MODE_REL);
	gadget->timer.function = gadget_tick;
	hrtimer_init(timer, CLOCK_REALTIME, HRTIMER_MODE_ABS);
	gadget->other.function = gadget_other;
}
