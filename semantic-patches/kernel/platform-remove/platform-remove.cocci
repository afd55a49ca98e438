// SPDX-License-Identifier: GPL-2.0-or-later
/// Let the remove functions of platform drivers return nothing
///
/// The callback returns nothing: the driver core removes the device in any case,
/// so a driver that returns early with an error leaks resources.
//# Please check functions that return anything but 0.
// Needs: include/linux/platform_device.h: void (*remove)(struct platform_device *)
// Confidence: High
// Options: --no-includes

@driver@
identifier d, fn;
@@
(
 struct platform_driver d = {
 .remove = fn,
 };
|
 struct platform_driver d = {
 .remove = __exit_p(fn),
 };
)

@called@
identifier driver.fn;
@@
 fn(...)

// Not <+... return value; ...+>, which spatch 1.3.1 does not always find.
@failing exists@
identifier driver.fn;
identifier pdev;
expression value != 0;
position p;
@@
 fn@p(struct platform_device *pdev)
 {
 ... when any
 return value;
 ... when any
 }

// Only a return of an `if` can be distinguished from the last one.
@nested disable drop_else@
identifier driver.fn;
identifier pdev;
statement S;
position p;
@@
 fn@p(struct platform_device *pdev)
 {
 <+...
(
 if (...) S else { <+... return 0; ...+> }
|
 if (...) { <+... return 0; ...+> } else S
|
 while (...) { <+... return 0; ...+> }
|
 for (...;...;...) { <+... return 0; ...+> }
|
 switch (...) { case ...: <+... return 0; ...+> }
)
 ...+>
 }

// spatch 1.3.1 adds braces to an `if` that matches the rule after this one.
@alone depends on !called@
identifier driver.fn;
identifier pdev;
position p != {failing.p, nested.p};
@@
 fn@p(struct platform_device *pdev)
 {
 <...
 if (...)
-return 0;
+return;
 ...>
 }

@early depends on !called@
identifier driver.fn;
identifier pdev;
position p != {failing.p, nested.p};
@@
 fn@p(struct platform_device *pdev)
 {
 <...
 if (...) {
 <...
-return 0;
+return;
 ...>
 }
 ...>
 }

@last depends on !called@
identifier driver.fn;
identifier pdev;
position p != {failing.p, nested.p};
@@
-int
+void
 fn@p(struct platform_device *pdev)
 {
 ...
-return 0;
 }
