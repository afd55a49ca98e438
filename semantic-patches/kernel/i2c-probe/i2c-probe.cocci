// SPDX-License-Identifier: GPL-2.0-or-later
/// Let the probe functions of I2C drivers take the client only
///
/// Probe functions that use the entry of the id table look it up with
/// i2c_client_get_device_id().
// Needs: include/linux/i2c.h: (*probe)(struct i2c_client *client);
// Needs: include/linux/i2c.h: i2c_client_get_device_id(
// Confidence: High
// Options: --no-includes

@driver@
identifier d, fn;
@@
 struct i2c_driver d = {
 .probe = fn,
 };

@unused@
identifier driver.fn;
identifier client, id;
@@
 fn(struct i2c_client *client
-, const struct i2c_device_id *id
 )
 {
 ... when != id
 }

@used@
identifier driver.fn;
identifier client, id;
@@
 fn(struct i2c_client *client
-, const struct i2c_device_id *id
 )
 {
+const struct i2c_device_id *id = i2c_client_get_device_id(client);
 ...
 }

@renamed@
identifier d;
expression fn;
@@
 struct i2c_driver d = {
-.probe_new
+.probe
 = fn,
 };
