# SPDX-License-Identifier: GPL-2.0-or-later
"""Translate spatch's errors about a semantic patch to the lines that its author wrote.

The forms of its messages are those of 1.1.1 and 1.3.1; tests/data/spatch has recorded examples.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from patchgen.coccinelle.rules import Rule, read_rules
from patchgen.coccinelle.undeclared import Ask, find_undeclared
from patchgen.coccinelle.witness import PreparedText, prepare_text
from patchgen.errors import PatchgenError, SpecError, ToolError
from patchgen.model.outcome import Failure
from patchgen.model.smpl import SemanticPatch
from patchgen.process import Completed

TOOK_TOO_LONG = "it took too long"
# An error in the C file ("already tagged token") has a File line too, with that file's name.
_PLACE = re.compile(
    r'File "[^"]*\.cocci", line (?P<line>\d+), column (?P<column>\d+)'
    r"(?:, charpos = \d+\n\s*around = '(?P<around>[^\n]*)',)?"
)
_LINE = re.compile(
    r"\bstarting on lines? (\d+)|\bSP line (\d+)|\bon line (\d+)|^(\d+): "
    r"|\btokens: line -?\d+ less than line (\d+)|\bclose parenthesis in line (\d+)",
    re.M,
)
_ERROR = re.compile(
    r"(parse|semantic|lexical|syntax) error|incompatible minus|invalid minus|no available token"
    r"|must be attached to|appears only in|nothing to attach|things remaining|not supported"
    r"|No rules apply|unexpected code|Not found a value|already tagged|[Ee]rror:|Fatal error"
    r"|^ocamlfind: |^error in collection|^unexpected close parenthesis|^disjunction parenthesis"
)
_NO_COMPILER = "No OCaml compiler found!"
# Lines of the trace and of the C code that may look like an error.
_NOT_ERROR = re.compile(r"^(bad: |BAD:|\s*= error in |parse error $|warning: |exn while)")
# Line numbers of the rendered text would confuse next to the template's line.
_NUMBERS = re.compile(
    r"(?<!\s)\s*\bstarting on lines? \d+( and \d+)?|^SP line \d+: |(?<!\s)\s*\bon line \d+|^\d+: "
    r"|^Fatal error: exception |^error: |: line -?\d+ less than line \d+"
    r"|(?<=\bparenthesis) in line \d+(?: column \d+)?"
)
# Lines that spatch prints before it reads the rules, or in any run.
_PREAMBLE = re.compile(
    r"init_defs|warning: |Warning: |-{9}|processing semantic patch|with isos from|HANDLING: "
    r"|(?:Rule|Dependencies|Virtual rules|FailDep rules|Res|Result|Result_from_code): "
)
_ATTRIBUTE_HINT = (
    "spatch cannot delete an attribute by its name; `patchgen help smpl-refused` has another way"
)


# spatch's message about a file that it gives up: `EXN: Failure("...") in FILE`.
_EXCEPTION = re.compile(r"^EXN: (?P<what>.*) in (?P<file>.*)$", re.MULTILINE)
_FAILURE = re.compile(r'Failure\("(?P<reason>.*)"\)\Z', re.DOTALL)
_SCRIPT_FAILED = re.compile(r'Error in Python script, line (\d+), file "[^"]*": Python failure')
# The last line of a traceback begins with the name of the exception.
_RAISED = re.compile(r"^[A-Za-z_][\w.]*(?:: .*)?$")
_RULE_LINE = re.compile(r"(?:(?<=\bstarting on line )|(?<=\bSP line ))(\d+)")


def explain_exception(errors: str, prepared: PreparedText, limit_s: float) -> Failure | None:
    """Return why spatch gave up a file, from its stderr; None if it did not.

    Line numbers are those of the author's semantic patch. `limit_s` is spatch's time limit.
    """
    exception = _EXCEPTION.search(errors)
    if exception is None:
        return None
    if "Timeout" in exception["what"]:
        return Failure(TOOK_TOO_LONG, limit_s)
    failure = _FAILURE.match(exception["what"])
    what = failure["reason"].replace(r"\"", '"') if failure else exception["what"]

    def original(number: str) -> str:
        return str(prepared.lines[int(number) - 1])

    if (script := _SCRIPT_FAILED.fullmatch(what)) is not None:
        raised = [line for line in errors[: exception.start()].splitlines() if _RAISED.match(line)]
        return Failure(
            f"its script on line {original(script[1])} fails"
            + "".join(f": {line}" for line in raised[-1:])
        )
    reason = _RULE_LINE.sub(lambda line: original(line[1]), what)
    # "FILE: 79: try to delete an expanded token": whoever prints the reason names the file.
    name = re.escape(PurePosixPath(exception["file"]).name)
    return Failure(re.sub(rf"^(?:\S*/)?{name}: (\d+): ", r"line \1 of the file: ", reason))


def explain_failure(patch: SemanticPatch, failure: Failure, path: PurePosixPath) -> PatchgenError:
    """Return the error for a file that spatch gave up, at the author's line if spatch names one."""
    output = failure.reason.replace(r"\n", "\n")
    return _explain(patch, prepare_text(patch.text), output) or ToolError(
        f"{patch.name}: spatch cannot finish {path}: {failure.reason}", code="spatch-failed"
    )


def explain_refusal(
    patch: SemanticPatch, prepared: PreparedText, completed: Completed, ask: Ask | None = None
) -> PatchgenError:
    """Return the error for a failed run, at the author's line if spatch names one.

    With `ask`, spatch is asked whether the cause is a word that is not declared.
    """
    output = (completed.stdout + completed.stderr).decode("latin-1")
    if _NO_COMPILER in output:
        return ToolError(
            f"{patch.name} has an OCaml script: spatch needs an OCaml compiler for it",
            code="program-missing",
            hint="on Debian: apt-get install ocaml-nox",
        )
    error = _explain(patch, prepared, output)
    if error is not None:
        if error.code == "smpl-refused" and error.hint is None and ask is not None:
            error.hint = find_undeclared(patch, prepared, output, ask)
        return error
    if completed.timed_out:
        outcome = f"was still reading it after {completed.seconds:.0f} s"
    else:
        last = _find_last_line(output, prepared)
        outcome = f"exited with {completed.returncode}" + (f": {last}" if last else "")
    return ToolError(f"{patch.name}: spatch {outcome}", code="spatch-failed")


def _find_last_line(output: str, prepared: PreparedText) -> str:
    """Return the last line that may be a reason in a form that is not known; "" without one."""
    echoed = set(prepared.text.splitlines())
    lines = (line for line in reversed(output.splitlines()) if line.strip())
    return next(
        (line.strip() for line in lines if line not in echoed and not _PREAMBLE.match(line)), ""
    )


def _explain(patch: SemanticPatch, prepared: PreparedText, output: str) -> PatchgenError | None:
    message = _message(output)
    if "No rules apply" in message:
        return SpecError(
            "spatch finds no rule to apply",
            code="no-rule-applies",
            place=patch.file_place,
            hint="check for a virtual identifier without a value, or a dependency that cannot hold",
        )
    column = None
    if places := list(_PLACE.finditer(output)):
        place = places[-1]
        line, column = int(place["line"]), int(place["column"]) + 1
        message = message or "cannot be read" + (f" at {place['around']!r}" if place[3] else "")
    elif (named := _LINE.search(message)) is not None:
        line = int(next(filter(None, named.groups())))
    elif (rule := _named_rule(message, patch)) is not None:
        return SpecError(
            f"spatch: {_NUMBERS.sub('', message)}",
            code="smpl-refused",
            place=patch.place(rule.start),
        )
    elif message:
        # "nothing to attach pragma to": the code consists of a comment or a marker only.
        return SpecError(f"spatch: {message}", code="smpl-refused", place=patch.file_place)
    else:
        return None
    return _refuse_line(patch, prepared, message, line, column)


def _refuse_line(
    patch: SemanticPatch, prepared: PreparedText, message: str, line: int, column: int | None
) -> PatchgenError:
    """Return the error for a line of the text that spatch read."""
    # At the end of the file, spatch names the line after the last one.
    line = min(line, len(prepared.lines))
    original = prepared.lines[line - 1] if line > 0 else None
    reason = _NUMBERS.sub("", message).strip()
    read = next(filter(None, reversed(prepared.lines[:line])), 0)
    begin = _find_open_disjunction(patch, read) if "parse error" in message else None
    if begin is not None:
        # spatch names the line at which the rule ends, which may be empty.
        place = patch.place(begin, 1)
        return SpecError(
            f"spatch: {reason}",
            code="smpl-refused",
            place=place,
            hint=f"the disjunction that begins in line {place.line} has no `)`",
        )
    if original is None:
        return ToolError(
            f"{patch.name}: spatch refuses a rule added by the bridge: {message}",
            code="spatch-failed",
        )
    return SpecError(
        f"spatch: {reason}",
        code="smpl-refused",
        place=patch.place(original, column),
        hint=_ATTRIBUTE_HINT if "collection of - tokens" in message else None,
    )


def _find_open_disjunction(patch: SemanticPatch, line: int) -> int | None:
    """Return the line of the last `(` without its `)`, in the rule whose code ends at a line.

    In the first column, they are those of disjunctions and conjunctions. In another line, the error
    has another cause.
    """
    for rule in read_rules(patch.text):
        # The code begins after the closing @@ of the line before.
        numbered = [*enumerate(rule.pattern.split("\n"), rule.body - 1)]
        last = max((number for number, text in numbered if text.strip()), default=rule.end)
        if rule.is_script or not last <= line <= rule.end:
            continue
        unclosed: list[int] = []
        for number, text in numbered:
            if text.startswith("("):
                unclosed.append(number)
            elif text.startswith(")"):
                del unclosed[-1:]
        if unclosed:
            return unclosed[-1]
    return None


def _named_rule(message: str, patch: SemanticPatch) -> Rule | None:
    """Return the rule named in a message such as "error: RULE: x appears only in + code"."""
    named = re.match(r"error: (\w+): ", message)
    rules = read_rules(patch.text) if named else ()
    return next((rule for rule in rules if named and rule.name == named[1]), None)


def _message(output: str) -> str:
    """Return the line that states the error; "" without one (1.1.1, lexical errors).

    Errors come last: after the echo of the semantic patch, and after the trace.
    """
    unknown = re.search(r"unknown option [^\n]*", output)
    if unknown is not None:
        # The list of known options follows.
        return unknown[0]
    for line in reversed(output.splitlines()):
        if _ERROR.search(line) and not _NOT_ERROR.match(line):
            return line.strip().removesuffix(":").strip()
    return ""
