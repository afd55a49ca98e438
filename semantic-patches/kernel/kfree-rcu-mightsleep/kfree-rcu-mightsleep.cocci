// SPDX-License-Identifier: GPL-2.0-or-later
/// Replace kfree_rcu() with one argument by kfree_rcu_mightsleep()
///
/// It may sleep, which the name of both forms hid.  Linux 6.12 has the form
/// with one argument no longer.
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
