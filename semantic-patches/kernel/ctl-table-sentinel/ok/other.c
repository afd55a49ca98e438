// SPDX-License-Identifier: GPL-2.0-or-later
static struct ctl_table gadget_table[] = {
	{
		.procname = "limit",
		.data = &limit,
	},
};

static const struct of_device_id gadget_ids[] = {
	{ .compatible = "gadget" },
	{ }
};

static struct ctl_table widget_table[] = {
	{
		.procname = "child",
		.proc_handler = proc_dointvec,
		.extra1 = SYSCTL_ZERO,
	}
};
