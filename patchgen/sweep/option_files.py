# SPDX-License-Identifier: GPL-2.0-or-later
"""The files that options for spatch name: macros, isomorphisms, headers, and folders of headers.

A semantic patch names them in `#spatch` and `// Options:` lines. They are next to it, or else at
that path of the tree; the current folder does not matter. Files of the command line are read where
they are.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from patchgen.coccinelle import decode_cocci, read_option_lines
from patchgen.errors import ErrorPlace, SpecError, UsageError

MACROS, ISOMORPHISMS, HEADER, FOLDER = "--macro-file", "--iso-file", "--include", "-I"
_WITH_FILES = frozenset({MACROS, ISOMORPHISMS, HEADER, FOLDER})
# Names inside of the folder that spatch runs in, except those of patchgen's own files there.
NAME = re.compile(r"(?!patchgen|groups\Z|-)(?!(?:.*/)?\.\.(?:/|\Z))[^/\0-\x1f][^\0-\x1f]*")


@dataclass(frozen=True, slots=True)
class NamedFile:
    """An argument of an option for spatch that names a file or a folder, and its line from 1."""

    option: str
    name: str
    line: int


@dataclass(frozen=True, slots=True)
class OptionFiles:
    """What the options of a run, and of a semantic patch, name.

    spatch uses one file of isomorphisms, the last one; all others add up. `headers` are texts by
    the names that spatch has for them. `given` and `given_folders` are those that only the command
    line names. `companions` are the isomorphisms that the semantic patch names.
    """

    macros: str = ""
    isomorphisms: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    given_folders: tuple[str, ...] = ()
    companions: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self != NO_FILES

    def join(self, given: OptionFiles) -> OptionFiles:
        """Return these files and those of the command line, which come last."""
        return OptionFiles(
            self.macros + given.macros,
            given.isomorphisms or self.isomorphisms,
            {**self.headers, **given.headers},
            (*self.folders, *given.folders),
            tuple(given.headers),
            given.folders,
            self.companions,
        )


NO_FILES = OptionFiles()


def read_option_files(
    name: str,
    text: str,
    read: Callable[[str], bytes | None],
    is_folder: Callable[[str], bool],
) -> OptionFiles:
    """Return the files that the options of a semantic patch name.

    `read` returns the content of a file next to the semantic patch, or else of the tree;
    `is_folder` returns whether the tree has a folder. Raises SpecError at the line that names one
    that is not there.
    """
    macros, isomorphisms, folders = "", "", []
    headers: dict[str, str] = {}
    companions: dict[str, str] = {}
    for named in find_named_files(text):
        if named.option == FOLDER:
            if not is_folder(named.name):
                raise missing_file(name, text, named.line, f"the folder {named.name}")
            folders.append(posixpath.normpath(named.name))
            continue
        content = read(named.name) if NAME.fullmatch(named.name) else None
        if content is None:
            raise missing_file(name, text, named.line, named.name)
        found = decode_cocci(content, named.name)
        if named.option == MACROS:
            macros += _with_end(found)
        elif named.option == ISOMORPHISMS:
            isomorphisms = companions[named.name] = found
        else:
            headers[named.name] = found
    return OptionFiles(macros, isomorphisms, headers, tuple(folders), companions=companions)


def missing_file(name: str, text: str, line: int, missing: str) -> SpecError:
    """Return the error for a file that a line of a semantic patch names."""
    folder = posixpath.dirname(name) or "the current folder"
    return SpecError(
        f"it names {missing}, which does not exist",
        code="file-missing",
        place=ErrorPlace(name, line, excerpt=text.split("\n")[line - 1]),
        hint=f"it was looked for in {folder}, and at the top of the tree",
    )


def find_named_files(text: str) -> Iterator[NamedFile]:
    """Yield the files that the options of a semantic patch name, in the order of its lines."""
    for option_line in read_option_lines(text):
        args = iter(option_line.args)
        for arg in args:
            if arg in _WITH_FILES and (name := next(args, "").strip("'\"")):
                yield NamedFile(arg, name, option_line.line)


def without_files(options: tuple[str, ...]) -> tuple[str, ...]:
    """Return options without those that name macros or isomorphisms, which are passed as texts."""
    others: list[str] = []
    args = iter(options)
    for arg in args:
        if arg in (MACROS, ISOMORPHISMS):
            next(args, None)
        else:
            others.append(arg)
    return tuple(others)


def read_given_files(
    macros: Sequence[Path],
    isomorphisms: Path | None,
    headers: Sequence[Path],
    folders: Sequence[PurePosixPath],
) -> OptionFiles:
    """Return the files that the command line names. Raises UsageError if one cannot be read.

    spatch gets the headers by new names, which no file of a tree has.
    """
    texts = {
        f"patchgen-{number}-{path.name}": _read(HEADER, path) for number, path in enumerate(headers)
    }
    return OptionFiles(
        "".join(_with_end(_read(MACROS, path)) for path in macros),
        _read(ISOMORPHISMS, isomorphisms) if isomorphisms else "",
        texts,
        tuple(map(str, folders)),
    )


def read_macro_choice(choice: str) -> str | None:
    """Return what --macros chooses: None for those of the tree, "" for none, else a file's text.

    Raises UsageError if the file cannot be read.
    """
    if choice in ("tree", "none"):
        return None if choice == "tree" else ""
    return _read("--macros", Path(choice))


def _read(option: str, path: Path) -> str:
    try:
        return decode_cocci(path.read_bytes(), str(path))
    except OSError as err:
        raise UsageError(f"{option} {path}: {err.strerror}", code="file-unreadable") from None


def _with_end(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"
