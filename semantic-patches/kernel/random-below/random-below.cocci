// SPDX-License-Identifier: GPL-2.0-or-later
/// Replace prandom_u32_max() by get_random_u32_below()
///
/// prandom_u32_max() never returned its argument, in spite of its name, and
/// the numbers are those of get_random_u32() since Linux 6.1.  The new name
/// says what it does; the old one was removed in 6.2.
// Confidence: High
// Options: --no-includes --include-headers

@below@
expression ceil;
@@
-prandom_u32_max(
+get_random_u32_below(
 ceil)
