# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen audit` on Debian's kernels: what the thread is about, found in code as it is."""

from __future__ import annotations

import json

import pytest

from tests.support.prepared import WITHOUT_OP

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-read")]

PERCPU = {"apf_reason", "steal_time", "kvm_apic_eoi"}
# The parser may lose what it lost when this was written, and no more.
MOST_LOST = 8


def audit(patchgen, tree, *words: str) -> dict:
    done = patchgen("audit", "--tree", tree, "--json", *words)
    assert done.code == 0, done.err
    return json.loads(done.out)


def early(document: dict, group: str) -> set[tuple[str, str]]:
    return {
        (site["function"], site["call"])
        for site in document["hypercalls"]
        if site["early"] and site["group"] == group
    }


def changes(document: dict) -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = {}
    for each in document["changes"]:
        if each["early"]:
            found.setdefault(each["function"], []).append(each)
    return found


@pytest.mark.parametrize("version", ["6_1", "6_12"])
def test_finds_what_is_routed_and_what_is_not(version, request, patchgen):
    document = audit(patchgen, request.getfixturevalue(f"kernel_{version}"))
    spine = [step["function"] for step in document["window"]["spine"]]
    assert spine[-2:] == ["arch_cpu_finalize_init", "alternative_instructions"]
    assert len(document["coverage"]["lost"]) <= MOST_LOST

    # The loop over e820 calls the hypervisor itself; all others go through the op.
    unrouted = early(document, "unrouted")
    assert ("kvm_init_platform", "kvm_sev_hypercall3") in unrouted
    assert early(document, "routed") == {("kvm_sev_hc_page_enc_status", "kvm_sev_hypercall3")}
    (site,) = [s for s in document["hypercalls"] if s["function"] == "kvm_init_platform"]
    assert site["purpose"] == "KVM_HC_MAP_GPA_RANGE"
    via = [step["via"] for step in site["early"]["steps"]]
    assert via[-1] == "x86_init.hyper.init_platform"
    if version == "6_12":
        assert ("__tdx_hypercall", "__tdcall_saved_ret") in early(document, "own")
    functions = {site["function"] for site in document["hypercalls"] if site["group"] == "own"}
    assert "sev_es_terminate" in functions

    asked = changes(document)
    found = {each["pages"] for each in asked["sev_map_percpu_data"]}
    assert found == {f"&per_cpu({name}, cpu)" for name in PERCPU}
    # Only SEV-ES guests have a GHCB.
    for function, platform in (("sev_map_percpu_data", "SEV"), ("init_ghcb", "SEV-ES/SNP")):
        for each in asked[function]:
            assert each["routed"]
            assert platform in {p for teller in each["tellers"] for p in teller["platforms"]}


def test_a_series_routes_what_told_nobody(without_op, patchgen, tmp_path):
    words = ("--variant", "pvops", "--tree", without_op, "--base", WITHOUT_OP, "--audit")
    done = patchgen("apply", *words, "--branch", "post", "-o", tmp_path / "mails")
    assert done.code == 0, done.err
    (cover,) = (tmp_path / "mails").glob("v4-0000-*")
    text = " ".join(cover.read_text().split())
    # SEV-ES/SNP guests tell the firmware of early changes on the base, too.
    where = "only on some of the platforms on which they run"
    assert f"On the base, 4 of 6 tell the hypervisor {where}." in text
    assert "The series routes 6 of these places through the op." in text
    assert "With the series, 6 of 6 go through the op, and each tells the hypervisor" in text

    before = changes(audit(patchgen, without_op, "--rev", WITHOUT_OP))
    after = changes(audit(patchgen, without_op, "--rev", "post"))
    assert all(each["tellers"] for found in after.values() for each in found)
    for name in ("sev_map_percpu_data", "init_ghcb"):
        assert not any(each["routed"] for each in before[name])
        assert all(each["routed"] for each in after[name])
    done = patchgen("audit", "--tree", without_op, "--diff", f"{WITHOUT_OP}..post")
    assert "routed now: 6" in done.out
