// SPDX-License-Identifier: GPL-2.0-or-later
static int gadget_remove(struct platform_device *pdev)
{
	struct gadget *gadget = platform_get_drvdata(pdev);

	if (!gadget)
		return 0;
	if (gadget->is_broken) {
		gadget_reset(gadget);
		return 0;
	}
	gadget_stop(gadget);

	return 0;
}

static struct platform_driver gadget_driver = {
	.probe = gadget_probe,
	.remove = gadget_remove,
};
