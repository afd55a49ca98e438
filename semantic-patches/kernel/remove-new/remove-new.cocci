// SPDX-License-Identifier: GPL-2.0-or-later
/// Rename .remove_new of platform drivers to .remove
///
/// Both callbacks return nothing, so .remove_new is not needed.
// Needs: include/linux/platform_device.h: void (*remove)(struct platform_device *)
// Confidence: High
// Options: --no-includes --include-headers

@renamed@
identifier driver;
expression fn;
@@
 struct platform_driver driver = {
-.remove_new
+.remove
 = fn,
 };
