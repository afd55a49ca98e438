// SPDX-License-Identifier: GPL-2.0-or-later
static int gadget_probe(struct i2c_client *client)
{
	return gadget_register(&client->dev);
}

static struct i2c_driver gadget_driver = {
	.driver = {
		.name = "gadget",
	},
	.probe_new = gadget_probe,
	.remove = gadget_remove,
};

static int widget_probe(struct i2c_client *client,
			const struct i2c_device_id *id)
{
	return gadget_register(&client->dev);
}

static struct i2c_driver widget_driver = {
	.probe = widget_probe,
};

static int sensor_probe(struct i2c_client *client, const struct i2c_device_id *id)
{
	struct sensor *sensor = sensor_alloc(client);

	if (!sensor)
		return -ENOMEM;
	sensor->type = id->driver_data;
	return 0;
}

static struct i2c_driver sensor_driver = {
	.probe		= sensor_probe,
	.id_table	= sensor_ids,
};
