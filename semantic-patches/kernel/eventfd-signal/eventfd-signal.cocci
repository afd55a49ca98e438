// SPDX-License-Identifier: GPL-2.0-or-later
/// Drop the count from eventfd_signal()
///
/// eventfd_signal() adds 1, and returns nothing.
//# Please check calls with another count, and calls whose value is used.
// Needs: include/linux/eventfd.h: void eventfd_signal(struct eventfd_ctx *ctx)
// Confidence: High
// Options: --no-includes --include-headers

@signal@
expression ctx;
@@
 eventfd_signal(ctx
-, 1
 );
