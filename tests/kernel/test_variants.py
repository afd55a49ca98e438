# SPDX-License-Identifier: GPL-2.0-or-later
"""All variants but pvops on Debian's 6.1 without the op, each verified as a user would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.checks import checkpatch
from tests.support.kernels import clone_bare
from tests.support.prepared import WITHOUT_OP as BASE

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel")]

# By variant: the patches that the base has, those that are made, and the functions that notify the
# host.
SERIES = {
    "sev-hypercall": (
        [],
        ["hypercall", "report", "sites"],
        {"__set_percpu_decrypted", "init_ghcb", "amd_enc_status_change_finish"},
    ),
    "vmmcall-default": (
        [],
        ["invert", "report", "sites"],
        {"__set_percpu_decrypted", "init_ghcb", "amd_enc_status_change_finish"},
    ),
    "x86-platform": (
        ["hooks"],
        ["hypercall", "report", "finish"],
        {"early_set_memory_and_notify", "amd_enc_status_change_finish"},
    ),
}


@pytest.mark.parametrize("variant", SERIES)
def test_the_series_on_6_1_without_the_op(variant, kernel_6_1, without_op, patchgen, tmp_path):
    present, missing, sites = SERIES[variant]
    args = ("--variant", variant, "--tree", without_op)
    output = tmp_path / "outgoing"
    result = patchgen("apply", *args, "--base", BASE, "--signoff", "--json", "-o", output)
    assert result.code == 0, result.err
    document = json.loads(result.out)
    statuses = [(patch["name"], patch["status"]) for patch in document["patches"]]
    assert statuses == [(n, "already there") for n in present] + [(n, "made") for n in missing]
    assert {call["function"] for call in document["cites"]["sites"]} == sites

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    for mail in document["mails"][1:]:
        assert checkpatch(kernel_6_1, Path(mail), scratch) == (0, 0, 0), mail

    branch = document["branch"]
    again = patchgen("apply", *args, "--base", branch)
    assert again.code == 0, again.err
    assert again.out.count("already there (arch/x86/") == len(present + missing)
    assert "patches are already in" in again.out

    configs = ("--config", "x86_64", "--config", "i386")
    checked = patchgen("verify", branch, "--base", BASE, "--tree", without_op, *configs)
    assert checked.code == 0, checked.out + checked.err


@pytest.mark.parametrize("version", ["kernel_6_1", "kernel_6_12"])
@pytest.mark.parametrize("variant", SERIES)
def test_a_kernel_that_reports_through_the_op_is_refused(
    variant, version, request, patchgen, git, tmp_path
):
    repository = clone_bare(request.getfixturevalue(version), tmp_path / "linux.git")
    refs = git(repository, "for-each-ref")
    result = patchgen("apply", "--variant", variant, "--tree", repository)
    assert (result.code, result.out) == (1, "")
    assert "the host must get each report only once" in result.err
    assert git(repository, "for-each-ref") == refs
