// SPDX-License-Identifier: GPL-2.0-or-later
/// Replace kfree_rcu() with one argument by kfree_rcu_mightsleep()
///
/// It may sleep, which the name of both forms hid.  The form with one
/// argument was removed in Linux 6.4.
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
