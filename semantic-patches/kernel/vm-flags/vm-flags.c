// SPDX-License-Identifier: GPL-2.0-or-later
static int gadget_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_WRITE)
		return -EPERM;
	vma->vm_flags &= ~VM_MAYWRITE;
	vma->vm_flags |= VM_DONTEXPAND | VM_DONTDUMP;
	return remap(vma);
}

static int widget_mmap(struct widget *widget, struct vm_area_struct *area)
{
	area->vm_flags |= VM_IO | VM_PFNMAP;
	if (widget->is_fixed)
		area->vm_flags &= ~(VM_MAYWRITE | VM_MAYEXEC);
	return 0;
}

static int other_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_flags |= (VM_DONTEXPAND | VM_DONTDUMP);
	gadget_prepare(vma);
	vma->vm_flags |= VM_PFNMAP;
	vma->vm_flags |= VM_IO | VM_DONTEXPAND;
	return 0;
}
