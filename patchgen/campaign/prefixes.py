# SPDX-License-Identifier: GPL-2.0-or-later
"""Choose the prefixes of subjects: those in the log of the files, else derived from folders."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import PurePosixPath

from patchgen.campaign.groups import PatchGroup
from patchgen.campaign.trees import History

# `net: ethernet: ` and `x86/kvm: `, not `Merge branch`, `Revert "..."` or a version.
_PREFIX = re.compile(r"^(?P<prefix>(?:[\w./,+*{}\[\]() -]{1,40}: ){1,4})\S")
# Folders that prefixes leave out: https://docs.kernel.org/process/submitting-patches.html asks for
# "subsystem or file", and these are neither.
_OMITTED_FOLDERS = frozenset({"drivers", "arch", "fs", "kernel", "tools", "include"})
# Top folders whose name is not a prefix of changes all over them.
_MANY_SUBSYSTEMS = frozenset({"arch", "drivers", "include", "tools"})
# Folders of headers of all subsystems.
_HEADER_FOLDERS = frozenset({"linux", "uapi", "asm-generic"})
# These names of folders do not appear in prefixes.
_GENERIC_FOLDERS = frozenset(
    {"busses", "clients", "common", "core", "drivers", "host", "kernel", "lib", "platforms", "src"}
)
_MAX_PARTS = 3
# The log of more files would be that of the first ones (campaign/trees.py).
_MAX_LOG_FILES = 50
_MAX_JOINED = 3
TREEWIDE = "treewide: "
# Prefixes in the log of Linux 6.1 to 6.12 that are not the folder's name. A slash at the end joins
# the names of the folders below: drm/i915.
_CONVENTIONS = {
    "arch/arm": "ARM",
    "arch/mips": "MIPS",
    "arch/um": "um",
    "block": "block",
    "drivers/accel": "accel/",
    "drivers/acpi": "ACPI",
    "drivers/ata": "ata",
    "drivers/base": "driver core",
    "drivers/base/power": "PM",
    "drivers/block": "block",
    "drivers/bluetooth": "Bluetooth",
    "drivers/char/hw_random": "hwrng",
    "drivers/char/ipmi": "ipmi",
    "drivers/char/tpm": "tpm",
    "drivers/dma": "dmaengine",
    "drivers/gpu/drm": "drm/",
    "drivers/hid": "HID",
    "drivers/infiniband": "RDMA",
    "drivers/infiniband/hw": "RDMA/",
    "drivers/infiniband/ulp": "RDMA/",
    "drivers/input": "Input",
    "drivers/isdn": "mISDN",
    "drivers/media": "media",
    "drivers/net/can": "can",
    "drivers/net/wireless": "wifi",
    "drivers/opp": "OPP",
    "drivers/pci": "PCI",
    "drivers/s390": "s390/",
    "drivers/staging/media": "media",
    "drivers/target": "scsi: target",
    "drivers/usb": "usb",
    "drivers/video/fbdev": "fbdev",
    "kernel/bpf": "bpf",
    "kernel/rcu": "rcu",
    "mm": "mm",
    "net/bluetooth": "Bluetooth",
    "net/can": "can",
    "net/mac80211": "wifi: mac80211",
    "net/netfilter": "netfilter",
    "net/sunrpc": "SUNRPC",
    "net/wireless": "wifi",
    "net/xfrm": "xfrm",
    "security": "security",
    "security/keys": "KEYS",
    "sound": "ALSA",
    "sound/soc": "ASoC",
    "virt/kvm": "KVM",
}


@dataclass(frozen=True, slots=True)
class SubjectStyle:
    """How subjects begin: a prefix with a space at its end, and a lower-case letter after it."""

    prefix: str
    is_lower: bool = False

    def apply(self, summary: str) -> str:
        """Return a summary with its first letter in the usual case."""
        word = summary.partition(" ")[0]
        if self.is_lower and word[:1].isupper() and word[1:].islower() and word.isalpha():
            return summary[:1].lower() + summary[1:]
        return summary


def learn_style(history: History, group: PatchGroup) -> SubjectStyle:
    """Return the style of most of the last commits to a group's files.

    If the log has no common prefix (a tree without history, new files), it is derived from the
    folders.
    """
    if group.is_leftover:
        return SubjectStyle(TREEWIDE)
    subjects = [entry.subject for entry in history.read(group.paths)]
    prefix = find_common_prefix(subjects) or derive_prefix(
        group.paths, is_one_tree=group.tree is not None
    )
    return SubjectStyle(prefix, are_mostly_lower(subjects))


def find_prefix(history: History, paths: Sequence[PurePosixPath]) -> str:
    """Return the prefix of subjects for files whose changes are not divided into patches.

    It is that of the log only if the files are of one subsystem: others may have fewer commits.
    """
    derived = derive_prefix(paths)
    is_related = derived != TREEWIDE or len({path.parent for path in paths}) == 1
    is_read = is_related and len(paths) <= _MAX_LOG_FILES
    subjects = [entry.subject for entry in history.read(paths)] if is_read else []
    return find_common_prefix(subjects) or derived


def are_mostly_lower(subjects: Sequence[str]) -> bool:
    """Return whether most subjects with a prefix continue in lower case after it."""
    texts = [match.string[match.end() - 1 :] for match in map(_PREFIX.match, subjects) if match]
    lower = sum(1 for text in texts if text[:1].islower())
    return 2 * lower > len(texts)


def find_common_prefix(subjects: Sequence[str]) -> str:
    """Return the prefix that more than half of the subjects begin with, "" if there is none.

    If many of those share a longer prefix, that is returned: `net: phy: ` rather than `net: `.
    """
    prefixes = [match["prefix"] for subject in subjects if (match := _PREFIX.match(subject))]
    prefix = ""
    while True:
        longer = Counter(
            prefix + rest.partition(": ")[0] + ": "
            for candidate in prefixes
            if candidate.startswith(prefix) and ": " in (rest := candidate[len(prefix) :])
        )
        if not longer:
            return prefix
        best, count = min(longer.items(), key=lambda item: (-item[1], item[0]))
        # A single commit is not a convention, unless the file has no others.
        if 2 * count <= len(subjects) or (count < 2 and len(subjects) > 1):
            return prefix
        prefix = best


def find_shared_prefix(prefixes: Sequence[str]) -> str:
    """Return the longest prefix with which all prefixes begin: `net: ` for `net: phy: ` as well.

    Folders count, too: `drm/i915: ` and `drm/amd: ` share `drm: `. It is `treewide: ` if they share
    nothing.
    """
    for end, separator in ((r": ", ": "), (r"/|: ", "/")):
        split = [re.split(end, prefix.removesuffix(": ")) for prefix in prefixes]
        shared = [parts[0] for parts in takewhile(_are_equal, zip(*split, strict=False))]
        if any(shared):
            return f"{separator.join(shared)}: "
    return TREEWIDE


def _are_equal(texts: Sequence[str]) -> bool:
    return len(set(texts)) == 1


def derive_prefix(paths: Sequence[PurePosixPath], *, is_one_tree: bool = False) -> str:
    """Return a prefix as in most of the tree: the deepest that all files have in common.

    Without one, and if one git tree takes the patch, it is that of most files, or a list of a few.
    It is never the name of the git tree, which may be a person's. For other files, it is that of
    their top folder.
    """
    all_prefixes = [list_prefixes(path) for path in paths]
    common = ""
    for candidates in zip(*all_prefixes, strict=False):
        if len(set(candidates)) > 1:
            break
        common = candidates[0]
    if common:
        return f"{common}: "
    counts = Counter(prefixes[0] for prefixes in all_prefixes if prefixes)
    if not is_one_tree or not counts:
        return _name_top_folder(paths)
    [(prefix, number)] = counts.most_common(1)
    if 2 * number > len(paths):
        return f"{prefix}: "
    few = len(counts) <= _MAX_JOINED and counts.total() == len(paths)
    return f"{', '.join(counts)}: " if few else TREEWIDE


def _name_top_folder(paths: Sequence[PurePosixPath]) -> str:
    """Return the prefix of the only top folder of files: `net: `; `treewide: ` if it has none."""
    tops = {path.parts[0] for path in paths if len(path.parts) > 1}
    if len(tops) != 1 or any(len(path.parts) == 1 for path in paths):
        return TREEWIDE
    [top] = tops
    return TREEWIDE if top in _MANY_SUBSYSTEMS else f"{_CONVENTIONS.get(top, top)}: "


def list_prefixes(path: PurePosixPath) -> list[str]:
    """Return the prefixes for a file, the shortest first; none for one at the top of the tree."""
    folder = path.parent
    if folder.parts[:1] == ("include",):
        below = [part for part in folder.parts[1:] if part not in _HEADER_FOLDERS]
        return list(_extend(below[0] if below else path.stem, below[1:], ": "))[:_MAX_PARTS]
    return list(dict.fromkeys(_list_prefixes(folder, path.stem)))[:_MAX_PARTS]


def _list_prefixes(folder: PurePosixPath, stem: str) -> Iterator[str]:
    parts = folder.parts
    for length in range(len(parts), 0, -1):
        convention = _CONVENTIONS.get("/".join(parts[:length]))
        if convention:
            yield convention.rstrip("/").partition(":")[0]
            separator = "/" if convention.endswith("/") else ": "
            yield from _extend(convention.rstrip("/"), parts[length:], separator)
            return
    if len(parts) == 1 and parts[0] in _OMITTED_FOLDERS:
        yield stem
    elif parts[:1] == ("arch",) and len(parts) > 1:
        yield from _extend(parts[1], parts[2:3], "/")
    elif parts:
        named = parts[1:] if parts[0] in _OMITTED_FOLDERS else parts
        yield from _extend(named[0], named[1:], ": ")


def _extend(prefix: str, folders: Sequence[str], separator: str) -> Iterator[str]:
    """Yield a prefix, and the prefixes with the names of the folders below."""
    yield prefix
    for folder in takewhile(lambda name: name not in _GENERIC_FOLDERS, folders):
        prefix += separator + folder
        yield prefix
