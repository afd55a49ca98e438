/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The init of a kernel that is booted for a test: print a marker, and restart, which ends
 * `qemu -no-reboot`. Powering off would need ACPI. There is no C library.
 */

static long call(long nr, long a, long b, long c)
{
	register long d asm("r10") = 0;
	long ret;

	asm volatile("syscall"
		     : "=a" (ret)
		     : "0" (nr), "D" (a), "S" (b), "d" (c), "r" (d)
		     : "rcx", "r11", "memory");
	return ret;
}

void _start(void)
{
	static const char text[] = MARKER "\n";

	call(1 /* write */, 1, (long)text, sizeof(text) - 1);
	call(169 /* reboot */, 0xfee1dead, 0x28121969, 0x01234567 /* restart */);
	for (;;)
		;
}
