// SPDX-License-Identifier: GPL-2.0-or-later
static int gadget_probe(struct spi_device *client, const struct spi_device_id *id)
{
	return 0;
}

static struct spi_driver gadget_driver = {
	.probe = gadget_probe,
};

static int widget_probe(struct i2c_client *client)
{
	return gadget_register(&client->dev);
}

static struct i2c_driver widget_driver = {
	.probe = widget_probe,
};

static int helper(struct i2c_client *client, const struct i2c_device_id *id)
{
	return id->driver_data;
}
