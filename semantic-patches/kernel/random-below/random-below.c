// SPDX-License-Identifier: GPL-2.0-or-later
static void shuffle(u32 *values, unsigned int count)
{
	unsigned int i;

	for (i = count - 1; i; i--)
		swap(values[i], values[prandom_u32_max(i + 1)]);
	if (!prandom_u32_max(2))
		delay = HZ + prandom_u32_max(READ_ONCE(limit));
}

static u32 pick(u32 first, u32 last)
{
	u32 die = prandom_u32_max(6) + 1;

	port = first + prandom_u32_max(last - first + 1);
	port = prandom_u32_max(LAST - FIRST + 1) + FIRST;
	size = (1 + prandom_u32_max(3)) * 16;
	return die + prandom_u32_max(last - first);
}
