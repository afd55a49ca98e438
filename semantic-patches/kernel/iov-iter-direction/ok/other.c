// SPDX-License-Identifier: GPL-2.0-or-later
static int gadget_send(struct kvec *vec, int rw)
{
	iov_iter_kvec(&msg.msg_iter, rw, vec, 1, vec->iov_len);
	iov_iter_kvec(&msg.msg_iter, ITER_DEST, vec, 1, vec->iov_len);
	return submit(READ, vec) + submit(WRITE, vec);
}
