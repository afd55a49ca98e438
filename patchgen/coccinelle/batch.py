# SPDX-License-Identifier: GPL-2.0-or-later
"""One run of spatch over many files, each in a group of its own, with a result for each file.

spatch's output comes on two channels, each in the order of the files: on stderr, `HANDLING: FILE`
is followed by what it could not parse in the file; on stdout, `let's go` is followed by the trace
of the rules. The output of Python rules has a channel of its own (listening.py). spatch writes
changes in place, in the scratch folder, only after all files are done. So a run that is cut off has
no results, and the files that did not cause it have to be run again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from patchgen.coccinelle.diagnose import explain_exception, explain_refusal
from patchgen.coccinelle.markers import fill_markers
from patchgen.coccinelle.reports import read_context
from patchgen.coccinelle.request import AGAIN, TOOK_TOO_LONG, FileRun, RunnableSmpl, Source
from patchgen.coccinelle.rules import read_rules
from patchgen.coccinelle.safe_names import SafeNames
from patchgen.coccinelle.script_output import listen, read_said
from patchgen.coccinelle.spatch import Spatch, write_companions
from patchgen.coccinelle.trace import read_hits, read_unparsed
from patchgen.coccinelle.trust import check_harmless
from patchgen.coccinelle.witness import Witnessed, without_witnesses
from patchgen.errors import ToolError
from patchgen.model.smpl import SemanticPatch
from patchgen.process import Completed


def run_batch(
    spatch: Spatch,
    program: RunnableSmpl,
    sources: Sequence[Source],
    headers: Mapping[PurePosixPath, bytes],
    scratch: Path,
    *,
    timeout_s: int,
) -> list[FileRun]:
    """Run a semantic patch over files, in an empty scratch folder, and read the results.

    `headers` are files that are put next to them for #include to find.

    Raises SpecError if spatch refuses the semantic patch, ToolError if spatch fails.
    """
    names = SafeNames([*headers, *(source.path for source in sources)])
    ran = _run_named(
        spatch,
        program,
        [replace(source, path=names.find(source.path)) for source in sources],
        {names.find(path): text for path, text in headers.items()},
        scratch,
        timeout_s,
    )
    return [names.restore(each) for each in ran]


def _run_named(
    spatch: Spatch,
    program: RunnableSmpl,
    sources: Sequence[Source],
    headers: Mapping[PurePosixPath, bytes],
    scratch: Path,
    timeout_s: int,
) -> list[FileRun]:
    """Run over files whose names are safe."""
    tree = scratch / "tree"
    for source in (*(Source(path, text) for path, text in headers.items()), *sources):
        file = tree / source.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(source.text)
    groups = "".join(f"{source.path}\n\n" for source in sources)
    (scratch / "groups").write_text(groups, encoding="ascii")
    done, witnessed = _run(spatch, program, scratch, timeout_s)
    if (lost := _NOT_WRITTEN.search(done.stderr)) is not None:
        # spatch copies files with cp, and ignores its errors.
        raise ToolError(
            f"spatch cannot write its result: {lost[0].decode('utf-8', 'replace')}",
            hint="the disk may be full; set TMPDIR to a folder on another one",
        )
    parts = _split(_HANDLING, done.stderr.decode("latin-1"))
    stdout = _split(_BEGIN, output := done.stdout.decode("latin-1"))
    if done.timed_out or done.returncode != 0:
        return _broken_off(program, witnessed, done, parts, sources)
    # spatch skips a file (a slice, for example) that lacks the words of every rule.
    skipped = {_handled(part) for part in parts if part.startswith("Skipping")}
    stderr = [part for part in parts if part.startswith("HANDLING")]
    handled = [source for source in sources if str(source.path) not in skipped]
    if program.has_ocaml and (len(handled) == 1 or not output):
        # Without a trace, nothing assigns output to a file: there must be one file or no output.
        stdout = [output for _ in handled]
    if len(handled) == 1:
        stdout, stderr = ["".join(stdout)], ["".join(stderr)]
    if [_handled(part) for part in stderr] != [str(each.path) for each in handled] or (
        len(stdout) != len(stderr)
    ):
        return [FileRun(source.path, failure=AGAIN) for source in sources]
    printed, rest = read_said(scratch)
    results = [FileRun(source.path) for source in sources if str(source.path) in skipped]
    for source, errors, trace in zip(handled, stderr, stdout, strict=True):
        results.append(_read(program, witnessed, source, tree, errors, trace, printed))
    if rest:
        # The output of `finalize` rules belongs to no file; there is only one batch then.
        results.append(FileRun(PurePosixPath("."), said=rest))
    return results


_NOT_WRITTEN = re.compile(rb"^cp: .*", re.MULTILINE)
_HANDLING = re.compile(r"^(?=HANDLING: |Skipping: )", re.MULTILINE)
_BEGIN = re.compile(r"^let's go$", re.MULTILINE)
# Context mode prints its marks as a diff, after the output of all scripts.
_DIFF = re.compile(r"^(?:diff -u -p .*\n)?--- .*\n\+\+\+ ", re.MULTILINE)


def _run(
    spatch: Spatch, program: RunnableSmpl, scratch: Path, timeout_s: int
) -> tuple[Completed, Witnessed]:
    """Run spatch without witnesses: over a tree, the hits of rules are counted, not located."""
    text = without_witnesses(program.patch.text)
    if program.has_python:
        text = listen(text)
    if not program.may_run_code:
        check_harmless(program.patch, text.text, program.companions)
    (scratch / "patchgen.cocci").write_text(text.text, encoding="utf-8")
    for folder in (scratch, scratch / "tree"):
        write_companions(folder, program.companions)
    macros = _write_macros(scratch, program.patch)
    done = spatch.run_groups(
        scratch,
        (*program.options, *macros),
        modes=program.modes,
        definitions=program.patch.definitions,
        traced=not program.has_ocaml,
        in_place=not program.shows_marks,
        timeout_s=timeout_s,
    )
    return done, text


def _write_macros(scratch: Path, patch: SemanticPatch) -> tuple[str, ...]:
    if not patch.macros:
        return ()
    (scratch / "patchgen-macros.h").write_text(patch.macros, encoding="utf-8")
    return ("--macro-file", "../patchgen-macros.h")


def _split(mark: re.Pattern[str], text: str) -> list[str]:
    """Return the parts that begin with a mark; text before the first mark belongs to no file."""
    return mark.split(text)[1:]


def _handled(part: str) -> str:
    return part.partition("\n")[0].partition(": ")[2].strip().removeprefix("./")


def _broken_off(
    program: RunnableSmpl,
    witnessed: Witnessed,
    done: Completed,
    stderr: Sequence[str],
    sources: Sequence[Source],
) -> list[FileRun]:
    """Return which file made the run end; all others have to be run again."""
    if not stderr:
        output = (done.stdout + done.stderr).decode("latin-1")
        raise explain_refusal(program.patch, witnessed, done, output)
    culprit = str(sources[0].path) if len(sources) == 1 else _handled(stderr[-1])
    lines = [line for line in stderr[-1].splitlines() if line.strip()]
    why = TOOK_TOO_LONG if done.timed_out else f"spatch ended with {done.returncode}"
    if not done.timed_out and lines:
        why += f": {lines[-1].strip()}"
    return [
        FileRun(source.path, failure=why if str(source.path) == culprit else AGAIN)
        for source in sources
    ]


def _read(
    program: RunnableSmpl,
    witnessed: Witnessed,
    source: Source,
    tree: Path,
    errors: str,
    trace: str,
    printed: Mapping[str, str],
) -> FileRun:
    if why := explain_exception(errors, witnessed):
        return FileRun(source.path, failure=why)
    after = fill_markers((tree / source.path).read_bytes(), program.patch)
    rules = read_rules(program.patch.text)
    return FileRun(
        source.path,
        None if after == source.text else after,
        () if program.has_ocaml else read_hits(trace, rules, witnessed.lines, source.path),
        read_unparsed(errors, source.text, source.path),
        _DIFF.split(trace)[0] if program.has_ocaml else printed.get(str(source.path), ""),
        read_context(trace) if program.shows_marks else (),
    )
