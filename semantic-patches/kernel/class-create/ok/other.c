// SPDX-License-Identifier: GPL-2.0-or-later
static const struct file_operations gadget_fops = {
	.owner = THIS_MODULE,
	.open = gadget_open,
};

static int __init gadget_init(void)
{
	gadget_class = class_create("gadget");
	return PTR_ERR_OR_ZERO(gadget_class);
}
