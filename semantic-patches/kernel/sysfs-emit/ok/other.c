// SPDX-License-Identifier: GPL-2.0-or-later
static int gadget_name(struct gadget *gadget, char *buf)
{
	return sprintf(buf, "%s\n", gadget->name);
}

static ssize_t other_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	char text[8];

	sprintf(buf, "first\n");
	return sprintf(text, "%d", 3) + snprintf(buf, 8, "8");
}
