// SPDX-License-Identifier: GPL-2.0-or-later
static void shuffle(u32 *values, unsigned int count)
{
	unsigned int i;

	for (i = count - 1; i; i--)
		swap(values[i], values[prandom_u32_max(i + 1)]);
	if (!prandom_u32_max(2))
		delay = HZ + prandom_u32_max(READ_ONCE(limit));
}
