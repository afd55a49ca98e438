# SPDX-License-Identifier: GPL-2.0-or-later
"""Link a small kernel of the base and of the tip, boot both, and compare their logs.

Each is booted twice: unchanged, and with KVM's signature replaced by that of TCG, so that the
platform's init hooks run. patchgen/kernel/x86_boot.py describes what the emulation can show.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from patchgen.cachefile import Cache, make_key
from patchgen.kernel import (
    CONFIG_NEEDED,
    BootLog,
    BuildConfig,
    Builder,
    BuildError,
    build_config_fragment,
    build_initramfs,
    compare_logs,
    pretend_kvm,
    run_qemu,
)
from patchgen.kernel.x86 import FOLDER
from patchgen.model.base import Oid
from patchgen.model.build import BuildFailure
from patchgen.model.finding import Finding
from patchgen.odb import Checkout
from patchgen.scratch import scratch_folder
from patchgen.verify.build_files import NEEDED, PRODUCTS, prepare_scripts
from patchgen.verify.builds import Point
from patchgen.verify.judge import judge_base_failure

# NEEDED, and folders that are disabled in the small kernel except for files that makefiles name
# unconditionally.
_PATTERNS = (
    *NEEDED,
    "/drivers/",
    "!/drivers/gpu/drm/*/",
    "!/drivers/net/*/",
    "!/drivers/media/*/",
    "!/drivers/staging/*/",
    "/fs/",
    "/net/",
    "/sound/*",
    "Kconfig*",
    "Makefile*",
    "Kbuild*",
    "*.h",
    "!/drivers/gpu/drm/amd/include/",
    *(f"!{pattern}" for pattern in PRODUCTS),
)
# `on` is checked by name: kconfig silently drops an option with unmet dependencies.
_CONFIG = BuildConfig("boot", "x86_64", "allnoconfig", on=CONFIG_NEEDED)
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_FORMAT = re.compile(r"%[-+ #0-9.*lhzjt]*[a-zA-Z][a-zA-Z]*|\\n")


@dataclass(frozen=True, slots=True)
class Booted:
    """The result for one commit: the logs by kind of boot, or the failure to link it."""

    logs: dict[str, BootLog]
    failure: BuildFailure | None = None


@dataclass
class BootTrial:
    """The settings to boot the base and the tip. `diff` is the diff of the whole series.

    `variables` are make's, "NAME=VALUE".
    """

    checkout: Checkout
    jobs: int
    cache: Cache
    logs: Path
    diff: str
    variables: Sequence[str] = ()

    def run(self, base: Point, tip: Point, on_boot: Callable[[Oid], None]) -> Iterator[Finding]:
        """Boot base and tip, and yield the differences of the tip.

        If the base cannot be linked or does not boot, that is the only finding.
        """
        self.checkout.choose_files(_PATTERNS)
        with scratch_folder("boot") as folder:
            on_boot(base.commit)
            before = self._boot(folder, base)
            if before.failure is not None:
                yield judge_base_failure("boot", "", before.failure)
                return
            for kind, log in before.logs.items():
                if not log.reached_init:
                    yield Finding("boot", f"the base does not boot ({kind}): {_describe_last(log)}")
                    return
            on_boot(tip.commit)
            after = self._boot(folder, tip)
        if after.failure is not None:
            yield Finding(
                "boot", after.failure.text, tip.commit, after.failure.where, log=after.failure.log
            )
            return
        for kind, log in after.logs.items():
            yield from self._judge(tip.commit, kind, before.logs[kind], log)

    def _boot(self, folder: Path, point: Point) -> Booted:
        key = make_key("boot", point.tree, list(self.variables))
        if (cached := self.cache.find_one(dict[str, BootLog], key)) is not None:
            return Booted(cached)
        self.checkout.switch(point.commit)
        prepare_scripts(self.checkout)
        output = folder / "out"
        builder = Builder(
            self.checkout.folder, output, _CONFIG, jobs=self.jobs, variables=self.variables
        )
        fragment = folder / "fragment"
        kconfig = self.checkout.folder / f"{FOLDER}/Kconfig"
        fragment.write_text(build_config_fragment(kconfig.read_text(errors="replace")))
        try:
            builder.link(fragment, self.logs / f"{point.commit[:12]}-boot.log")
        except BuildError as err:
            return Booted({}, err.failure)
        initramfs = build_initramfs(folder)
        vmlinux = output / "vmlinux"
        logs = {"plain": run_qemu(vmlinux, initramfs)}
        if pretend_kvm(vmlinux, folder / "vmlinux-kvm"):
            logs["as a guest of KVM"] = run_qemu(folder / "vmlinux-kvm", initramfs)
        if not any(log.timed_out for log in logs.values()):
            self.cache.store_one(key, logs)
        return Booted(logs)

    def _judge(self, tip: Oid, kind: str, before: BootLog, after: BootLog) -> Iterator[Finding]:
        log = self.logs / f"{tip[:12]}-{kind.replace(' ', '-')}.dmesg"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("\n".join(after.lines) + "\n")
        if not after.reached_init:
            text = f"does not boot ({kind}): {_describe_last(after)}"
            yield Finding("boot", text, tip, log=log)
            return
        difference = compare_logs(before.lines, after.lines)
        for line in difference.gained:
            if line in after.trouble:
                yield Finding("boot", f"{kind}: {line}", tip, log=log)
            else:
                expected = _mentions(line, self.diff, "+")
                yield _report_difference(
                    f"{kind}: the tip prints: {line}", tip, log, expected=expected
                )
        for line in difference.lost:
            expected = _mentions(line, self.diff, "-")
            yield _report_difference(
                f"{kind}: the tip no longer prints: {line}", tip, log, expected=expected
            )


def _report_difference(text: str, tip: Oid, log: Path, *, expected: bool) -> Finding:
    """Return a finding, which is a failure unless the series explains the line."""
    return Finding("boot", text, tip, log=log, failure=not expected)


def _describe_last(log: BootLog) -> str:
    if log.trouble:
        return log.trouble[0]
    return f"the last line is {log.lines[-1]!r}" if log.lines else "it prints nothing"


def _mentions(line: str, diff: str, prefix: str) -> bool:
    """Return whether the series adds (+) or removes (-) a format string that prints this line."""
    for changed in diff.split("\n"):
        if changed.startswith(prefix) and not changed.startswith(prefix * 3):
            for string in _STRING.findall(changed):
                literals = [
                    literal for literal in _FORMAT.split(string) if len(literal.strip()) > 3
                ]
                if literals and all(literal.strip() in line for literal in literals):
                    return True
    return False
