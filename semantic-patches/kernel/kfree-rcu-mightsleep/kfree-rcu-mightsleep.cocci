// SPDX-License-Identifier: GPL-2.0-or-later
/// Replace kfree_rcu() with one argument by kfree_rcu_mightsleep()
///
/// The form with one argument may sleep, and the old name does not show it.
// Needs: include/linux/rcupdate.h: kfree_rcu_mightsleep(
// Needs: include/linux/rcupdate.h: kvfree_rcu_mightsleep(
// Confidence: High
// Options: --no-includes --include-headers

@mightsleep@
expression pointer;
@@
(
-kfree_rcu(
+kfree_rcu_mightsleep(
 pointer)
|
-kvfree_rcu(
+kvfree_rcu_mightsleep(
 pointer)
)
