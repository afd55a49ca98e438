// SPDX-License-Identifier: GPL-2.0-or-later
/// Replace del_timer() by timer_delete()
///
/// The names of the timer functions begin with timer_.  timer_delete() and
/// timer_delete_sync() exist since Linux 6.2, timer_delete_sync_try() since
/// 6.16.  Linux 6.15 removed del_timer() and del_timer_sync().
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
|
-try_to_del_timer_sync(
+timer_delete_sync_try(
 timer)
)
