// SPDX-License-Identifier: GPL-2.0-or-later
/// Replace from_timer() by timer_container_of()
///
/// The names of the timer functions begin with timer_, and this macro is a
/// container_of().
// Needs: include/linux/timer.h: timer_container_of(
// Confidence: High
// Options: --no-includes --include-headers

@container_of@
expression var, timer, member;
@@
-from_timer(
+timer_container_of(
 var, timer, member)
