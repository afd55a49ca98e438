# SPDX-License-Identifier: GPL-2.0-or-later
"""The parameters of `patchgen verify`, and the configurations to build."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from patchgen.errors import UsageError
from patchgen.kernel import (
    CONFIGS,
    BuildConfig,
    check_build_tools,
    check_make_variables,
    find_arch,
    find_config,
    find_cross_config,
    find_qemu,
)
from patchgen.verify.checked_series import CheckedSeries
from patchgen.verify.judge import claims_no_change

# Folders whose files defconfig leaves out for the most part, and allmodconfig builds.
_MODULE_FOLDERS = frozenset({"crypto", "drivers", "fs", "net", "samples", "sound"})
CHECKS = ("lint", "checkpatch", "am", "sections", "build", "code")


@dataclass(frozen=True, slots=True)
class VerifyRequest:
    """The parameters of `patchgen verify`.

    `series` is a branch, a range, a folder of mails or an mbox; None is the current branch. `start`
    is the commit below its first patch, None if the series shows it. `configs` are names; if empty,
    choose_configs() selects them. `folders` are built whole. `skip` are names of CHECKS; with
    `optional`, checkpatch is also skipped if the base does not have the script. `boot` links and
    boots a small kernel of the base and of the tip. `record` writes the passed checks into the
    series' cover letter. `make_variables` are "NAME=VALUE" for make's command line.
    """

    tree: Path
    series: str | None = None
    start: str | None = None
    configs: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    optional: bool = False
    against: str | None = None
    boot: bool = False
    record: bool = False
    make_variables: tuple[str, ...] = ()
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)


def read_configs(request: VerifyRequest) -> list[BuildConfig]:
    """Return the configurations that the user named.

    Raises UsageError for invalid parameters, ToolError if a required program is missing.
    """
    for name in request.skip:
        if name not in CHECKS:
            raise UsageError(
                f"unknown check {name!r}",
                code="name-unknown",
                hint=f"the checks are {', '.join(CHECKS)}",
                parameters=("skip",),
            )
    check_make_variables(request.make_variables)
    configs = [find_config(name) for name in dict.fromkeys(request.configs)]
    if "build" not in request.skip or request.boot:
        check_build_tools()
    if request.boot:
        find_qemu()
    return configs


def choose_configs(target: CheckedSeries) -> list[BuildConfig]:
    """Return the configurations for a series: those of guests, or allmodconfig.

    The configurations of guests build few files of the folders that have mostly modules. A campaign
    changes files of all subsystems. For files of other architectures, allmodconfig of those with an
    installed compiler is added. The machine code of allmodconfig cannot be compared, so a claim of
    no functional change needs the first configuration of guests.
    """
    claims = any(claims_no_change(commit.message) for commit in target.commits)
    is_campaign = target.record is not None and target.record.split
    files = {file for commit in target.commits for file in commit.files}
    archs = sorted({arch for file in files if (arch := find_arch(file)) is not None})
    are_modules = all(file.parts[0] in _MODULE_FOLDERS or find_arch(file) for file in files)
    if not is_campaign and not are_modules:
        configs = list(CONFIGS)
    else:
        configs = [*([CONFIGS[0]] if claims else []), find_config("allmodconfig")]
    return [*configs, *filter(None, map(find_cross_config, archs))]
