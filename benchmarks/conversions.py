# SPDX-License-Identifier: GPL-2.0-or-later
"""The conversions that replay.py compares with mainline's."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Conversion:
    """What mainline converted between two kernels: lines with `old`, into lines with `new`.

    Both are extended regular expressions, and a line with `old` is not converted, whatever else it
    has. Without `new`, the lines were removed. `further` is what mainline made of the converted
    lines since, in some files.
    """

    recipe: str
    old: str
    new: str = ""
    further: str = ""
    later: bool = False


# `later` are the conversions from 6.12 to the kernel of --newest.
CONVERSIONS = (
    Conversion(
        "class-create", r"\<class_create\(THIS_MODULE", r"\<class_create\(", r"\<class_register\("
    ),
    Conversion("eventfd-signal", r"\<eventfd_signal\(.*, 1\)", r"\<eventfd_signal\("),
    Conversion("fd-file", r"\<(f|src|dst|fd)\.file\>", r"\<fd_file\("),
    Conversion("i2c-probe", r"\.probe_new\>", r"\.probe\>"),
    Conversion("ida-alloc", r"\<ida_simple_(get|remove)\(", r"\<ida_(alloc|free)\w*\("),
    Conversion(
        "iommu-map-gfp", r"\<iommu_map(_sg)?(_atomic)?\([^G]*$", r"\<iommu_map(_sg)?\(.*GFP_"
    ),
    Conversion("kfree-rcu-mightsleep", r"\<kv?free_rcu\([^,]*\);", r"\<kv?free_rcu_mightsleep\("),
    Conversion("kstrtobool", r"\<strtobool\(", r"\<kstrtobool\("),
    Conversion("no-llseek", r"\.llseek\s*=\s*no_llseek"),
    Conversion("pcie-error-reporting", r"\<pci_(en|dis)able_pcie_error_reporting\("),
    Conversion("random-below", r"\<prandom_u32_max\(", r"\<get_random_u32_below\("),
    Conversion(
        "snd-soc-rtd",
        r"\<asoc_(rtd_to_(cpu|codec)|substream_to_rtd)\(",
        r"\<snd_soc_(rtd_to_(cpu|codec)|substream_to_rtd)\(",
    ),
    Conversion("strscpy", r"\<strlcpy\(", r"\<strscpy\("),
    Conversion("u64-stats-fetch", r"\<u64_stats_fetch_\w+_irq\(", r"\<u64_stats_fetch_\w+\("),
    Conversion("unaligned-header", r"<asm/unaligned\.h>", r"<linux/unaligned\.h>"),
    Conversion("vm-flags", r"->vm_flags (\||&)= ", r"\<vm_flags_(set|clear|mod)\("),
    Conversion("hrtimer-setup", r"\<hrtimer_init\(", r"\<hrtimer_setup\(", later=True),
    Conversion("remove-new", r"\.remove_new\>", r"\.remove\>", later=True),
    Conversion("timer-container-of", r"\<from_timer\(", r"\<timer_container_of\(", later=True),
    Conversion(
        "timer-delete",
        r"\<del_(singleshot_)?timer(_sync)?\(",
        r"\<timer_delete(_sync)?\(",
        later=True,
    ),
    Conversion(
        "timer-delete-sync-try",
        r"\<try_to_del_timer_sync\(",
        r"\<timer_delete_sync_try\(",
        later=True,
    ),
)


def to_words(pattern: str) -> str:
    """Return what a regular expression of a word and its parenthesis matches."""
    return re.sub(r"\\[<>]?", "", pattern) + ")"


def to_python(pattern: str) -> str:
    """Return an extended regular expression of git's as one of Python's."""
    return pattern.replace(r"\<", r"\b").replace(r"\>", r"\b")
