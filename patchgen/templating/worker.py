# SPDX-License-Identifier: GPL-2.0-or-later
"""The process that renders templates within limits, for patchgen.templating.renderer.

Format of a request and of an answer: eight bytes with the length, big-endian, and JSON. The kind of
a request is "text", "smpl" or "check".

    {"kind": "text", "template": "a.j2", "folders": [["/root", "below"]], "context": {}}
    {"text": "...", "places": [["a.j2", 1], null]}      places: for "smpl", of each line
    {"needs": {"name": 1}, "includes": {"b.j2": 2}}        for "check"
    {"error": "...", "place": ["/root/below/a.j2", 1, "excerpt"] | null, "hint": "..." | null}

It ends at the end of its standard input, even if patchgen was killed.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from patchgen.errors import SpecError
from patchgen.sourcefolder import SourceFolder
from patchgen.templating.environment import check_template, make_smpl, make_text
from patchgen.templating.limits import enter_limits, limited_time


def main(seconds: int) -> None:
    """Answer requests from standard input until it ends; each may use `seconds` of CPU time."""
    # Ctrl-C reaches the whole process group; only patchgen itself handles it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    enter_limits()
    while (request := read_message(sys.stdin.buffer)) is not None:
        write_message(sys.stdout.buffer, _answer(request, seconds))


def read_message(stream: BinaryIO) -> Any:
    """Return the next message, None at the end."""
    head = stream.read(8)
    if len(head) < 8:
        return None
    return json.loads(stream.read(int.from_bytes(head, "big")))


def write_message(stream: BinaryIO, message: Any) -> None:
    """Write a message. Raises BrokenPipeError if the reader has ended."""
    body = json.dumps(message).encode("ascii")
    stream.write(len(body).to_bytes(8, "big") + body)
    stream.flush()


def _answer(request: Any, seconds: int) -> dict[str, Any]:
    folders = [SourceFolder(Path(root), PurePosixPath(below)) for root, below in request["folders"]]
    args = (request["template"], folders, request["context"])
    try:
        with limited_time(seconds):
            if request["kind"] == "text":
                return {"text": make_text(*args)}
            if request["kind"] == "check":
                needs, includes = check_template(*args[:2])
                return {"needs": needs, "includes": includes}
            text, places = make_smpl(*args)
            return {"text": text, "places": places}
    except SpecError as err:
        place = err.place and (err.place.file, err.place.line, err.place.excerpt)
        return {"error": err.message, "code": err.code, "place": place, "hint": err.hint}
