// SPDX-License-Identifier: GPL-2.0-or-later
int set_checked(struct thing *thing, const char *name)
{
	size_t length = strlcpy(thing->name, name, sizeof(thing->name));

	if (strlcpy(thing->alias, name, ALIAS_LEN) >= ALIAS_LEN)
		return -E2BIG;
	return length;
}
