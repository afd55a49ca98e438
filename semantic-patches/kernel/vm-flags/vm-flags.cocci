// SPDX-License-Identifier: GPL-2.0-or-later
/// Change vma->vm_flags by vm_flags_set() and vm_flags_clear()
///
/// These functions lock the area for writing, as a change of its flags requires.
//# Please check assignments: vm_flags_init() is for an area that other tasks
//# cannot see yet, vm_flags_reset() for all others.
// Needs: include/linux/mm.h: vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags) { vma_start_write(vma)
// Needs: include/linux/mm.h: vm_flags_clear(
// Needs: include/linux/mm.h: vm_flags_mod(
// Confidence: High
// Options: --no-includes --include-headers

@both@
struct vm_area_struct *vma;
expression set, more, clear;
@@
(
-vma->vm_flags |= set;
-vma->vm_flags &= ~(clear);
+vm_flags_mod(vma, set, clear);
|
-vma->vm_flags &= ~(clear);
-vma->vm_flags |= set;
+vm_flags_mod(vma, set, clear);
|
-vma->vm_flags |= set;
-vma->vm_flags |= more;
+vm_flags_set(vma, set | more);
)

// Statements only: these functions return nothing.
@one@
struct vm_area_struct *vma;
expression flags;
@@
(
-vma->vm_flags |= (flags);
+vm_flags_set(vma, flags);
|
-vma->vm_flags &= ~(flags);
+vm_flags_clear(vma, flags);
)
