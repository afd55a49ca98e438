# SPDX-License-Identifier: GPL-2.0-or-later
"""A call of a notifier chain runs the notifiers of that chain; sites below a panic are marked."""

from __future__ import annotations

import pytest

from tests.support.small_kernel import PATH, SITE, audit_files, early

# As in kernel/notifier.c and include/linux/notifier.h, reduced to what the tests need.
NOTIFIER = {
    "include/linux/notifier.h": "struct notifier_block {\n"
    "\tint (*notifier_call)(struct notifier_block *nb, unsigned long action, void *data);\n};\n",
    "kernel/notifier.c": """\
static int notifier_call_chain(struct notifier_block **nl, unsigned long val)
{
	struct notifier_block *nb = *nl;

	return nb->notifier_call(nb, val, 0);
}
int blocking_notifier_chain_register(struct head *nh, struct notifier_block *n)
{
	return notifier_chain_register(&nh->head, n);
}
int blocking_notifier_call_chain(struct head *nh, unsigned long val)
{
	return notifier_call_chain(&nh->head, val);
}
""",
}
BLOCK = """\
static int notify(struct notifier_block *nb, unsigned long action, void *data) { site(); }
static struct notifier_block block = { .notifier_call = notify };
static struct head mine, other;
static struct { struct notifier_block nb; } inner = { .nb = { .notifier_call = notify } };
int register_mine(struct notifier_block *nb)
{
	return blocking_notifier_chain_register(&mine, nb);
}
int register_of(struct device *dev, struct notifier_block *nb)
{
	return blocking_notifier_chain_register(&dev->events, nb);
}
"""
REGISTER = "blocking_notifier_chain_register"
CALL = "blocking_notifier_call_chain"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"{REGISTER}(&mine, &block); {CALL}(&mine, 1);", True),
        (f"{CALL}(&mine, 1); {REGISTER}(&mine, &block);", True),
        (f"{REGISTER}(&mine, &block); {CALL}(&other, 1);", False),
        (f"register_mine(&block); {CALL}(&mine, 1);", True),
        (f"register_mine(&block); {CALL}(&other, 1);", False),
        (f"register_of(dev, &block); {CALL}(&dev->events, 1);", True),
        (f"register_of(dev, &block); {CALL}(&dev->others, 1);", False),
        (f"{CALL}(&mine, 1);", False),
        (f"{REGISTER}(&mine, &block);", False),
        (f"{REGISTER}(&mine, &dev->nb); dev->nb.notifier_call = notify; {CALL}(&mine, 1);", True),
        (f"{REGISTER}(&mine, &dev->nb); dev->nb.notifier_call = notify; {CALL}(&other, 1);", False),
        (f"{REGISTER}(&mine, &dev->nb); {REGISTER}(&other, &block); {CALL}(&mine, 1);", False),
        (f"{REGISTER}(&mine, &inner.nb); {CALL}(&mine, 1);", True),
    ],
    ids=[
        "same chain",
        "same chain, called first",
        "other chain",
        "same chain by a function",
        "other chain by a function",
        "same member by a function",
        "other member by a function",
        "not registered",
        "not called",
        "unknown notifier",
        "unknown notifier of another chain",
        "unknown notifier, and one of another chain",
        "member of a variable",
    ],
)
def test_a_chain_runs_its_own_notifiers(body, expected):
    source = f"{BLOCK}void console_init(struct device *dev) {{ {body} }}\n"
    assert early(source, NOTIFIER) is expected


def test_a_chain_without_notifiers_is_not_listed_as_unresolved():
    source = f"{SITE}{BLOCK}void console_init(void) {{ {CALL}(&mine, 1); }}\n"
    vias = {pointer.via for pointer in audit_files({**NOTIFIER, PATH: source}).unresolved}
    assert not vias & {"mine", "nb.notifier_call"}


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ("panic();", True),
        ("vpanic();", True),
        ("panic(); stop();", False),
        ("stop();", False),
        ("report(); panic();", True),
    ],
)
def test_a_site_that_only_a_panic_reaches_is_marked(calls, expected):
    source = (
        f"{SITE}void stop(void) {{ site(); }}\nvoid panic(void) {{ stop(); }}\n"
        "void vpanic(void) { stop(); }\nvoid report(void) { }\n"
        f"void console_init(void) {{ {calls} }}\n"
    )
    (hypercall,) = audit_files({PATH: source}).early_hypercalls
    assert hypercall.stopping is expected


def test_a_late_site_does_not_panic():
    source = f"{SITE}void panic(void) {{ site(); }}\n"
    (hypercall,) = audit_files({PATH: source}).hypercalls
    assert (hypercall.early, hypercall.stopping) == (None, False)
