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
