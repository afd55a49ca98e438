// SPDX-License-Identifier: GPL-2.0-or-later
static long gadget_attach(struct gadget gadget, struct gadget *other)
{
	struct fd f = fdget(other->number);

	return gadget.file == other->file && !fd_empty(f);
}

static struct fd gadget_fd(struct file *file)
{
	struct fd f;

	f.file = file;
	gadget_fill(&f.file);
	return f;
}
