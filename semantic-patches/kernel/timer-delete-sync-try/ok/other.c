/* SPDX-License-Identifier: GPL-2.0-or-later */
static bool stop(struct gadget *gadget)
{
	return timer_delete_sync(&gadget->tick);
}
