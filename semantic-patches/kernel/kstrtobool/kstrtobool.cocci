// SPDX-License-Identifier: GPL-2.0-or-later
/// Replace strtobool() by kstrtobool()
///
/// strtobool() was an alias, removed in Linux 6.4.
// Confidence: High
// Options: --no-includes --include-headers

@kstrtobool@
expression text, result;
@@
-strtobool(
+kstrtobool(
 text, result)
