"""One semantic patch over one file's content: run spatch, read the result back."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from patchgen.coccinelle.diagnose import explain_refusal, is_skipped, is_timeout
from patchgen.coccinelle.markers import check_markers, locate_texts
from patchgen.coccinelle.naming import make_safe
from patchgen.coccinelle.program import Spatch
from patchgen.coccinelle.structure import read_rules
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

    The run happens in a scratch folder of its own; the file there keeps only its base name. Safe
    to call from several threads at once. What the file holds never makes this raise: "no match",
    "could not parse" and "took too long" are results.

    Raises SpecError, at the template's line, where the semantic patch would run code or spatch
    refuses it; ToolError where spatch breaks.
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
    """Run spatch with witnesses; where one of those is what it refuses, without them."""
    file = scratch / _plain_name(path)
    file.write_bytes(content)
    macro_file = scratch / _MACROS if patch.macros else None
    if macro_file is not None:
        macro_file.write_text(patch.macros, encoding="utf-8")
    plain = without_witnesses(patch.text)
    for witnessed in (add_witnesses(patch.text), plain):
        if find_forbidden(witnessed.text):
            # A twin lacks the `+` lines. What was in a string before must not become a script.
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
    """Return the base name or its stand-in, and none of those that the bridge uses."""
    name = make_safe(path.name)
    return f"input-{name}" if name.startswith("patchgen") else name


def _read_output(output: Path, before: bytes, patch: SemanticPatch) -> FileOutcome:
    """Compare what spatch wrote with what it was given; it writes a copy where nothing matched."""
    try:
        after = output.read_bytes()
    except FileNotFoundError:
        return NoMatch()
    if after == before:
        return NoMatch()
    if not after:
        raise ToolError(f"{patch.name}: spatch wrote an empty file")
    return Changed(*locate_texts(after, patch))
