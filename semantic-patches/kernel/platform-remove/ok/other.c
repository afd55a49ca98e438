// SPDX-License-Identifier: GPL-2.0-or-later
static int gadget_remove(struct platform_device *pdev)
{
	int err = gadget_stop(platform_get_drvdata(pdev));

	if (err)
		return err;
	return 0;
}

static struct platform_driver gadget_driver = {
	.remove = gadget_remove,
};

static int widget_remove(struct spi_device *spi)
{
	return 0;
}

static struct spi_driver widget_driver = {
	.remove = widget_remove,
};

static int other_remove(struct platform_device *pdev)
{
	switch (gadget_state(pdev)) {
	case 0:
		return 0;
	default:
		gadget_stop(pdev);
	}
	while (gadget_poll(pdev)) {
		if (gadget_done(pdev))
			return 0;
	}
	return 0;
}

static struct platform_driver other_driver = {
	.remove = __exit_p(other_remove),
};
