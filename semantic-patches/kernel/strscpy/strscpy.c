// SPDX-License-Identifier: GPL-2.0-or-later
void set_name(struct thing *thing, const char *name)
{
	strlcpy(thing->name, name, sizeof(thing->name));
	if (!thing->alias)
		strlcpy(thing->alias, name, ALIAS_LEN);
	else
		strlcpy(thing->alias + thing->used, name,
			ALIAS_LEN - thing->used);
}
