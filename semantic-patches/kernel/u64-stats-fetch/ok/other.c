// SPDX-License-Identifier: GPL-2.0-or-later
static void gadget_stats(struct gadget *gadget)
{
	unsigned int start;

	do {
		start = u64_stats_fetch_begin(&gadget->syncp);
	} while (u64_stats_fetch_retry(&gadget->syncp, start));
	u64_stats_update_end_irqrestore(&gadget->syncp, flags);
}
