// SPDX-License-Identifier: GPL-2.0-or-later
/// Use sysfs_emit() in show functions
///
/// sysfs_emit() never writes past the page that a show function gets, and warns
/// about a buffer that does not begin at a page.
// Needs: include/linux/sysfs.h: sysfs_emit(
// Confidence: High
// Options: --no-includes

@show@
identifier fn, dev, attr, buf;
@@
 ssize_t fn(struct device *dev, struct device_attribute *attr,
            char *buf)
 {
 <...
(
 return
-sprintf
+sysfs_emit
 (buf, ...);
|
 return
-snprintf
+sysfs_emit
 (buf,
-PAGE_SIZE,
 ...);
|
 return
-scnprintf
+sysfs_emit
 (buf,
-PAGE_SIZE,
 ...);
)
 ...>
 }
