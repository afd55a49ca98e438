// SPDX-License-Identifier: GPL-2.0-or-later
static int gadget_send(struct socket *sock, struct kvec *vec, struct bio_vec *bvec)
{
	struct iov_iter iter;

	iov_iter_kvec(&msg.msg_iter, WRITE, vec, 1, vec->iov_len);
	iov_iter_bvec(&iter, READ, bvec, 1, bvec->bv_len);
	iov_iter_discard(&iter, READ, 8);
	return 0;
}
