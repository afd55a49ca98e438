// SPDX-License-Identifier: GPL-2.0-or-later
/// Replace prandom_u32_max() by get_random_u32_below()
///
/// In spite of its name, prandom_u32_max() never returns its argument.
/// get_random_u32_inclusive() replaces sums that give a number between two
/// ends.
//# Please check ranges that may be empty: get_random_u32_inclusive() requires
//# that they are not.
// Needs: include/linux/random.h: get_random_u32_below(
// Needs: include/linux/random.h: get_random_u32_inclusive(
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
