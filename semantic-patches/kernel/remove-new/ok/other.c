// SPDX-License-Identifier: GPL-2.0-or-later
static struct gadget_driver gadget_driver = {
	.probe = gadget_probe,
	.remove_new = gadget_remove,
};

static struct platform_driver widget_driver = {
	.remove = widget_remove,
};
