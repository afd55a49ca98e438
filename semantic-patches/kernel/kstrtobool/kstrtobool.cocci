// SPDX-License-Identifier: GPL-2.0-or-later
/// Replace strtobool() by kstrtobool()
///
/// strtobool() is only an alias of kstrtobool().
// Needs: include/linux/kstrtox.h: kstrtobool(const char *s, bool *res)
// Confidence: High
// Options: --no-includes --include-headers

@kstrtobool@
expression text, result;
@@
-strtobool(
+kstrtobool(
 text, result)
