// SPDX-License-Identifier: GPL-2.0-or-later
/// Drop the count from eventfd_signal()
///
/// All callers add 1, so Linux 6.8 dropped the parameter.  Since then, the
/// function returns nothing.
//# Please check calls with another count, and calls whose value is used.
// Confidence: High
// Options: --no-includes --include-headers

@signal@
expression ctx;
@@
 eventfd_signal(ctx
-, 1
 );
