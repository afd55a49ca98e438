# SPDX-License-Identifier: GPL-2.0-or-later
"""The paths to an early function, and the obstacle on the path to a late one."""

from __future__ import annotations

import pytest

from patchgen.audit.obstacles import Obstacle
from patchgen.audit.reasons import FunctionAnswer, build_reasons, explain_function, explain_late
from patchgen.audit.tables import load_tables
from patchgen.audit.window import follow_window
from patchgen.errors import RefusedError
from tests.support.small_kernel import FILES, audit_files, link_files

SOURCE = """\
struct ops {
	void (*early)(void);
	void (*never_called)(void);
};
static struct ops ops;
static void shared(void) { kvm_hypercall1(KVM_HC_X, 0); }
static void by_pointer(void) { shared(); }
static void stored(void) { }
static void thread(void) { shared(); }
static void below_thread(void) { thread(); }
static void in_initcall(void) { }
device_initcall(in_initcall);
static void unreferenced(void) { kvm_hypercall1(KVM_HC_Y, 0); }
static int driver_open(void) { return 0; }
static const struct driver_ops driver = { .open = driver_open };
static void pong(void) { ping(); }
static void ping(void) { pong(); ping(); }
void after_alternatives(void)
{
	below_thread();
}
static void platform(void)
{
	ops.early = by_pointer;
	ops.never_called = stored;
	ops.early();
	shared();
	ping();
	kthread_run(thread, 0);
	apic_kick(start_secondary);
}
void start_secondary(void) { }
void apic_kick(void *function)
{
	start_secondary();
}
struct x86_init_ops x86_init = { .hyper = { .init_platform = platform } };
"""
PATH = "arch/x86/kernel/platform.c"


def explain(name: str) -> FunctionAnswer:
    reasons = build_reasons(follow_window(link_files({**FILES, PATH: SOURCE}), load_tables()))
    assert reasons.end == "alternative_instructions"
    (answer,) = explain_function(reasons, name)
    return answer


def test_an_early_function_has_its_shortest_path_and_its_other_callers():
    answer = explain("shared")
    assert answer.early and answer.callers == 2
    assert [[step.function for step in path] for path in answer.paths] == [
        ["x86_64_start_kernel", "start_kernel", "setup_arch", "platform", "shared"],
        ["x86_64_start_kernel", "start_kernel", "setup_arch", "platform", "by_pointer", "shared"],
    ]
    assert [step.via for step in answer.paths[1]][3:] == [
        "x86_init.hyper.init_platform",
        "ops.early",
        "",
    ]
    assert str(answer.paths[0][-1].place) == f"{PATH}:27"


def test_a_path_does_not_lead_through_the_function_itself():
    answer = explain("ping")
    assert [path[-2].function for path in answer.paths] == ["platform"]


def test_an_entry_has_no_callers():
    answer = explain("x86_64_start_kernel")
    assert [[step.function for step in path] for path in answer.paths] == [["x86_64_start_kernel"]]


@pytest.mark.parametrize(
    ("name", "path", "obstacle"),
    [
        ("below_thread", ["arch_cpu_finalize_init", "after_alternatives"], Obstacle.AFTER),
        ("thread", ["platform"], Obstacle.DEFERRED),
        ("stored", ["platform"], Obstacle.UNUSED),
        ("in_initcall", [], Obstacle.REGISTERED),
        ("driver_open", [], Obstacle.UNUSED),
        ("start_secondary", ["platform"], Obstacle.LISTED),
    ],
)
def test_a_late_function_has_a_path_with_its_obstacle(name, path, obstacle):
    answer = explain(name)
    assert not answer.early
    (steps,) = answer.paths
    assert [step.function for step in steps] == [*path, name]
    assert [step.obstacle for step in steps if step.obstacle] == [obstacle]
    assert [step.early for step in steps][:1] == [bool(path)]


def test_an_unreachable_function_has_no_path():
    answer = explain("unreferenced")
    assert (answer.early, answer.paths) == (False, ())


def test_an_unknown_name_is_refused_with_the_nearest_one():
    with pytest.raises(RefusedError) as refused:
        explain("platfrom")
    assert refused.value.hint == "did you mean platform?"
    with pytest.raises(RefusedError, match=r"early code calls console_init\(\), but no file"):
        explain("console_init")


def test_each_late_hypercall_has_the_answer_for_its_function():
    reasons = build_reasons(follow_window(link_files({**FILES, PATH: SOURCE}), load_tables()))
    late = explain_late(reasons, audit_files({PATH: SOURCE}))
    assert [(site.function, answer and answer.paths) for site, answer in late] == [
        ("unreferenced", ())
    ]
