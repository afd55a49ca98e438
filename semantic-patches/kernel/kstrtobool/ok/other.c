// SPDX-License-Identifier: GPL-2.0-or-later
static ssize_t enable_store(struct device *dev, const char *buf, size_t count)
{
	bool strtobool;

	return kstrtobool(buf, &strtobool) ?: kstrtobool_from_user(buf, count, &strtobool);
}
