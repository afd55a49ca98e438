// SPDX-License-Identifier: GPL-2.0-or-later
static void gadget_free(struct gadget *gadget)
{
	kfree_rcu(gadget->old);
	kvfree_rcu(rcu_dereference_protected(gadget->table, 1));
}
