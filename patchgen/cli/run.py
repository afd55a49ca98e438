# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen run`: run semantic patches over a tree. Results go to stdout, statistics to stderr."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.kept_files import check_kept_folder, keep_written
from patchgen.cli.options import (
    base_option,
    define_option,
    jobs_option,
    json_option,
    mode_option,
    only_built_option,
    quiet_option,
    timeout_option,
    tree_option,
    trust_option,
)
from patchgen.cli.output_file import check_output_file, write_output_file
from patchgen.cli.printer import Printer
from patchgen.cli.run_output import (
    describe_absent,
    list_unfinished,
    print_sweep,
    show_sweeps,
    summarise,
)
from patchgen.cli.run_split import (
    campaign_options,
    check_campaign,
    publish_campaign,
    read_campaign,
)
from patchgen.cli.settings import setting_option
from patchgen.cli.tree_options import resolve_paths
from patchgen.coccinelle import Header, find_spatch
from patchgen.commands.run import RunPlan, Skipped, list_macros, plan_run, run_sweeps
from patchgen.errors import UsageError
from patchgen.model.smpl import Mode
from patchgen.model.sweep import CampaignRequest, Sweep
from patchgen.odb import Repository
from patchgen.sweep import (
    DEFAULT_TIMEOUT_S,
    RunRequest,
    read_given_files,
    read_macro_choice,
)

if TYPE_CHECKING:
    from patchgen.sweep import Executor, SweepRequest


@dataclass(frozen=True, slots=True)
class _OutputOptions:
    """What is printed besides the counts."""

    verbose: bool
    leftovers: bool
    diffs: bool


@click.command(
    "run",
    cls=ExplainedCommand,
    examples="""
    patchgen run dev_put.cocci net
        Show the diff for the files in net.
    patchgen run dev_put.cocci --split maintainer --signoff
        Make a series with one patch for each maintainer.
    """,
)
@click.argument("target", metavar="FILE.cocci|DIR|RECIPE|VARIANT", required=False)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@tree_option
@base_option("The commit to run on; with --split, the series is based on it.")
@mode_option
@define_option
@click.option("--since", metavar="REV", help="Read only files that changed since REV.")
@only_built_option("Read only headers and the .c files that this .config builds.")
@trust_option
@click.option(
    "--trust-folder",
    "trusted_folders",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Allow the semantic patches below DIR, such as scripts/coccinelle, to run code in this "
    "run; may be repeated.",
)
@click.option(
    "--strict",
    is_flag=True,
    help="Exit with 1 if a function or file could not be checked, or if a word that the semantic "
    "patch removes is left in code.",
)
@jobs_option
@click.option(
    "--executor",
    "executor_name",
    type=click.Choice(["local", "dask"]),
    default="local",
    show_default=True,
    help="Where to run spatch.",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="The dask scheduler, tcp://HOST:PORT, or tls://HOST:PORT with dask's TLS configuration. "
    "Whoever can reach it, or a worker, can run code as you: use TLS or a trusted network.",
)
@timeout_option(DEFAULT_TIMEOUT_S)
@click.option("--no-cache", "cache", flag_value=False, default=True, help="Ignore cached results.")
@click.option(
    "--no-slices",
    "slices",
    flag_value=False,
    default=True,
    help="Give spatch whole files, not only the parts that can match.",
)
@setting_option(
    "--macros",
    setting="macros",
    default="tree",
    show_default=True,
    metavar="tree|none|FILE",
    help="Macros to use where spatch cannot parse the code: those of the tree's headers, none, or "
    "those of a file, as --show-macros prints them.",
)
@click.option("--show-macros", is_flag=True, help="Print the tree's macros, and exit.")
@click.option(
    "--no-headers",
    "with_headers",
    flag_value=False,
    default=True,
    help="Leave headers out in patch mode, unless they are named, or the semantic patch has "
    "--include-headers.",
)
@click.option(
    "--no-style",
    "style",
    flag_value=False,
    default=True,
    help="Leave changed lines as spatch prints them, not in the kernel's style.",
)
@click.option(
    "--macro-file",
    "macro_files",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Definitions of macros that spatch expands in code that it cannot parse otherwise; may be "
    "repeated.",
)
@click.option(
    "--iso-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Isomorphisms to use instead of spatch's own.",
)
@click.option(
    "--include",
    "headers",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A header that spatch reads for each file; may be repeated.",
)
@click.option(
    "-I",
    "folders",
    multiple=True,
    metavar="DIR",
    help="A folder of the tree in which headers are searched; may be repeated.",
)
@campaign_options
@click.option(
    "--sarif",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write the findings to this file as SARIF 2.1.0.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep the files that scripts write, in this new or empty folder.",
)
@json_option
@click.option(
    "--leftovers",
    is_flag=True,
    help="List all places where a word that the semantic patch removes is left, and why.",
)
@click.option("--verbose", is_flag=True, help="List all code that could not be parsed.")
@quiet_option("Print results, warnings and errors only.")
def command(
    target: str | None,
    tree: Path,
    executor_name: str,
    scheduler: str | None,
    strict: bool,
    sarif: Path | None,
    show_macros: bool,
    keep: Path | None,
    as_json: bool,
    leftovers: bool,
    verbose: bool,
    quiet: bool,
    **options: Any,
) -> int:
    """Run a semantic patch over a kernel tree, and print the diff or the reports.

    PATHs are files and folders of the tree, as in git; the default is the whole tree.
    Files are read from the commit, and the work tree is not changed. With --split, the changes
    become a branch of patches and a folder of mails.
    """
    if show_macros:
        return _show_macros(tree, options["base"])
    if target is None:
        raise UsageError(
            "no semantic patch is named",
            code="arguments",
            hint="name a .cocci, a folder, or a variant",
        )
    campaign, edit = read_campaign(options)
    check_output_file(sarif)
    check_kept_folder(keep)
    request = _read_request(target, tree, options)
    printer = Printer(quiet=quiet, as_json=as_json)
    if campaign is not None:
        # Importing it takes longer than a run whose results are all cached.
        from patchgen.cli.tree_config import check_config

        check_config(printer, request.tree)
    executor = _choose_executor(executor_name, scheduler)
    with closing(Repository(request.tree)) as repository:
        plan = plan_run(repository, request)
        if campaign is not None:
            check_campaign(repository, campaign, plan, edit=edit)
        output = _OutputOptions(verbose=verbose, leftovers=leftovers, diffs=campaign is None)
        sweeps = _run(repository, plan, printer, executor, output)
        if sarif is not None:
            _write_sarif(sarif, sweeps)
        keep_written(printer, keep, [result for _, result in sweeps])
        series = _publish(repository, campaign, sweeps, printer, edit) if campaign else {}
    if as_json:
        printer.document(_describe(plan, sweeps) | series)
    incomplete = any(_is_incomplete(result) for _, result in sweeps)
    # Skipped semantic patches of a folder are only reported, unless all of them were skipped.
    return 1 if not sweeps or (strict and (incomplete or plan.skipped)) else 0


def _read_request(target: str, tree: Path, options: dict[str, Any]) -> RunRequest:
    """Return the request that the options of the command line make."""
    mode = options.pop("mode")
    return RunRequest(
        target,
        tree=tree,
        paths=resolve_paths(tree, options.pop("paths")),
        mode=Mode(mode) if mode else None,
        jobs=options.pop("jobs") or 0,
        files=read_given_files(
            options.pop("macro_files"),
            options.pop("iso_file"),
            options.pop("headers"),
            resolve_paths(tree, options.pop("folders")),
        ),
        macros=read_macro_choice(options.pop("macros")),
        **options,
    )


def _is_incomplete(result: Sweep) -> bool:
    """Return whether code could not be checked, or has a word that the rule removes."""
    is_left = result.leftovers is not None and bool(result.leftovers.in_code)
    return bool(result.unparsed or result.unfinished) or is_left


def _show_macros(tree: Path, base: str) -> int:
    """Print the macros of a commit in the form of a file for --macros."""
    with closing(Repository(tree)) as repository:
        Printer().text(list_macros(repository, base))
    return 0


def _choose_executor(name: str, scheduler: str | None) -> Executor | None:
    if (name == "dask") != (scheduler is not None):
        raise UsageError(
            "--executor dask and --scheduler ADDRESS require each other", code="option-combination"
        )
    if scheduler is None:
        return None
    from patchgen.sweep.cluster import run_on_cluster

    return partial(run_on_cluster, scheduler)


def _run(
    repository: Repository,
    plan: RunPlan,
    printer: Printer,
    executor: Executor | None,
    output: _OutputOptions,
) -> list[tuple[SweepRequest, Sweep]]:
    """Run all semantic patches, and print each result as soon as it is complete."""
    sweeps: list[tuple[SweepRequest, Sweep]] = []
    for skipped in plan.skipped:
        _warn_skipped(printer, skipped)
    if any(skipped.needs_trust for skipped in plan.skipped):
        printer.note("hint: read them; then `patchgen trust PATH` trusts them as they are now")
    with show_sweeps(printer) as on_progress:
        results = run_sweeps(repository, plan, executor=executor, on_progress=on_progress)
        for request, result in results:
            if isinstance(result, Skipped):
                _warn_skipped(printer, result)
                continue
            sweeps.append((request, result))
            for line in result.warnings:
                printer.warning(line)
            print_sweep(printer, result, diffs=output.diffs)
            for line in list_unfinished(result, verbose=output.verbose):
                printer.warning(line)
            for line in summarise(result, verbose=output.verbose, leftovers=output.leftovers):
                printer.note(line)
    return sweeps


def _warn_skipped(printer: Printer, skipped: Skipped) -> None:
    printer.warning(f"{skipped.name} was not run: {skipped.reason}")


def _publish(
    repository: Repository,
    campaign: CampaignRequest,
    sweeps: Sequence[tuple[SweepRequest, Sweep]],
    printer: Printer,
    edit: bool,
) -> dict[str, Any]:
    """Make the series of the only sweep, and return it as --json shows it."""
    [(request, sweep)] = sweeps
    if not sweep.edits:
        printer.line(f"The semantic patch changes nothing{_explain_no_change(sweep)}.")
        return {"series": None}
    return {"series": publish_campaign(repository, campaign, request, sweep, printer, edit=edit)}


def _explain_no_change(sweep: Sweep) -> str:
    """Return ": " and why no file was changed, "" if the reason is unknown."""
    if sweep.leftovers is not None and sweep.leftovers.absent:
        return f": {describe_absent(sweep.leftovers)}"
    return f": {sweep.no_match}" if sweep.no_match else ""


def _write_sarif(path: Path, sweeps: Sequence[tuple[SweepRequest, Sweep]]) -> None:
    """Write the findings as SARIF. Raises UsageError if the file cannot be written."""
    from patchgen.sweep import make_sarif

    with_headers = [(result, request.header or Header()) for request, result in sweeps]
    log = make_sarif(with_headers, spatch_version=find_spatch().version)
    write_output_file(path, json.dumps(log, indent=2) + "\n")


def _describe(plan: RunPlan, sweeps: Sequence[tuple[SweepRequest, Sweep]]) -> dict[str, Any]:
    from patchgen.sweep import describe_sweep

    base = plan.base
    return {
        "base": {"commit": base.oid, "name": base.describe, "version": base.version},
        "skipped": [{"name": patch.name, "reason": patch.reason} for patch in plan.skipped],
        "results": [describe_sweep(result, request.header) for request, result in sweeps],
    }
