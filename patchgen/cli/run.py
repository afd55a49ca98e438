"""`patchgen run`: any semantic patch over a tree; results on stdout, what it took on stderr."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import click

from patchgen.cli.campaign import (
    campaign_options,
    check_campaign,
    publish_campaign,
    read_campaign,
)
from patchgen.cli.options import json_option, tree_option
from patchgen.cli.printer import Printer, is_terminal
from patchgen.errors import UsageError
from patchgen.model.series import FileEdit
from patchgen.model.sweep import Mode, Sweep
from patchgen.odb import Repository
from patchgen.running import Run, RunRequest, Skipped, plan_run, run_sweeps
from patchgen.sweep import DEFAULT_TIMEOUT_S, Executor, Progress


@click.command("run")
@click.argument("target", metavar="FILE.cocci|DIR|VARIANT")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@tree_option
@click.option("--base", default="HEAD", show_default=True, metavar="REV", help="The commit.")
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    help="What is asked for.  [default: patch, or what there is]",
)
@click.option(
    "-D",
    "definitions",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="Define a virtual rule, or give a virtual identifier its value; may be repeated.",
)
@click.option("--since", metavar="REV", help="Look only at files that changed since REV.")
@click.option("--trust", "trusted", is_flag=True, help="Let semantic patches run their scripts.")
@click.option(
    "--trust-folder",
    "trusted_folders",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Let those below DIR run their scripts, as the tree's scripts/coccinelle.",
)
@click.option(
    "--strict", is_flag=True, help="Fail where any function or file could not be looked at."
)
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many spatch at once.  [default: one a core]",
)
@click.option(
    "--executor",
    "executor_name",
    type=click.Choice(["local", "dask"]),
    default="local",
    show_default=True,
    help="Where spatch runs.",
)
@click.option("--scheduler", metavar="ADDRESS", help="The dask scheduler, tcp://HOST:PORT.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.IntRange(min=1),
    default=DEFAULT_TIMEOUT_S,
    show_default=True,
    metavar="SECONDS",
    help="Time for each file.",
)
@click.option("--no-kept", "kept", flag_value=False, default=True, help="Run everything anew.")
@click.option("--no-slices", "slices", flag_value=False, default=True, help="Parse whole files.")
@campaign_options
@json_option
@click.option("--verbose", is_flag=True, help="Name each function that cannot be parsed.")
@click.option("--quiet", is_flag=True, help="Print results, warnings and errors only.")
def command(
    paths: tuple[str, ...],
    mode: str | None,
    jobs: int | None,
    executor_name: str,
    scheduler: str | None,
    strict: bool,
    as_json: bool,
    verbose: bool,
    quiet: bool,
    **options: Any,
) -> int:
    """Run a semantic patch over a kernel tree, and print what it would change or finds.

    PATHs are files and folders, from the tree's top; without any, it is the whole tree. Files are
    read from the commit, and nothing is written, but with --split: that makes a branch of patches,
    and a folder of mails.
    """
    campaign = read_campaign(options)
    request = RunRequest(
        paths=tuple(map(_read_path, paths)),
        mode=Mode(mode) if mode else None,
        jobs=jobs or 0,
        **options,
    )
    printer = Printer(quiet=quiet, as_json=as_json)
    executor = _choose_executor(executor_name, scheduler)
    repository = Repository(request.tree)
    try:
        run = plan_run(repository, request)
        if campaign is not None:
            check_campaign(run)
        shown = printer if campaign is None else Printer(quiet=quiet, as_json=as_json, diffs=False)
        results = _run(repository, run, shown, executor, verbose=verbose)
        made = None
        if campaign is not None and results and results[0].edits:
            made = publish_campaign(repository, campaign, run, results[0], printer)
        elif campaign is not None:
            printer.line("Nothing is to be changed.")
    finally:
        repository.close()
    if as_json:
        printer.document(_describe(run, results) | ({"series": made} if campaign else {}))
    incomplete = any(each.unparsed or each.unfinished for each in results)
    return 1 if strict and (incomplete or run.skipped) else 0


def _read_path(path: str) -> PurePosixPath:
    read = PurePosixPath(path)
    if read.is_absolute() or ".." in read.parts:
        raise UsageError(f"{path} is no path in the tree", hint="paths are from the tree's top")
    return read


def _choose_executor(name: str, scheduler: str | None) -> Executor | None:
    if (name == "dask") != (scheduler is not None):
        raise UsageError("--executor dask and --scheduler ADDRESS go together")
    if scheduler is None:
        return None
    from patchgen.sweep.cluster import DaskExecutor

    return DaskExecutor(scheduler)


def _run(
    repository: Repository,
    run: Run,
    printer: Printer,
    executor: Executor | None,
    *,
    verbose: bool,
) -> list[Sweep]:
    """Run everything, and print each result as it comes."""
    found: list[Sweep] = []
    for skipped in run.skipped:
        printer.warning(f"{skipped.name} was not run: {skipped.reason}")
    with _progress(printer) as on_progress:
        results = run_sweeps(repository, run, executor=executor, on_progress=on_progress)
        for ready, result in results:
            if isinstance(result, Skipped):
                printer.warning(f"{ready.name} was not run: {result.reason}")
                continue
            found.append(result)
            _print_result(printer, result)
            for line in summarise(result, verbose=verbose):
                printer.note(line)
    return found


def _print_result(printer: Printer, result: Sweep) -> None:
    for edit in result.edits if printer.shows_diffs else ():
        printer.text(format_diff(edit))
    for report in result.reports:
        printer.line(str(report))
    if result.output:
        printer.text(result.output)


def format_diff(edit: FileEdit) -> str:
    """Return a diff that `git apply` takes, of what spatch changed in a file."""
    before, after = (
        text.decode("utf-8", "surrogateescape").splitlines(keepends=True)
        for text in (edit.before or b"", edit.after)
    )
    lines = list(difflib.unified_diff(before, after, f"a/{edit.path}", f"b/{edit.path}"))
    return f"diff --git a/{edit.path} b/{edit.path}\n" + "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def summarise(result: Sweep, *, verbose: bool) -> Iterator[str]:
    """Yield the lines that say what a semantic patch came to, and what it did not come to."""
    counts = result.counts
    changed = f"{len(result.edits)} changed, " if result.mode is Mode.PATCH else ""
    yield (
        f"{result.semantic_patch}: {counts.files} files, {changed}{counts.candidates} with the "
        f"words, {counts.kept} known, {counts.run} run, {result.seconds:.1f} s"
    )
    for rule in result.rules:
        if rule.hits:
            yield f"  {rule.rule}: {rule.hits} {_plural(rule.hits, 'hit')} in {rule.files}"
    if result.unparsed:
        files = len({place.path for place in result.unparsed})
        yield (
            f"  not parsed: {len(result.unparsed)} "
            f"{_plural(len(result.unparsed), 'place')} in {files} {_plural(files, 'file')}"
            + ("" if verbose else " (--verbose names them)")
        )
    if verbose:
        yield from (f"    {place}" for place in result.unparsed)
    yield from (f"  not finished: {each}" for each in result.unfinished)
    yield from (f"  {note}" for note in result.notes)


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"


@contextmanager
def _progress(printer: Printer) -> Iterator[Any]:
    """Show, on a terminal, how far the sweep is, at what rate, and how long it will take."""
    if printer.is_silent or not is_terminal(sys.stderr):
        yield lambda name, progress: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Any) -> Text:
            return Text(f"{task.speed or 0:.0f} files/s")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate())
    console = Console(stderr=True)
    with Bar(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def on_progress(name: str, progress: Progress) -> None:
            bar.update(task, description=name, completed=progress.done, total=progress.total)

        yield on_progress


def _describe(run: Run, results: Sequence[Sweep]) -> dict[str, Any]:
    base = run.base
    return {
        "base": {"commit": base.oid, "name": base.describe, "version": base.version},
        "skipped": [{"name": each.name, "reason": each.reason} for each in run.skipped],
        "results": [_describe_result(each) for each in results],
    }


def _describe_result(result: Sweep) -> dict[str, Any]:
    return {
        "semantic_patch": result.semantic_patch,
        "mode": result.mode,
        "rules": [
            {"rule": rule.rule, "hits": rule.hits, "files": rule.files} for rule in result.rules
        ],
        "changed": [{"path": str(edit.path), "diff": format_diff(edit)} for edit in result.edits],
        "reports": [str(each) for each in result.reports],
        "output": result.output,
        "unparsed": [
            {"path": str(place.path), "line": place.line, "function": place.name}
            for place in result.unparsed
        ],
        "unfinished": [
            {"path": str(each.path), "reason": each.reason} for each in result.unfinished
        ],
        "files": result.counts.files,
        "candidates": result.counts.candidates,
        "kept": result.counts.kept,
        "run": result.counts.run,
        "notes": list(result.notes),
        "seconds": round(result.seconds, 3),
    }
