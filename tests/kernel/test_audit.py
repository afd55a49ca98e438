# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen audit` on Debian's kernels: the hypercalls and changes that the thread discusses."""

from __future__ import annotations

import json

import pytest

from tests.support.prepared import WITHOUT_OP

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-read")]

PERCPU = {"apf_reason", "steal_time", "kvm_apic_eoi"}
# The parser may lose what it lost when this was written, and no more.
MAX_LOST = 8


def audit(patchgen, tree, *args: str) -> dict:
    result = patchgen("audit", "--tree", tree, "--json", *args)
    assert result.code == 0, result.err
    return json.loads(result.out)


def early(document: dict, group: str) -> set[tuple[str, str]]:
    return {
        (site["function"], site["call"])
        for site in document["hypercalls"]
        if site["early"] and site["group"] == group
    }


def changes(document: dict) -> dict[str, list[dict]]:
    by_function: dict[str, list[dict]] = {}
    for change in document["changes"]:
        if change["early"]:
            by_function.setdefault(change["function"], []).append(change)
    return by_function


@pytest.mark.parametrize("version", ["6_1", "6_12"])
def test_an_audit_finds_the_routed_and_the_other_sites(version, request, patchgen):
    document = audit(patchgen, request.getfixturevalue(f"kernel_{version}"))
    spine = [step["function"] for step in document["window"]["spine"]]
    assert spine[-2:] == ["arch_cpu_finalize_init", "alternative_instructions"]
    assert len(document["coverage"]["lost"]) <= MAX_LOST

    # The loop over e820 calls the hypervisor itself; all others go through the op.
    unrouted = early(document, "unrouted")
    assert ("kvm_init_platform", "kvm_sev_hypercall3") in unrouted
    assert early(document, "routed") == {("kvm_sev_hc_page_enc_status", "kvm_sev_hypercall3")}
    (site,) = [s for s in document["hypercalls"] if s["function"] == "kvm_init_platform"]
    assert site["purpose"] == "KVM_HC_MAP_GPA_RANGE"
    via = [step["via"] for step in site["early"]["steps"]]
    assert via[-1] == "x86_init.hyper.init_platform"
    # The callers are the sites: each has a leaf of its own.
    assert ("handle_cpuid", "__tdx_hypercall") in early(document, "own")
    functions = {site["function"] for site in document["hypercalls"] if site["group"] == "own"}
    assert "sev_es_terminate" in functions

    requests = changes(document)
    pages = {change["pages"] for change in requests["sev_map_percpu_data"]}
    assert pages == {f"&per_cpu({name}, cpu)" for name in PERCPU}
    # Only SEV-ES guests have a GHCB.
    for function, platform in (("sev_map_percpu_data", "SEV"), ("init_ghcb", "SEV-ES/SNP")):
        for change in requests[function]:
            assert change["routed"]
            assert platform in {p for notifier in change["tellers"] for p in notifier["platforms"]}


def test_a_series_routes_the_silent_requests(without_op, patchgen, tmp_path):
    args = ("--variant", "pvops", "--tree", without_op, "--base", WITHOUT_OP, "--audit")
    result = patchgen("apply", *args, "--branch", "post", "-o", tmp_path / "mails")
    assert result.code == 0, result.err
    (cover,) = (tmp_path / "mails").glob("v4-0000-*")
    text = " ".join(cover.read_text().split())
    # On the base, SEV-ES/SNP guests already report early changes to the firmware.
    where = "only on some of the platforms on which they run"
    assert f"On the base, 4 of 6 notify the hypervisor {where}." in text
    assert "The series routes 6 of these places through the op." in text
    assert "With the series, 6 of 6 go through the op, and each notifies the hypervisor" in text

    before = changes(audit(patchgen, without_op, "--rev", WITHOUT_OP))
    after = changes(audit(patchgen, without_op, "--rev", "post"))
    assert all(request["tellers"] for requests in after.values() for request in requests)
    for name in ("sev_map_percpu_data", "init_ghcb"):
        assert not any(request["routed"] for request in before[name])
        assert all(request["routed"] for request in after[name])
    result = patchgen("audit", "--tree", without_op, "--diff", f"{WITHOUT_OP}..post")
    assert "routed now: 6" in result.out
