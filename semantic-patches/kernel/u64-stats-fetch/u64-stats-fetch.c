// SPDX-License-Identifier: GPL-2.0-or-later
static void gadget_stats(struct gadget *gadget, struct rtnl_link_stats64 *stats)
{
	unsigned int start;

	do {
		start = u64_stats_fetch_begin_irq(&gadget->syncp);
		stats->rx_packets = gadget->rx_packets;
	} while (u64_stats_fetch_retry_irq(&gadget->syncp, start));
}
