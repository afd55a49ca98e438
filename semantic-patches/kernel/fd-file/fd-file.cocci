// SPDX-License-Identifier: GPL-2.0-or-later
/// Read the file of a struct fd by fd_file()
///
/// A struct fd stores the pointer and the flags in one word, and fd_file()
/// reads the pointer.
//# fd_file() is not an lvalue: please check code that assigns to the member.
// Needs: include/linux/file.h: define fd_file(f) ((struct file *)((f).word &
// Needs: include/linux/file.h: struct fd { unsigned long word; };
// Confidence: High
// Options: --no-includes --include-headers --max-width 100

@fd_empty@
struct fd f;
@@
-!f.file
+fd_empty(f)

@fd_file@
struct fd f;
expression value;
@@
(
 f.file = value
|
 &f.file
|
-f.file
+fd_file(f)
)
