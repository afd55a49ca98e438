// SPDX-License-Identifier: GPL-2.0-or-later
static void gadget_stop(struct gadget *gadget)
{
	del_timer(&gadget->poll);
	if (try_to_del_timer_sync(&gadget->tick) < 0)
		return;
	if (del_timer_sync(&gadget->watchdog))
		gadget_put(gadget);
	return gadget->once ? del_singleshot_timer_sync(gadget->once) : 0;
}
