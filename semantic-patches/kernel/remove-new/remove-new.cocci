// SPDX-License-Identifier: GPL-2.0-or-later
/// Rename .remove_new of platform drivers to .remove
///
/// Both return nothing since Linux 6.11, and Linux 6.13 removed .remove_new.
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
