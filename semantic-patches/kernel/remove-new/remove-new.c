// SPDX-License-Identifier: GPL-2.0-or-later
static struct platform_driver gadget_driver = {
	.probe = gadget_probe,
	.remove_new = gadget_remove,
	.driver = {
		.name = "gadget",
	},
};

static struct platform_driver widget_driver __refdata = {
	.remove_new	= __exit_p(widget_remove),
};
