// SPDX-License-Identifier: GPL-2.0-or-later
/// Drop the _irq variants of u64_stats_fetch_begin() and _retry()
///
/// The variants do the same as the functions without the suffix.
// Needs: include/linux/u64_stats_sync.h: return u64_stats_fetch_begin(syncp);
// Needs: include/linux/u64_stats_sync.h: u64_stats_fetch_retry(
// Confidence: High
// Options: --no-includes --include-headers

@begin@
expression sync;
@@
-u64_stats_fetch_begin_irq(
+u64_stats_fetch_begin(
 sync)

@retry@
expression sync, start;
@@
-u64_stats_fetch_retry_irq(
+u64_stats_fetch_retry(
 sync, start)
