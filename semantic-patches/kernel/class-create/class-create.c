// SPDX-License-Identifier: GPL-2.0-or-later
static struct class gadget_class = {
	.name = "gadget",
	.owner = THIS_MODULE,
	.dev_groups = gadget_groups,
};

static int __init gadget_init(void)
{
	other_class = class_create(THIS_MODULE, "other");
	if (IS_ERR(other_class))
		return PTR_ERR(other_class);
	widget->class = class_create(THIS_MODULE, widget->is_long ?
				     "widget-long" : "widget");
	return 0;
}
