// SPDX-License-Identifier: GPL-2.0-or-later
/// Drop the empty last elements of struct ctl_table arrays
///
/// The functions that register an array get its size, so they do not need an
/// element that marks its end.
//# Please check code that uses the size of the array, or that looks for an
//# element without a procname.
// Needs: include/linux/sysctl.h: int ctl_table_size;
// Confidence: Moderate
// Options: --no-includes

@nonempty@
identifier table, member;
initializer list elements;
expression value;
position p;
@@
 struct ctl_table table[] = {
 elements,
 {@p .member = value, }
 };

// `{ }` alone would match an element that is not empty.
@sentinel@
identifier table;
initializer list elements;
position p != nonempty.p;
@@
 struct ctl_table table[] = {
 elements,
-{@p }
 };
