// SPDX-License-Identifier: GPL-2.0-or-later
/// Replace prandom_u32_max() by get_random_u32_below()
///
/// prandom_u32_max() never returned its argument, in spite of its name, and
/// the numbers are those of get_random_u32() since Linux 6.1.  The new name
/// says what it does; Linux 6.12 no longer has the old one.  A sum that gives
/// both ends of a range is a call of get_random_u32_inclusive().
//# A range that may be empty needs a look: get_random_u32_inclusive() is for
//# ranges that are not.
// Confidence: High
// Options: --no-includes --include-headers

@inclusive@
expression floor, ceil;
@@
(
-(prandom_u32_max(ceil - floor + 1) + floor)
+get_random_u32_inclusive(floor, ceil)
|
-(floor + prandom_u32_max(ceil - floor + 1))
+get_random_u32_inclusive(floor, ceil)
|
-(prandom_u32_max(ceil) + 1)
+get_random_u32_inclusive(1, ceil)
|
-(1 + prandom_u32_max(ceil))
+get_random_u32_inclusive(1, ceil)
|
-prandom_u32_max(ceil - floor + 1) + floor
+get_random_u32_inclusive(floor, ceil)
|
-floor + prandom_u32_max(ceil - floor + 1)
+get_random_u32_inclusive(floor, ceil)
|
-prandom_u32_max(ceil) + 1
+get_random_u32_inclusive(1, ceil)
|
-1 + prandom_u32_max(ceil)
+get_random_u32_inclusive(1, ceil)
)

@below@
expression ceil;
@@
-prandom_u32_max(
+get_random_u32_below(
 ceil)
