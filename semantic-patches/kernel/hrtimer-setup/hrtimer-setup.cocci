// SPDX-License-Identifier: GPL-2.0-or-later
/// Replace hrtimer_init() by hrtimer_setup()
///
/// hrtimer_setup() also sets the callback.
// Needs: include/linux/hrtimer.h: hrtimer_setup(struct hrtimer *timer, enum hrtimer_restart (*function)(struct hrtimer *)
// Confidence: High
// Options: --no-includes --include-headers --max-width 100

// Separate from the next rules, which would leave an empty line here.
@adjacent@
expression timer, pointer, clock, mode, fn;
@@
(
-hrtimer_init(&timer, clock, mode);
-timer.function = fn;
+hrtimer_setup(&timer, fn, clock, mode);
|
-hrtimer_init(pointer, clock, mode);
-pointer->function = fn;
+hrtimer_setup(pointer, fn, clock, mode);
)

@member@
expression timer, clock, mode, fn;
@@
-hrtimer_init(&timer, clock, mode);
+hrtimer_setup(&timer, fn, clock, mode);
 ... when != timer.function
     when != hrtimer_start(&timer, ...)
-timer.function = fn;

@pointer@
expression timer, clock, mode, fn;
@@
-hrtimer_init(timer, clock, mode);
+hrtimer_setup(timer, fn, clock, mode);
 ... when != timer->function
     when != hrtimer_start(timer, ...)
-timer->function = fn;
