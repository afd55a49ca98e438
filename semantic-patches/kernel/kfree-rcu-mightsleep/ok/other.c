// SPDX-License-Identifier: GPL-2.0-or-later
static void gadget_free(struct gadget *gadget)
{
	kfree_rcu(gadget, rcu);
	kvfree_rcu(gadget->table, rcu);
	kfree_rcu_mightsleep(gadget->old);
}
