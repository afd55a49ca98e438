// SPDX-License-Identifier: GPL-2.0-or-later
/// Name the direction of an iov_iter by ITER_SOURCE and ITER_DEST
///
/// READ and WRITE are the directions of a request.  The iov_iter of a READ is
/// the destination of its data, and the names now say so.
// Needs: include/linux/uio.h: ITER_DEST
// Needs: include/linux/uio.h: ITER_SOURCE
// Confidence: High
// Options: --no-includes --include-headers

@direction@
expression iter;
identifier init = {iov_iter_init, iov_iter_kvec, iov_iter_bvec,
                   iov_iter_xarray, iov_iter_ubuf, iov_iter_discard};
@@
(
 init(iter,
-READ
+ITER_DEST
 , ...)
|
 init(iter,
-WRITE
+ITER_SOURCE
 , ...)
)
