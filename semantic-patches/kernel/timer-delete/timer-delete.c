// SPDX-License-Identifier: GPL-2.0-or-later
static void gadget_stop(struct gadget *gadget)
{
	del_timer(&gadget->poll);
	if (del_timer_sync(&gadget->watchdog))
		gadget_put(gadget);
	return gadget->once ? del_singleshot_timer_sync(gadget->once) : 0;
}
