// SPDX-License-Identifier: GPL-2.0-or-later
/// Replace strlcpy() by strscpy()
///
/// strlcpy() reads all of the source, even what does not fit, and so reads
/// past its end if it is not terminated.  strscpy() stops where the
/// destination is full.  The two return different values, so only calls are
/// replaced whose value is not used.
//# Please check calls whose value is used: strscpy() returns -E2BIG where
//# strlcpy() returns the length of the source.
// Needs: include/linux/string.h: strscpy(
// Confidence: High
// Options: --no-includes --include-headers

@strscpy@
expression to, from, size;
@@
-strlcpy(
+strscpy(
 to, from, size);
