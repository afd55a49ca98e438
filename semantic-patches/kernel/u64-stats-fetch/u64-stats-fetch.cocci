// SPDX-License-Identifier: GPL-2.0-or-later
/// Drop the _irq variants of u64_stats_fetch_begin() and _retry()
///
/// Since Linux 6.1, they do the same as the functions without the suffix: on
/// 32 bits, statistics always use a sequence counter.  Linux 6.12 no longer has
/// the variants.
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
