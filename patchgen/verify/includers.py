# SPDX-License-Identifier: GPL-2.0-or-later
"""Build changed headers by way of files that include them.

A compiler reads a header only as part of a source file. If no changed file makes it read a changed
header, some unchanged files that include the header are built, too.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from pathlib import PurePosixPath

from patchgen.kernel import BuildConfig, Builder, find_arch
from patchgen.model.base import Oid
from patchgen.odb import Checkout, GitTree, open_tree

# The .c and .S files that include each header, the nearest one first.
Includers = Mapping[PurePosixPath, Sequence[PurePosixPath]]

_SOURCES = ("*.c", "*.S")
_INCLUDE = re.compile(r'\s*#\s*include\s*(?P<quote>[<"])(?P<name>[^>"]+)[>"]')
# Thousands of files include some headers. At most _MAX_BUILT of them are built in a configuration.
# They are chosen from the nearest _MAX_FOLDERS folders, because the makefiles of each are read.
_MAX_BUILT = 8
_MAX_FOLDERS = 40


def find_includers(checkout: Checkout, base: Oid, files: Iterable[PurePosixPath]) -> Includers:
    """Return the .c and .S files of a commit that include the headers among `files`.

    They include a header directly, or through another header if no file includes it directly. A
    header that one of the `files` includes is left out: that file is built anyway.
    """
    tree = open_tree(checkout, base)
    headers = {file for file in files if file.suffix == ".h" and tree.get(str(file)) is not None}
    sources = [f":(literal){file}" for file in files if file.suffix in (".c", ".S")]
    if sources:
        headers -= _search(checkout, base, tree, headers, sources).keys()
    # Headers outside of include folders are mostly for their own folder, which is searched a
    # hundred times faster than all folders.
    private = {header for header in headers if "include" not in header.parts}
    folders = sorted({str(header.parent) for header in private} - {"."})
    nearby = [f":(glob){folder}/**/{name}" for folder in folders for name in _SOURCES]
    includers = _search(checkout, base, tree, private, nearby) if nearby else {}
    includers |= _search(checkout, base, tree, headers - includers.keys(), _SOURCES)
    # Most files include <asm/kvm_host.h> through <linux/kvm_host.h>.
    parents = _search(checkout, base, tree, headers - includers.keys(), ("*.h",))
    above = _search(checkout, base, tree, set(chain(*parents.values())), _SOURCES)
    for header, group in parents.items():
        files_above = chain.from_iterable(above.get(parent, ()) for parent in group)
        includers[header] = list(dict.fromkeys(files_above))
    return includers


def _search(
    checkout: Checkout,
    commit: Oid,
    tree: GitTree,
    headers: Collection[PurePosixPath],
    pathspecs: Sequence[str],
) -> dict[PurePosixPath, list[PurePosixPath]]:
    """Return the files that include each header; other headers are left out."""
    if not headers:
        return {}
    by_name: dict[str, list[PurePosixPath]] = {}
    for header in sorted(headers):
        by_name.setdefault(header.name, []).append(header)
    # One expression for all names: git would compare each line with each of several expressions.
    names = "|".join(map(re.escape, by_name))
    pattern = rf'^[ \t]*#[ \t]*include[ \t]*[<"](?:[^>"\n]*/)?(?:{names})[>"]'
    args = ("grep", "-I", "-z", "--perl-regexp", pattern, commit, "--", *pathspecs)
    output = checkout.run(*args, ok=(0, 1)).stdout.decode("utf-8", "surrogateescape")
    found: dict[PurePosixPath, set[PurePosixPath]] = {}
    for record in output.split("\n"):
        path, _, line = record.removeprefix(f"{commit}:").partition("\0")
        if match := _INCLUDE.match(line):
            source = PurePosixPath(path)
            for header in by_name.get(posixpath.basename(match["name"]), ()):
                if _may_name(tree, source, match, header):
                    found.setdefault(header, set()).add(source)
    return {header: _rank(header, sources) for header, sources in found.items()}


def _may_name(
    tree: GitTree, source: PurePosixPath, include: re.Match[str], header: PurePosixPath
) -> bool:
    """Return whether an include in a source file may name a header.

    The folders of `-I` are not evaluated: any folder may be one, except of another architecture.
    """
    if source.parts[0] == header.parts[0] == "arch" and source.parts[1] != header.parts[1]:
        return False
    name = include["name"]
    if include["quote"] == '"':
        nearby = PurePosixPath(posixpath.normpath(posixpath.join(source.parent, name)))
        if nearby == header or tree.get(str(nearby)) is not None:
            return nearby == header
    ending = posixpath.normpath(name)
    while ending.startswith("../"):
        ending = ending.removeprefix("../")
    return f"/{header}".endswith(f"/{ending}")


def _rank(header: PurePosixPath, sources: Iterable[PurePosixPath]) -> list[PurePosixPath]:
    """Return sources near the header first, then those of few folders, such as kernel/ and mm/."""

    def key(source: PurePosixPath) -> tuple[int, int, str]:
        shared = PurePosixPath(posixpath.commonpath([header, source]))
        return -len(shared.parts), len(source.parts), str(source)

    return sorted(sources, key=key)


def list_candidates(includers: Includers, config: BuildConfig) -> Includers:
    """Return the includers that a configuration may build, in folders near each header."""
    candidates = {}
    for header, files in includers.items():
        possible = [file for file in files if find_arch(file) in (None, config.arch)]
        folders = list(dict.fromkeys(file.parent for file in possible))[:_MAX_FOLDERS]
        candidates[header] = [file for file in possible if file.parent in folders]
    return candidates


def choose_includers(builder: Builder, includers: Includers) -> list[str]:
    """Return the objects of some includers of each header that a configuration builds."""
    candidates = {
        header: [file for file in files if (builder.source / file).is_file()]
        for header, files in list_candidates(includers, builder.config).items()
    }
    built = set(builder.find_objects(chain(*candidates.values())))
    chosen: set[str] = set()
    for group in candidates.values():
        objects = [name for name in map(_name_object, group) if name in built]
        chosen.update(objects[:_MAX_BUILT])
    return sorted(chosen)


def filter_chosen(builder: Builder, includers: Includers, chosen: Collection[str]) -> list[str]:
    """Return those of the objects chosen for the base that a later commit builds, too."""
    files = [file for file in chain(*includers.values()) if _name_object(file) in chosen]
    return builder.find_objects(file for file in files if (builder.source / file).is_file())


def list_read(
    builder: Builder, objects: Collection[str], files: Iterable[PurePosixPath]
) -> set[PurePosixPath]:
    """Return those of the files that the compiler read for objects.

    kbuild writes the dependencies of kvm.o into .kvm.o.cmd (scripts/basic/fixdep.c).
    """
    read = {file for file in files if _name_object(file) in objects}
    pending = {str(file): file for file in files if file not in read}
    names = {file.name for file in pending.values()}
    roots = tuple({f"{builder.source}/", f"{os.path.realpath(builder.source)}/"})
    for name in objects:
        folder, base = posixpath.split(name)
        record = builder.output / folder / f".{base}.cmd"
        if not pending or not record.is_file():
            continue
        for word in record.read_text("utf-8", "surrogateescape").split():
            if posixpath.basename(word) in names and word.startswith(roots):
                path = os.path.normpath(word)
                # `..` may lead out of the tree.
                inside = (path.removeprefix(root) for root in roots if path.startswith(root))
                if (file := pending.pop(next(inside, ""), None)) is not None:
                    read.add(file)
    return read


def _name_object(source: PurePosixPath) -> str:
    """Return the path of the object that a source file is compiled to."""
    return str(source.with_suffix(".o"))
