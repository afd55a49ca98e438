# SPDX-License-Identifier: GPL-2.0-or-later
"""Read mails from an mbox, a maildir, a folder of files or a single file, compressed or not.

The format is recognised by the content, since archives name these files in many ways. The result
is one `Mail` for each mail, with LF line ends, and without what the container added: a byte order
mark, and the `>` that mboxrd puts before "From ".
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import IO

from patchgen.errors import RefusedError
from patchgen.mail.headers import strip_from_line
from patchgen.mail.reading import looks_like_mail
from patchgen.model.series import Mail

# In bytes, decompressed. The mails of a long thread have a few MB.
SIZE_LIMIT = 128 << 20
_SUFFIXES = (".patch", ".eml", ".mbox", ".mbx", ".mailbox", ".gz", ".xz", ".bz2", ".zip")
_ZIP = b"PK\x03\x04"
_BOM = b"\xef\xbb\xbf"
_ZSTD = b"\x28\xb5\x2f\xfd"
_PACKERS: Mapping[bytes, Callable[[IO[bytes]], io.BufferedIOBase]] = {
    b"\x1f\x8b": lambda stream: gzip.GzipFile(fileobj=stream),
    b"\xfd7zXZ\0": lzma.LZMAFile,
    b"BZh": bz2.BZ2File,
}
# Errors of the unpackers for damaged content.
_DAMAGE = (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError)
# A line "From SENDER DATE" before a header; lines of a body may begin with "From ", too.
# git-mailsplit(1) also checks for the date's time and year, which programs write in any order.
_FROM = re.compile(
    rb"^From (?=[^\n]{0,300}\d:\d\d)(?=[^\n]{0,300}(?<!\d)(?:19|20)\d\d(?!\d))[^\n]{0,400}\n"
    rb"(?=[!-9;-~]{1,100}[ \t]*:|>From )",
    re.MULTILINE,
)
_LENGTH = re.compile(rb"^Content-Length:[ \t]*(\d{1,9})[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)
# `git format-patch` writes this date into all of its mails, and escapes nothing in them.
_FORMAT_PATCH = re.compile(rb"From [0-9a-f]{40,64} Mon Sep 17 00:00:00 2001\r?\n")
_ESCAPED = re.compile(rb"^>(>*From )", re.MULTILINE)


def read_mails(path: Path) -> list[Mail]:
    """Return the mails of an mbox, a maildir, a folder of mails (sorted by name), or a single file.

    Raises RefusedError if it contains no mail, or cannot be read.
    """
    try:
        mails = _read_folder(path) if path.is_dir() else _read_file(path)
    except (OSError, ValueError) as err:
        reason = (isinstance(err, OSError) and err.strerror) or err
        raise RefusedError(f"{path} cannot be read: {reason}", code="mail-unreadable") from None
    return _require_mails(mails, str(path))


def read_stream(stream: IO[bytes], name: str) -> list[Mail]:
    """Return the mails of an mbox, or the single mail, in an open file.

    Raises RefusedError if it contains no mail, or cannot be read.
    """
    try:
        content = _read_limited(stream, name)
        files = _unzip(content, name) if content.startswith(_ZIP) else [(name, content)]
        return _require_mails([mail for file in files for mail in _split(file[1], file[0])], name)
    except OSError as err:
        raise RefusedError(
            f"{name} cannot be read: {err.strerror or err}", code="mail-unreadable"
        ) from None


def _require_mails(mails: list[Mail], name: str) -> list[Mail]:
    if not any(looks_like_mail(strip_from_line(mail.content)) for mail in mails):
        raise RefusedError(
            f"{name} has no mails",
            code="no-patches",
            hint="expected an mbox, a maildir, a mail, or a folder of files that end in "
            + ", ".join(_SUFFIXES),
        )
    return mails


def _read_folder(path: Path) -> list[Mail]:
    parts = [path / name for name in ("cur", "new") if (path / name).is_dir()]
    if parts:
        files = [file for part in parts for file in part.iterdir() if file.name[0] != "."]
    else:
        # The mails of an MH folder are numbered.
        files = [
            file
            for file in path.iterdir()
            if file.suffix.lower() in _SUFFIXES or re.fullmatch(r"[1-9][0-9]*", file.name)
        ]
    ordered = sorted(files, key=lambda file: (len(file.name) if file.name.isdecimal() else 0, file))
    return [mail for file in ordered if file.is_file() for mail in _read_file(file)]


def _read_file(file: Path) -> list[Mail]:
    with file.open("rb") as stream:
        content = _read_limited(stream, str(file))
    if content.startswith(_ZIP):
        return [mail for name, part in _unzip(content, str(file)) for mail in _split(part, name)]
    return _split(content, file.name)


def _unzip(content: bytes, name: str) -> list[tuple[str, bytes]]:
    """Return the files in a zip archive, sorted, each with the last part of its name.

    Raises RefusedError if it is damaged or encrypted, or if they exceed the size limit.
    """
    files: list[tuple[str, bytes]] = []
    remaining = SIZE_LIMIT
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for info in sorted(archive.infolist(), key=lambda info: info.filename):
                if info.is_dir():
                    continue
                with archive.open(info) as stream:
                    part = _read_limited(stream, f"{info.filename} in {name}", remaining)
                remaining -= len(part)
                files.append((PurePosixPath(info.filename).name, part))
    except (*_DAMAGE, zipfile.BadZipFile, RuntimeError) as err:
        # RuntimeError: the archive is encrypted, or uses another compression.
        raise RefusedError(
            f"{name} is compressed and damaged: {err}", code="mail-unreadable"
        ) from None
    return files


def _read_limited(stream: IO[bytes], name: str, limit: int = SIZE_LIMIT) -> bytes:
    """Return a file's content, decompressed. Raises RefusedError above the size limit."""
    content = stream.read(limit + 1)
    condition = ""
    if content.startswith(_ZSTD):
        raise RefusedError(
            f"{name} is compressed with zstd",
            code="mail-unreadable",
            hint="decompress it with `unzstd`",
        )
    for magic, unpack in _PACKERS.items():
        if content.startswith(magic) and len(content) <= limit:
            condition = " when decompressed"
            try:
                with unpack(io.BytesIO(content)) as packed:
                    content = packed.read(limit + 1)
            except _DAMAGE as err:
                raise RefusedError(
                    f"{name} is compressed and damaged: {err}", code="mail-unreadable"
                ) from None
            break
    if len(content) > limit:
        raise RefusedError(
            f"{name} is larger than the limit of {SIZE_LIMIT >> 20} MiB{condition}",
            code="mail-unreadable",
            hint="name the mails of one series only",
        )
    return content


def _split(content: bytes, name: str) -> list[Mail]:
    """Return the mails of an mbox, or the single mail."""
    content = content.removeprefix(_BOM).lstrip(b"\r\n")
    if not content:
        return []
    if b"\n" not in content:
        content = content.replace(b"\r", b"\n")
    if not content.startswith(b"From "):
        return [Mail(name, _with_lf(content))]
    starts = _find_starts(content)
    mails = [
        _with_lf(content[start:end]) for start, end in zip(starts, [*starts[1:], None], strict=True)
    ]
    # Programs escape either all lines "From " in bodies or none (mboxcl2).
    if not any(b"\nFrom " in mail for mail in mails):
        mails = [_unescape(mail) for mail in mails]
    if len(mails) == 1:
        return [Mail(name, mails[0])]
    stem = Path(name).stem
    return [
        Mail(f"{number:04}-{stem}.patch", mail, place=f"mail {number} of {name}")
        for number, mail in enumerate(mails, 1)
    ]


def _find_starts(content: bytes) -> list[int]:
    """Return where the mails of an mbox begin.

    A Content-Length (mboxcl, mboxcl2) is used if another mail or the end of the file follows.
    """
    starts: list[int] = []
    end = 0
    for start in sorted({0, *(match.start() for match in _FROM.finditer(content))}):
        if start < end:
            continue
        starts.append(start)
        first = content.find(b"\n", start)
        line_end = b"\r\n" if content[first - 1 : first] == b"\r" else b"\n"
        body = content.find(line_end * 2, start) + 2 * len(line_end)
        length = _LENGTH.search(content, start, max(start, body))
        if length is not None:
            after = body + int(length[1])
            following = content[after : after + 7].lstrip(b"\r\n")
            is_end = not following or following.startswith(b"From")
            end = after if after <= len(content) and is_end else 0
    return starts


def _with_lf(content: bytes) -> bytes:
    """Return a mail with LF line ends if its headers end in CRLF, as git-mailsplit(1) does.

    In other mails a CR belongs to a line of the file that the patch changes.
    """
    # A program may have written the line "From " itself.
    head = strip_from_line(content.partition(b"\r\n\r\n")[0])
    is_crlf = b"\r\n" in head and head.count(b"\n") == head.count(b"\r\n")
    return content.replace(b"\r\n", b"\n") if is_crlf else content


def _unescape(content: bytes) -> bytes:
    """Return a mail of an mbox without the `>` that mboxrd put before lines with "From "."""
    return content if _FORMAT_PATCH.match(content) else _ESCAPED.sub(rb"\1", content)
