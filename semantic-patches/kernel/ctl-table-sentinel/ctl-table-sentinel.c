// SPDX-License-Identifier: GPL-2.0-or-later
static struct ctl_table gadget_table[] = {
	{
		.procname = "limit",
		.data = &limit,
		.maxlen = sizeof(int),
		.mode = 0644,
		.proc_handler = proc_dointvec,
	},
	{ }
};

static struct ctl_table widget_table[] = {
	{
		.procname	= "count",
		.data		= &count,
	},
	{},
};
