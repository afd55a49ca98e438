// SPDX-License-Identifier: GPL-2.0-or-later
static ssize_t limit_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct gadget *gadget = dev_get_drvdata(dev);

	if (gadget->is_off)
		return sprintf(buf, "off\n");
	if (gadget->is_auto)
		return snprintf(buf, PAGE_SIZE, "auto\n");
	return scnprintf(buf, PAGE_SIZE, "%u %u\n", gadget->limit,
			 gadget->maximum);
}
