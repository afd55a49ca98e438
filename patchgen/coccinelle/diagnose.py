"""What spatch says when it refuses a semantic patch, told at the line that its author wrote."""

from __future__ import annotations

import re

from patchgen.coccinelle.witness import Witnessed
from patchgen.errors import PatchgenError, SpecError, ToolError
from patchgen.model.smpl import SemanticPatch
from patchgen.process import Completed

_PLACE = re.compile(r'File "[^"]*", line (?P<line>\d+), column (?P<column>\d+)')
_STARTING = re.compile(r"starting on lines? (?P<line>\d+)")
_ON_LINE = re.compile(r"\b[Ll]ine (?P<line>\d+)")
_NOISE = re.compile(
    r"^(init_defs|-{5,}|processing semantic|with isos|HANDLING|let's go|warning:|\(ONCE\)"
    r"|\s*(File|around|whole content)\b|Python error|\s*$)"
)
_FRAMES = re.compile(r'^Fatal error: exception |^(Failure|Common\.\w+|Yes_prepare\S*)\(|"?\)$')


def is_timeout(done: Completed, output: str) -> bool:
    """Tell whether a run ended at spatch's --timeout or at the hard limit behind it."""
    return done.timed_out or bool(
        re.search(r"^timeout \(we abort\)|EXN: *\S*Timeout", output, re.MULTILINE)
    )


def is_skipped(output: str) -> bool:
    """Tell whether spatch left the file out because it lacks the words of every rule."""
    return "-o can not be applied because" in output or "no modified files" in output


def explain_refusal(
    patch: SemanticPatch, witnessed: Witnessed, done: Completed, output: str
) -> PatchgenError:
    """Return the error for a run that failed: the author's line where spatch names one."""
    message = _message(output)
    place = _PLACE.search(output) or _STARTING.search(message) or _ON_LINE.search(message)
    if place is None:
        if "No rules apply" in output:
            return SpecError(
                f"{patch.name}: spatch finds no rule to apply",
                hint="a virtual identifier without a value, or a dependency that cannot hold?",
            )
        return ToolError(f"{patch.name}: spatch ended with {done.returncode}: {message}")
    # At the end of the file spatch names the line behind the last one.
    line = min(int(place["line"]), len(witnessed.lines))
    original = witnessed.lines[line - 1] if line > 0 else None
    if original is None:
        return ToolError(f"{patch.name}: spatch refuses a rule of the bridge: {message}")
    groups = place.groupdict()
    column = int(groups["column"]) + 1 if groups.get("column") else None
    # The rendered numbers would only confuse: the place above is the template's.
    told = re.sub(r",?\s*(File \S+,?|starting on lines? \d+( and \d+)?)", "", message)
    return SpecError(f"spatch: {told.strip()}", place=patch.place(original, column))


def _message(output: str) -> str:
    """Return the part of spatch's output that says what is wrong, on one line."""
    kept: list[str] = []
    for line in _after_trace(output):
        if not _NOISE.match(line):
            kept.append(_FRAMES.sub("", line.strip()).strip(' "=\\n'))
    return "; ".join(line for line in kept if line)[-400:] or "it gives no reason"


def _after_trace(output: str) -> list[str]:
    """Return the lines behind the echo of the semantic patch, where the errors are."""
    lines = output.splitlines()
    for index in range(len(lines) - 1, -1, -1):
        if re.search(
            r"error|exception|rror:|incompatible|not supported|No rules apply", lines[index]
        ):
            return lines[index : index + 6]
    return lines[-6:]
