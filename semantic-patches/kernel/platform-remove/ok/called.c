// SPDX-License-Identifier: GPL-2.0-or-later
static int gadget_remove(struct platform_device *pdev)
{
	gadget_stop(platform_get_drvdata(pdev));
	return 0;
}

static int gadget_probe(struct platform_device *pdev)
{
	return gadget_start(pdev) ?: gadget_remove(pdev);
}

static struct platform_driver gadget_driver = {
	.remove = gadget_remove,
};
