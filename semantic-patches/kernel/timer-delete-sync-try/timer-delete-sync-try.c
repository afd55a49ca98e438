/* SPDX-License-Identifier: GPL-2.0-or-later */
static bool stop(struct gadget *gadget)
{
	return try_to_del_timer_sync(&gadget->tick) >= 0;
}
