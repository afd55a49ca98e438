// SPDX-License-Identifier: GPL-2.0-or-later
/// Replace del_timer() by timer_delete()
///
/// del_timer() and del_timer_sync() are only wrappers around timer_delete() and
/// timer_delete_sync().
// Needs: include/linux/timer.h: timer_delete(
// Needs: include/linux/timer.h: timer_delete_sync(
// Confidence: High
// Options: --no-includes --include-headers

@timer_delete@
expression timer;
@@
(
-del_timer(
+timer_delete(
 timer)
|
-del_timer_sync(
+timer_delete_sync(
 timer)
|
-del_singleshot_timer_sync(
+timer_delete_sync(
 timer)
)
