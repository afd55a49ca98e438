# SPDX-License-Identifier: GPL-2.0-or-later
"""Early hypercalls found by reading four kernels, compared with those of `patchgen audit`.

The answers are in tests/data/audit/known-*.toml; none of them comes from the audit. In each table:

- hypercall: all sites in `function` of `file`, of those with `purpose` if it is given; `forms` are
  the forms that occur, `count` the number of sites.
- change: all changes in `function`, of those with `pages` in the argument; `means` are those of
  notification, among others; it is empty if the hypervisor is not notified.
- function: whether the window has it.

`early` is whether the window reaches it; `reason` is the evidence.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.support.audits import audit_kernel

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-read")]

ANSWERS = Path(__file__).parents[1] / "data" / "audit"
KNOWN = {
    version: tomllib.loads((ANSWERS / f"known-{version}.toml").read_text())
    for version in ("5.15", "6.1", "6.12", "7.1")
}
# Debian 12 has packages of 6.1 and 6.12 only. The environment is read before a test seals it.
VARIABLES = {version: f"PATCHGEN_LINUX_{version.replace('.', '_')}" for version in ("5.15", "7.1")}
TREES = {version: os.environ.get(variable) for version, variable in VARIABLES.items()}


def cases(kind: str) -> list[Any]:
    return [
        pytest.param(version, answer, id=f"{version}-{answer['name']}")
        for version, table in KNOWN.items()
        for answer in table[kind]
    ]


@pytest.fixture
def audit(version: str, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the audit of a version, with all branches of its code."""
    if version not in VARIABLES:
        return audit_kernel(request.getfixturevalue(f"kernel_{version.replace('.', '_')}"))
    tree = TREES[version]
    if not tree:
        pytest.skip(f"KERNEL TEST NOT RUN: set {VARIABLES[version]} to a git tree of v{version}")
    return audit_kernel(Path(tree))


@pytest.mark.parametrize("version", KNOWN)
def test_the_window(audit, version):
    table = KNOWN[version]
    spine = [step["function"] for step in audit["window"]["spine"]]
    assert spine == [*table["spine"], "alternative_instructions"]
    member = "pv_ops.mmu.notify_page_enc_status_changed"
    assert (audit["notify"] or {}).get("member") == (member if table["op"] else None)
    assert audit["coverage"]["lost"] == []


@pytest.mark.parametrize("version", KNOWN)
def test_some_known_answers_are_early_and_some_late(version):
    table = KNOWN[version]
    answers = [a for kind in ("hypercall", "change", "function") for a in table[kind]]
    fewest = 60 if version == "7.1" else 20
    assert len({answer["name"] for answer in answers}) == len(answers) >= fewest
    assert min(sum(a["early"] is early for a in answers) for early in (True, False)) >= 8
    assert all(answer["reason"] for answer in answers)


@pytest.mark.parametrize(("version", "answer"), cases("hypercall"))
def test_hypercalls(audit, answer):
    sites = [
        site
        for site in find(audit["hypercalls"], answer)
        if site["purpose"] == answer.get("purpose", site["purpose"])
    ]
    assert sites, "the audit does not list the site"
    if "forms" in answer:
        assert {site["instruction"]["form"] for site in sites} == set(answer["forms"])
    if "hypervisor" in answer:
        assert {site["instruction"]["hypervisor"] for site in sites} == {answer["hypervisor"]}
    if "count" in answer:
        assert len({site["place"] for site in sites}) == answer["count"]
    check_early(sites, answer)
    if "routed" in answer:
        assert {site["routed"] for site in sites} == {answer["routed"]}, answer["reason"]


@pytest.mark.parametrize(("version", "answer"), cases("change"))
def test_changes_of_page_status(audit, answer):
    sites = [
        site
        for site in find(audit["changes"], answer)
        if answer.get("pages", "") in site["pages"] and site["to"] == answer.get("to", site["to"])
    ]
    assert sites, "the audit does not list the site"
    check_early(sites, answer)
    for site in sites:
        means = {notifier["means"] for notifier in site["tellers"]}
        if answer["means"]:
            assert set(answer["means"]) <= means, answer["reason"]
        else:
            assert means == set(), answer["reason"]


@pytest.mark.parametrize(("version", "answer"), cases("function"))
def test_functions(audit, answer):
    early = audit["window"]["functions"].get(answer["file"], [])
    assert (answer["function"] in early) == answer["early"], answer["reason"]


def find(sites: list[dict[str, Any]], answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the sites in a function of a file."""
    return [
        site
        for site in sites
        if site["function"] == answer["function"]
        and site["place"].rpartition(":")[0] == answer["file"]
    ]


def check_early(sites: list[dict[str, Any]], answer: dict[str, Any]) -> None:
    for site in sites:
        steps = [step["function"] for step in (site["early"] or {}).get("steps", [])]
        assert bool(steps) == answer["early"], (" > ".join(steps), answer["reason"])
