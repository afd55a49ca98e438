// SPDX-License-Identifier: GPL-2.0-or-later
/// Include linux/unaligned.h instead of asm/unaligned.h
///
/// The header is the same for all architectures.
// Needs: include/linux/unaligned.h: get_unaligned(
// Confidence: High
// Options: --no-includes --include-headers

@included@
@@
 #include <linux/unaligned.h>

@dropped depends on included@
@@
-#include <asm/unaligned.h>

@renamed depends on !included@
@@
-#include <asm/unaligned.h>
+#include <linux/unaligned.h>
