// SPDX-License-Identifier: GPL-2.0-or-later
/// Drop the empty last elements of struct ctl_table arrays
///
/// The functions that register an array know its size, and do not look for an
/// empty element any more (Linux 6.6 to 6.11).
//# Code that uses the size of the array, or looks for an element without a
//# procname, needs a look.
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
