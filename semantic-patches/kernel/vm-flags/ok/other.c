// SPDX-License-Identifier: GPL-2.0-or-later
static int gadget_mmap(struct file *file, struct vm_area_struct *vma, struct other *other)
{
	other->vm_flags |= VM_IO;
	vma->vm_flags = VM_IO;
	other->region_flags = vma->vm_flags |= VM_IO;
	if ((vma->vm_flags &= ~VM_EXEC) & VM_READ)
		return 1;
	vma->vm_flags &= VM_READ;
	vma->vm_page_prot = vm_get_page_prot(vma->vm_flags | VM_IO);
	return 0;
}
