# SPDX-License-Identifier: GPL-2.0-or-later
"""Run one semantic patch over the content of one file, and read the result."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from patchgen.coccinelle.diagnose import explain_refusal, is_skipped, is_timeout
from patchgen.coccinelle.markers import check_markers, locate_texts
from patchgen.coccinelle.rules import read_rules
from patchgen.coccinelle.safe_names import make_safe
from patchgen.coccinelle.spatch import Spatch
from patchgen.coccinelle.trace import read_hits, read_unparsed
from patchgen.coccinelle.trust import find_forbidden, refuse_code
from patchgen.coccinelle.witness import Witnessed, add_witnesses, without_witnesses
from patchgen.errors import ToolError
from patchgen.model.outcome import Changed, FileOutcome, FileResult, NoMatch, TimedOut
from patchgen.model.smpl import SemanticPatch
from patchgen.process import Completed
from patchgen.scratch import scratch_folder

DEFAULT_TIMEOUT_S = 120


def apply_to_file(
    spatch: Spatch,
    patch: SemanticPatch,
    path: PurePosixPath,
    content: bytes,
    *,
    timeout_s: int = DEFAULT_TIMEOUT_S,
) -> FileResult:
    """Run a semantic patch over the content of one file.

    spatch runs in a scratch folder of its own, where the file has only its base name. Thread-safe.
    No file content raises an error: "no match", "could not parse" and "took too long" are results.

    Raises SpecError, at the template's line, if the semantic patch would run code or spatch refuses
    it; ToolError if spatch fails.
    """
    refuse_code(patch)
    check_markers(patch)
    with scratch_folder("spatch") as scratch:
        done, output, witnessed = _run(spatch, patch, path, content, scratch, timeout_s)
        unparsed = read_unparsed(output, content, path)
        outcome: FileOutcome
        if is_timeout(done, output):
            outcome = TimedOut(timeout_s)
        elif done.returncode == 0:
            outcome = _read_output(scratch / _OUTPUT, content, patch)
        elif is_skipped(output):
            outcome = NoMatch()
        else:
            raise explain_refusal(patch, witnessed, done, output)
    rules = read_hits(output, read_rules(patch.text), witnessed.lines, path)
    return FileResult(path, outcome, rules, unparsed, done.seconds)


_SEMANTIC_PATCH = "patchgen.cocci"
_MACROS = "patchgen-macros.h"
_OUTPUT = "patchgen-output"


def _run(
    spatch: Spatch,
    patch: SemanticPatch,
    path: PurePosixPath,
    content: bytes,
    scratch: Path,
    timeout_s: int,
) -> tuple[Completed, str, Witnessed]:
    """Run spatch with witnesses; if it refuses one of those, without them."""
    file = scratch / _plain_name(path)
    file.write_bytes(content)
    macro_file = scratch / _MACROS if patch.macros else None
    if macro_file is not None:
        macro_file.write_text(patch.macros, encoding="utf-8")
    plain = without_witnesses(patch.text)
    for witnessed in (add_witnesses(patch.text), plain):
        if find_forbidden(witnessed.text):
            # A twin lacks the `+` lines, so text that was in a string might become a script.
            continue
        (scratch / _SEMANTIC_PATCH).write_text(witnessed.text, encoding="utf-8")
        done = spatch.run(
            semantic_patch=scratch / _SEMANTIC_PATCH,
            file=file,
            output=scratch / _OUTPUT,
            definitions=patch.definitions,
            macro_file=macro_file,
            timeout_s=timeout_s,
        )
        output = done.stdout.decode("latin-1")
        refused = done.returncode != 0 and not (is_timeout(done, output) or is_skipped(output))
        if not refused or witnessed.text == plain.text:
            break
    return done, output, witnessed


def _plain_name(path: PurePosixPath) -> str:
    """Return the base name or its stand-in, never a name that the bridge uses itself."""
    name = make_safe(path.name)
    return f"input-{name}" if name.startswith("patchgen") else name


def _read_output(output: Path, before: bytes, patch: SemanticPatch) -> FileOutcome:
    """Compare spatch's output with its input; spatch writes a copy if nothing matched."""
    try:
        after = output.read_bytes()
    except FileNotFoundError:
        return NoMatch()
    if after == before:
        return NoMatch()
    if not after:
        raise ToolError(f"{patch.name}: spatch wrote an empty file")
    return Changed(*locate_texts(after, patch))
