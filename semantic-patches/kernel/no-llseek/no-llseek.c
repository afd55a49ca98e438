// SPDX-License-Identifier: GPL-2.0-or-later
static const struct file_operations gadget_fops = {
	.owner = THIS_MODULE,
	.llseek = no_llseek,
	.open = gadget_open,
	.read = gadget_read,
};

const struct file_operations widget_fops = {
	.open		= widget_open,
	.llseek		= no_llseek,
};

const struct file_operations stream_fops[2] = {
	{
		.owner =		THIS_MODULE,
		.llseek =		no_llseek,
		.write =		stream_write,
	},
	{
		.owner =		THIS_MODULE,
		.read =			stream_read,
		.llseek =		no_llseek,
	},
};

static const struct file_operations many_fops[STREAM_COUNT] = {
	[STREAM_OUT] = {
		.llseek = no_llseek,
		.write = stream_write,
	},
};
