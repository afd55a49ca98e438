// SPDX-License-Identifier: GPL-2.0-or-later
static const struct file_operations gadget_fops = {
	.owner = THIS_MODULE,
	.llseek = noop_llseek,
	.open = gadget_open,
};

static const struct proc_ops gadget_proc_ops = {
	.proc_open = gadget_open,
	.proc_lseek = no_llseek,
};
