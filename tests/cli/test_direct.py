# SPDX-License-Identifier: GPL-2.0-or-later
"""pvops on bases that make the SEV hypercall outside of the op's callback, too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Patchgen

INSTALL = "\tpv_ops.mmu.notify_page_enc_status_changed = kvm_sev_notify_enc_status;\n"
ENCRYPTED = "KVM_MAP_GPA_RANGE_ENCRYPTED | KVM_MAP_GPA_RANGE_PAGE_SZ_4K"
CALL = f"kvm_sev_hypercall3(KVM_HC_MAP_GPA_RANGE, addr, nr, {ENCRYPTED});\n"
LOOP = f"\tfor (i = 0; i < 9; i++) {{\n\t\tif (!nr)\n\t\t\tcontinue;\n\t\t{CALL}\t}}\n"
DECRYPTED = "KVM_MAP_GPA_RANGE_PAGE_SZ_4K | KVM_MAP_GPA_RANGE_DECRYPTED"
STATUS = "KVM_MAP_GPA_RANGE_ENC_STAT(!i) | KVM_MAP_GPA_RANGE_PAGE_SZ_4K"

ROUTED = {
    "in a loop": (INSTALL + LOOP, "kvm_sev_notify_gpa_range(addr, nr, true);"),
    "decrypted": (
        INSTALL + "\t" + CALL.replace(ENCRYPTED, DECRYPTED),
        "kvm_sev_notify_gpa_range(addr, nr, false);",
    ),
    "either": (
        INSTALL + "\t" + CALL.replace(ENCRYPTED, STATUS),
        "kvm_sev_notify_gpa_range(addr, nr, !i);",
    ),
    "installed on both ways": (
        "\tif (nr)\n\t" + INSTALL + "\telse\n\t" + INSTALL + "\t" + CALL,
        "kvm_sev_notify_gpa_range(addr, nr, true);",
    ),
}
UNSURE = "not shown to be what the op would do"
STAYS = {
    "before the callback is there": (LOOP + INSTALL, UNSURE),
    "maybe before the callback is there": ("\tif (nr)\n\t" + INSTALL + LOOP, UNSURE),
    "its result is used": (INSTALL + "\tnr = " + CALL, UNSURE),
    "other pages": (INSTALL + "\t" + CALL.replace("_4K", "_2M"), UNSURE),
    "another hypercall": (
        INSTALL + "\tkvm_sev_hypercall3(KVM_HC_KICK_CPU, addr, nr, 0);\n",
        "changes no encryption status",
    ),
}


@pytest.fixture
def base(toy, patchgen, git) -> Path:
    """The toy tree with the op and its SEV callback, and nothing in the open so far."""
    done = patchgen("apply", "--variant", "pvops", "--tree", toy, "--branch", "made")
    assert done.code == 0, done.err
    git(toy, "checkout", "-q", "made")
    return toy


def apply(patchgen: Patchgen, base: Path, git, code: str) -> dict:
    source = base / "arch/x86/kernel/kvm.c"
    assert INSTALL in source.read_text()
    source.write_text(source.read_text().replace(INSTALL, code))
    git(base, "commit", "-q", "-a", "-m", "in the open")
    done = patchgen(
        "apply", "--variant", "pvops", "--tree", base, "--json", "--force", "-o", base / "out"
    )
    assert done.code == 0, done.err
    return json.loads(done.out)


@pytest.mark.parametrize(("code", "call"), ROUTED.values(), ids=ROUTED)
def test_routes_what_the_op_would_do(patchgen, base, git, code, call):
    document = apply(patchgen, base, git, code)
    assert [p["name"] for p in document["patches"] if p["status"] == "made"] == ["direct"]
    source = git(base, "show", "patchgen/pvops-v4:arch/x86/kernel/kvm.c")
    assert call in source
    assert source.count("kvm_sev_hypercall3(") == 1
    [stays] = document["cites"]["direct"]
    assert stays["function"] == "kvm_sev_notify_enc_status"
    assert stays["reason"] == "it is what the op calls"
    message = git(base, "show", "-s", "--format=%B", "patchgen/pvops-v4")
    assert "kvm_sev_init_platform() makes the hypercall in the open. " in " ".join(message.split())


@pytest.mark.parametrize(("code", "reason"), STAYS.values(), ids=STAYS)
def test_leaves_and_reports_the_others(patchgen, base, git, code, reason):
    document = apply(patchgen, base, git, code)
    assert document["tip"] is None
    assert "direct" not in [p["name"] for p in document["patches"]]
    [_, other] = document["cites"]["direct"]
    assert other["function"] == "kvm_sev_init_platform"
    assert other["reason"].startswith(reason)
    done = patchgen("apply", "--variant", "pvops", "--tree", base)
    assert f"    {other['site']} kvm_sev_init_platform(): {other['reason']}\n" in done.out
