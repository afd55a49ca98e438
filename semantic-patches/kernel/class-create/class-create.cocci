// SPDX-License-Identifier: GPL-2.0-or-later
/// Drop the owner from class_create() and struct class
///
/// A class outlives no module that it could protect: nothing ever took a
/// reference by the owner.  class_create() has no such parameter since Linux
/// 6.4, and struct class no such member.
// Confidence: High
// Options: --no-includes --include-headers

@created@
expression owner, name;
@@
 class_create(
-owner,
 name)

@defined@
identifier c;
identifier tag =~ "^class$";
@@
 struct tag c = {
-.owner = THIS_MODULE,
 };
