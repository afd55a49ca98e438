// SPDX-License-Identifier: GPL-2.0-or-later
/// Replace try_to_del_timer_sync() by timer_delete_sync_try()
///
/// The new name follows those of timer_delete() and timer_delete_sync().
// Needs: include/linux/timer.h: timer_delete_sync_try(
// Confidence: High
// Options: --no-includes --include-headers

@timer_delete_sync_try@
expression timer;
@@
-try_to_del_timer_sync(
+timer_delete_sync_try(
 timer)
