// SPDX-License-Identifier: GPL-2.0-or-later
/// Replace ida_simple_get() by ida_alloc() and its relatives
///
/// ida_simple_get() and ida_simple_remove() are deprecated.  The maximum of
/// ida_alloc_max() and ida_alloc_range() is the largest ID; the end of
/// ida_simple_get() is the first that is too large.
//# Please check ends that are not constants: ida_simple_get() reads 0 as
//# "no limit".
// Needs: include/linux/idr.h: ida_alloc_range(
// Needs: include/linux/idr.h: ida_alloc(
// Needs: include/linux/idr.h: ida_alloc_min(
// Needs: include/linux/idr.h: ida_alloc_max(
// Needs: include/linux/idr.h: ida_free(
// Confidence: High
// Options: --no-includes --include-headers

@get@
expression ida, start, gfp;
@@
(
-ida_simple_get(ida, 0, 0, gfp)
+ida_alloc(ida, gfp)
|
-ida_simple_get(ida, start, 0, gfp)
+ida_alloc_min(ida, start, gfp)
)

@get_below@
expression ida, start, end, gfp, a, b, c;
@@
(
// `- 1` binds stronger than these.
 ida_simple_get(ida, start,
                \(a & b\|a | b\|a ^ b\|a ? b : c\|a ?: b\), gfp)
|
-ida_simple_get(ida, 0, a << b, gfp)
+ida_alloc_max(ida, (a << b) - 1, gfp)
|
-ida_simple_get(ida, start, a << b, gfp)
+ida_alloc_range(ida, start, (a << b) - 1, gfp)
|
-ida_simple_get(ida, 0, a >> b, gfp)
+ida_alloc_max(ida, (a >> b) - 1, gfp)
|
-ida_simple_get(ida, start, a >> b, gfp)
+ida_alloc_range(ida, start, (a >> b) - 1, gfp)
|
-ida_simple_get(ida, 0, end + 1, gfp)
+ida_alloc_max(ida, end, gfp)
|
-ida_simple_get(ida, start, end + 1, gfp)
+ida_alloc_range(ida, start, end, gfp)
|
-ida_simple_get(ida, 0, end, gfp)
+ida_alloc_max(ida, end - 1, gfp)
|
-ida_simple_get(ida, start, end, gfp)
+ida_alloc_range(ida, start, end - 1, gfp)
)

@remove@
expression ida, id;
@@
-ida_simple_remove(
+ida_free(
 ida, id)
