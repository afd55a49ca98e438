// SPDX-License-Identifier: GPL-2.0-or-later
/// Replace del_timer() by timer_delete()
///
/// The functions of timers begin with timer_ since Linux 6.2, which kept the
/// old names as wrappers until 6.15.
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
