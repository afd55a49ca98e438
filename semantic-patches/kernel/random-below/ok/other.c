// SPDX-License-Identifier: GPL-2.0-or-later
static u32 pick(u32 count)
{
	prandom_u32_max = count;
	return get_random_u32_below(count) + prandom_u32_state(&state);
}
