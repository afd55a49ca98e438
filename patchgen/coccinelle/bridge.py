# SPDX-License-Identifier: GPL-2.0-or-later
"""Run a semantic patch over files, and read the result for each of them.

spatch runs over many files at once, each in a group of its own. Its output comes on two channels,
each in the order of the files: on stderr, `HANDLING: FILE` is followed by the code that it could
not parse in the file; on stdout, `let's go` is followed by the trace of the rules. The output of
Python rules has a channel of its own (script_output.py). spatch writes changes in place, in the
scratch folder, only after all files are done. So a run that is cut off has no results, and neither
has one that spatch discards because a file failed. The files that did not cause it are run again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from patchgen.coccinelle.diagnose import (
    TOOK_TOO_LONG,
    explain_exception,
    explain_failure,
    explain_refusal,
)
from patchgen.coccinelle.lost_branches import find_lost_branches
from patchgen.coccinelle.markers import check_markers, fill_markers
from patchgen.coccinelle.needs import read_text
from patchgen.coccinelle.rules import read_rules
from patchgen.coccinelle.safe_names import SafeNames
from patchgen.coccinelle.script_output import capture_output, read_printed
from patchgen.coccinelle.spatch import RunnableSmpl, Spatch
from patchgen.coccinelle.trace import read_hits
from patchgen.coccinelle.trust import check_harmless, find_forbidden, refuse_code
from patchgen.coccinelle.unparsed import read_unparsed
from patchgen.coccinelle.witness import PreparedText, add_witnesses, prepare_text
from patchgen.errors import PatchgenError, ToolError
from patchgen.model.outcome import Failure, FileResult, ReportedPlace, UnparsedFunction
from patchgen.model.smpl import SemanticPatch
from patchgen.process import Completed
from patchgen.scratch import scratch_folder

__all__ = [
    "DEFAULT_TIMEOUT_S",
    "Failure",
    "FileResult",
    "SemanticPatch",
    "Source",
    "apply_to_file",
    "run_files",
]

DEFAULT_TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class Source:
    """A file for spatch: its path in the tree, and its text as a whole or as a slice.

    With `changes_headers`, the headers that it includes are changed as well. Otherwise spatch only
    reads types from them.
    """

    path: PurePosixPath
    text: bytes
    changes_headers: bool = False


def apply_to_file(
    spatch: Spatch,
    patch: SemanticPatch,
    path: PurePosixPath,
    content: bytes,
    *,
    timeout_s: int = DEFAULT_TIMEOUT_S,
) -> FileResult:
    """Run a semantic patch without scripts over the content of one file, and locate its hits.

    "No match" and "could not parse" are results, and so is "took too long": then the result's
    `failure` has the limit. `timeout_s` is in seconds. Thread-safe.

    Raises SpecError, at the template's line, if the semantic patch would run code or spatch refuses
    it; ToolError if spatch fails.
    """
    refuse_code(patch)
    check_markers(patch)
    source = Source(path, content)
    program = RunnableSmpl(patch, options=("--no-includes",), locates=True)
    # spatch may refuse the rules that are added to locate hits, or fail because of them.
    with suppress(PatchgenError):
        [result] = run_files(spatch, program, [source], timeout_s=timeout_s)
        if result.failure is None or result.failure.limit_s is not None:
            return result
    [result] = run_files(spatch, replace(program, locates=False), [source], timeout_s=timeout_s)
    if result.failure is not None and result.failure.limit_s is None:
        raise explain_failure(patch, result.failure, path)
    return result


def run_files(
    spatch: Spatch,
    program: RunnableSmpl,
    sources: Sequence[Source],
    headers: Mapping[PurePosixPath, bytes] = MappingProxyType({}),
    *,
    timeout_s: int = DEFAULT_TIMEOUT_S,
    is_ended: Callable[[], bool] = lambda: False,
) -> list[FileResult]:
    """Run a semantic patch over files, and return their results, sorted by path.

    `headers` are files that are put next to them for #include to find. What `finalize` rules print
    and the files that scripts write belong to no file: they have the path ".". `is_ended` returns
    True once the caller needs no more results; no further run is started then, and results may be
    missing. Thread-safe.

    Raises SpecError if spatch refuses the semantic patch, or if it would run code and may not;
    ToolError if spatch fails.
    """
    results: dict[PurePosixPath, FileResult] = {}
    # spatch changes a header for the first file only that includes it.
    pending: list[tuple[Source, ...]] = [(each,) for each in sources if each.changes_headers]
    others = tuple(source for source in sources if not source.changes_headers)
    pending += [others] if others else []
    while pending and not is_ended():
        part = pending.pop()
        with scratch_folder("spatch") as scratch:
            finished = _run(spatch, program, part, headers, scratch, timeout_s)
        for result in finished:
            earlier = results.get(result.path)
            results[result.path] = _join(earlier, result) if earlier else result
        unfinished = tuple(source for source in part if source.path not in results)
        if len(unfinished) == len(part):
            pending += [(source,) for source in unfinished]
        elif unfinished:
            pending.append(unfinished)
    return [results[path] for path in sorted(results)]


def _join(one: FileResult, other: FileResult) -> FileResult:
    """Return the output and the files that two runs wrote for all files together."""
    return replace(one, printed=one.printed + other.printed, written=one.written + other.written)


def _run(
    spatch: Spatch,
    program: RunnableSmpl,
    sources: Sequence[Source],
    headers: Mapping[PurePosixPath, bytes],
    scratch: Path,
    timeout_s: int,
) -> list[FileResult]:
    """Run spatch once, and return the results of the files that need not be run again."""
    names = SafeNames([*headers, *(source.path for source in sources)])
    files = {str(names.find(source.path)): source for source in sources}
    texts = {str(names.find(path)): text for path, text in headers.items()}
    texts |= {name: source.text for name, source in files.items()}
    _write_input(scratch, texts, files)
    changes_headers = any(source.changes_headers for source in sources)
    if headers and not changes_headers:
        program = replace(program, options=(*program.options, _TYPES_ONLY))
    prepared = _prepare(program)
    completed = spatch.run(program, prepared.text, scratch, timeout_s=timeout_s)
    _check_copied(completed)
    parts = _split(_HANDLING, completed.stderr.decode("latin-1"))
    if completed.timed_out or completed.returncode != 0:
        if not parts:
            # If spatch refuses the added rules, the caller may run the semantic patch without them.
            ask = None if program.locates else partial(read_text, spatch, program)
            raise explain_refusal(program.patch, prepared, completed, ask)
        culprits = _find_culprits(files, completed, parts[-1], timeout_s)
        return [names.restore(result) for result in culprits]
    channels = _assign(program, files, parts, completed.stdout.decode("latin-1"))
    if channels is None:
        failure = Failure("spatch's output cannot be parsed")
        return [FileResult(source.path, failure=failure) for source in sources if len(sources) == 1]
    results = list(_read_all(program, prepared, files, texts, channels, scratch, timeout_s))
    if changes_headers:
        changed = tuple(_read_headers(program, names, headers, scratch / "tree"))
        results = [each if each.failure else replace(each, headers=changed) for each in results]
    if _NOTHING_WRITTEN in completed.stderr:
        results = [result for result in results if result.failure is not None]
        if not results:
            raise ToolError(
                f"{program.patch.name}: spatch wrote no file, and gave no reason",
                code="spatch-failed",
            )
    share = completed.seconds / len(sources)
    return [names.restore(replace(result, seconds=share)) for result in results]


def _write_input(scratch: Path, texts: Mapping[str, bytes], names: Iterable[str]) -> None:
    """Write the files that spatch reads, and the list of those to run, each a group of its own."""
    for name, text in texts.items():
        path = scratch / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    (scratch / "groups").write_text("".join(f"{name}\n\n" for name in names), encoding="ascii")


_TYPES_ONLY = "--include-headers-for-types"
_CP_ERROR = re.compile(rb"^cp: .*", re.MULTILINE)
# From spatch 1.2 on (enter.ml): if one file fails, it changes no file of the run.
_NOTHING_WRITTEN = b"An error occurred when attempting to transform some files."
_HANDLING = re.compile(r"^(?=HANDLING: |Skipping: )", re.MULTILINE)
_BEGIN = re.compile(r"^let's go$", re.MULTILINE)
# Context mode prints its marks as a diff, after the output of all scripts.
_DIFF = re.compile(r"^(?:diff -u -p .*\n)?--- .*\n\+\+\+ ", re.MULTILINE)


def _check_copied(completed: Completed) -> None:
    """Raise ToolError if cp failed: spatch copies changed files with it, and ignores its errors."""
    if (error := _CP_ERROR.search(completed.stderr)) is not None:
        raise ToolError(
            f"spatch cannot write its result: {error[0].decode('utf-8', 'replace')}",
            code="file-unwritable",
            hint="the disk may be full; set TMPDIR to a folder on another one",
        )


def _read_headers(
    program: RunnableSmpl, names: SafeNames, headers: Mapping[PurePosixPath, bytes], tree: Path
) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Yield the headers that spatch has changed, with their new texts."""
    for path, before in headers.items():
        after = (tree / names.find(path)).read_bytes()
        if after != before:
            yield path, program.restyle(before, after)


def _prepare(program: RunnableSmpl) -> PreparedText:
    """Return the text for spatch: the semantic patch, with rules that make it report more."""
    text = program.patch.text
    prepared = add_witnesses(text) if program.locates else prepare_text(text)
    if program.locates and find_forbidden(prepared.text):
        # A twin has no `+` lines, so text that was in a string might become a script.
        prepared = prepare_text(text)
    if not program.may_run_code:
        check_harmless(program.patch, prepared.text, program.companions)
    return capture_output(prepared) if program.runs("python") else prepared


def _split(mark: re.Pattern[str], text: str) -> list[str]:
    """Return the parts that begin with a mark; text before the first mark is dropped."""
    return mark.split(text)[1:]


def _read_handled(part: str) -> str:
    return part.partition("\n")[0].partition(": ")[2].strip().removeprefix("./")


def _find_culprits(
    files: Mapping[str, Source], completed: Completed, last: str, timeout_s: int
) -> list[FileResult]:
    """Return the result of the file that made the run end, which is the last one handled."""
    lines = [line for line in last.splitlines() if line.strip()]
    failure = Failure(f"spatch ended with {completed.returncode}: {lines[-1].strip()}")
    if completed.timed_out:
        failure = Failure(TOOK_TOO_LONG, timeout_s)
    culprits = files.values() if len(files) == 1 else filter(None, [files.get(_read_handled(last))])
    return [FileResult(source.path, failure=failure) for source in culprits]


def _assign(
    program: RunnableSmpl, files: Mapping[str, Source], parts: Sequence[str], output: str
) -> dict[str, tuple[str, str]] | None:
    """Return what spatch printed for each file on stderr and stdout; None if that is uncertain.

    `parts` are those of stderr. spatch skips a file (a slice, for example) without the words of any
    rule.
    """
    skipped = {_read_handled(part) for part in parts if part.startswith("Skipping")}
    handled = [name for name in files if name not in skipped]
    errors = [part for part in parts if part.startswith("HANDLING")]
    traces = _split(_BEGIN, output)
    if program.runs("ocaml") and (len(handled) == 1 or not output):
        # Only a trace assigns output to files. Without it, there must be one file or no output.
        traces = [output for _ in handled]
    if len(handled) == 1:
        errors, traces = ["".join(errors)], ["".join(traces)]
    if [_read_handled(part) for part in errors] != handled or len(traces) != len(errors):
        return None
    without_output = {name: ("", "") for name in files if name in skipped}
    return without_output | dict(zip(handled, zip(errors, traces, strict=True), strict=True))


def _read_all(
    program: RunnableSmpl,
    prepared: PreparedText,
    files: Mapping[str, Source],
    texts: Mapping[str, bytes],
    channels: Mapping[str, tuple[str, str]],
    scratch: Path,
    timeout_s: int,
) -> Iterator[FileResult]:
    """Yield the result of each file, and what `finalize` rules printed."""
    printed, printed_at_end = read_printed(scratch)
    for name, (errors, trace) in channels.items():
        source = files[name]
        if (failure := explain_exception(errors, prepared, timeout_s)) is not None:
            yield FileResult(source.path, failure=failure)
        else:
            output, text = scratch / "tree" / name, printed.get(name, "")
            unparsed = read_unparsed(errors, texts, name)
            yield _read(program, prepared, source, output, unparsed, trace, text)
    written = _read_written(program, scratch / "tree", texts) if program.scripts else ()
    if printed_at_end or written:
        # With `finalize` rules, there is only one run.
        yield FileResult(PurePosixPath("."), printed=printed_at_end, written=written)


def _read_written(
    program: RunnableSmpl, tree: Path, texts: Mapping[str, bytes]
) -> tuple[tuple[str, bytes], ...]:
    """Return the files that scripts wrote into the current folder, with their contents."""
    found = []
    for path in sorted(tree.rglob("*")):
        name = str(path.relative_to(tree))
        is_input = name in texts or name in program.companions or "__pycache__" in path.parts
        if path.is_file() and not path.is_symlink() and not is_input:
            found.append((name, path.read_bytes()))
    return tuple(found)


def _read(
    program: RunnableSmpl,
    prepared: PreparedText,
    source: Source,
    output: Path,
    unparsed: tuple[UnparsedFunction, ...],
    trace: str,
    printed: str,
) -> FileResult:
    """Read the result for a file from what spatch wrote and printed for it."""
    after = output.read_bytes()
    if source.text and not after:
        return FileResult(source.path, failure=Failure("spatch wrote an empty file"))
    if after != source.text and (lost := next(find_lost_branches(source.text, after), None)):
        reason = f"spatch puts several statements into a branch; add braces to it first: {lost}"
        return FileResult(source.path, failure=Failure(reason))
    after = program.restyle(source.text, after)
    filled, from_texts = fill_markers(after, program.patch)
    marks: tuple[ReportedPlace, ...] = ()
    if program.shows_marks:
        from patchgen.coccinelle.reports import read_context

        marks = read_context(trace)
    rules = () if program.runs("ocaml") else read_rules(program.patch.text)
    return FileResult(
        source.path,
        None if after == source.text else filled,
        read_hits(trace, rules, prepared.lines, source.path),
        unparsed,
        _DIFF.split(trace)[0] if program.runs("ocaml") else printed,
        marks,
        from_texts,
    )
