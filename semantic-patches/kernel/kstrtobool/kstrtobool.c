// SPDX-License-Identifier: GPL-2.0-or-later
static ssize_t enable_store(struct device *dev, const char *buf, size_t count)
{
	bool enable;

	if (strtobool(buf, &enable) < 0)
		return -EINVAL;
	return strtobool(buf + 1, &gadget->enable) ?: count;
}
