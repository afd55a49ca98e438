// SPDX-License-Identifier: GPL-2.0-or-later
/// Replace from_timer() by timer_container_of()
///
/// The new name says what the macro does: it is the container_of() of a timer.
// Needs: include/linux/timer.h: define timer_container_of(var, callback_timer, timer_fieldname) container_of(callback_timer
// Confidence: High
// Options: --no-includes --include-headers

@container_of@
expression var, timer, member;
@@
-from_timer(
+timer_container_of(
 var, timer, member)
