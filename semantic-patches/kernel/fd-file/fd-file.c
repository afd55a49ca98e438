// SPDX-License-Identifier: GPL-2.0-or-later
static long gadget_attach(int number)
{
	struct fd f = fdget(number);
	struct fd other = fdget_pos(number);
	long result = -EBADF;

	if (!f.file)
		goto out;
	if (f.file->f_op == &gadget_fops)
		result = attach(f.file->private_data, file_inode(other.file));
out:
	fdput(f);
	return result;
}
