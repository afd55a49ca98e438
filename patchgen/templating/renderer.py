# SPDX-License-Identifier: GPL-2.0-or-later
"""Render templates in another process, which has limits (patchgen.templating.limits).

The process starts with the first template and ends with patchgen; it is started again if a template
ended it. So patchgen itself does not import Jinja2 for most commands.
"""

from __future__ import annotations

import atexit
import dataclasses
import json
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from patchgen.errors import ErrorPlace, SpecError
from patchgen.model.smpl import TemplateLine
from patchgen.process import Dialogue
from patchgen.sourcefolder import SourceFolder
from patchgen.templating.limits import SECONDS
from patchgen.templating.places import place_in_template

Folders = Sequence[SourceFolder]

# The kernel limits processor time (limits.py). This limits the wait for a process that uses none.
_STUCK_S = 300
_PACKAGE = Path(__file__).resolve().parent.parent


def render_text(template: str, folders: Folders, context: Mapping[str, Any]) -> str:
    """Render a message, a cover letter or verbatim text, found in the first folder that has it.

    Templates get plain data: a dataclass of the context with its own __str__ (Site) becomes that
    text, and another one becomes a mapping of its fields.

    Raises SpecError, with the template's line, for a wrong or missing template, for an undefined
    variable, and for a template that exceeds its time or memory.
    """
    return str(_render("text", template, folders, context)["text"])


def render_smpl(
    template: str, folders: Folders, context: Mapping[str, Any]
) -> tuple[str, tuple[TemplateLine | None, ...]]:
    """Render a semantic patch; also return the template line that produced each of its lines."""
    answer = _render("smpl", template, folders, context)
    places = (place and TemplateLine(str(place[0]), int(place[1])) for place in answer["places"])
    return answer["text"], tuple(places)


def check_template(template: str, folders: Folders) -> tuple[dict[str, int], dict[str, int]]:
    """Return the variables that a template needs, and what it includes, with their lines.

    It is parsed, not rendered. Raises SpecError for a template that is missing or not valid.
    """
    answer = _render("check", template, folders, {})
    return dict(answer["needs"]), dict(answer["includes"])


def _render(
    kind: str, template: str, folders: Folders, context: Mapping[str, Any]
) -> dict[str, Any]:
    request = {
        "kind": kind,
        "template": template,
        "folders": [(str(folder.root), str(folder.below)) for folder in folders],
        "context": _to_json(context),
    }
    answer = _worker.ask(json.dumps(request).encode("ascii"))
    if answer is None:
        raise SpecError(
            "template: it takes too much time or memory, so its process was ended",
            code="template-failed",
            place=place_in_template(template, folders),
        )
    if "error" in answer:
        place = answer["place"]
        raise SpecError(
            answer["error"],
            code=answer["code"],
            place=ErrorPlace(place[0], place[1], excerpt=place[2]) if place else None,
            hint=answer["hint"],
        )
    return dict(answer)


def _to_json(value: Any) -> Any:
    """Return a value converted to types that JSON has."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, Mapping):
        return {str(name): _to_json(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_json(member) for member in value]
    if dataclasses.is_dataclass(value) and type(value).__str__ is object.__str__:
        return {
            field.name: _to_json(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    return str(value)


class Worker:
    """The process that renders, started on the first request. Any thread may send requests.

    Each template may use `seconds` of processor time.
    """

    def __init__(self, seconds: int = SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._dialogue: Dialogue | None = None

    def ask(self, request: bytes) -> Any:
        """Return the answer, None if the process ended without one."""
        with self._lock:
            if self._dialogue is not None and self._dialogue.has_ended:
                # Something killed it between two requests, so no template is at fault.
                self._close()
            if self._dialogue is None:
                self._dialogue = Dialogue(_command(self._seconds))
            try:
                answer = self._dialogue.ask(request, timeout_s=_STUCK_S)
            except BaseException:
                # For example Ctrl-C: a late answer must not be read as that of the next request.
                self._close()
                raise
            if answer is None:
                self._close()
            return None if answer is None else json.loads(answer)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._dialogue is not None:
            self._dialogue.close()
            self._dialogue = None


def _command(seconds: int) -> list[str]:
    """Return the command of the process: it has this process's module path, and no site code."""
    program = (
        "import json, sys; sys.path[:] = json.loads(sys.argv[1])\n"
        "from patchgen.templating.worker import main; main(int(sys.argv[2]))"
    )
    path = [*sys.path, str(_PACKAGE.parent)]
    return [sys.executable, "-I", "-S", "-c", program, json.dumps(path), str(seconds)]


_worker = Worker()
atexit.register(_worker.close)
