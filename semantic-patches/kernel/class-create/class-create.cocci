// SPDX-License-Identifier: GPL-2.0-or-later
/// Drop the owner from class_create() and struct class
///
/// class_create() and struct class no longer have an owner.
// Needs: include/linux/device/class.h: class_create(const char *name)
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
