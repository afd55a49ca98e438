// SPDX-License-Identifier: GPL-2.0-or-later
/// Replace strtobool() by kstrtobool()
///
/// strtobool() is an alias, which Linux 6.12 no longer has.
// Confidence: High
// Options: --no-includes --include-headers

@kstrtobool@
expression text, result;
@@
-strtobool(
+kstrtobool(
 text, result)
