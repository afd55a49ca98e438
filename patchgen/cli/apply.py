# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen apply`: make a variant's series, and print it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.options import (
    backend_option,
    base_option,
    branch_option,
    define_option,
    json_option,
    new_series_options,
    quiet_option,
    timeout_option,
    tree_option,
    variant_option,
    version_option,
)
from patchgen.cli.printer import Printer
from patchgen.cli.series_output import (
    describe_left_out,
    print_diffs,
    print_left_out,
    print_next,
    print_recipients,
    summarise_patch,
    warn_of_sending,
)
from patchgen.cli.tree_config import check_config
from patchgen.coccinelle import DEFAULT_TIMEOUT_S
from patchgen.commands.apply import ApplyRequest, ApplyResult, Summarise, apply_variant
from patchgen.errors import UsageError
from patchgen.model.series import MadePatch


@click.command(
    "apply",
    cls=ExplainedCommand,
    examples="""
    patchgen apply pvops --signoff
        Make the series of the variant pvops on HEAD, with your Signed-off-by.
    patchgen apply pvops --base v6.1 --dry-run
        Show the patches that v6.1 gets, and write nothing.
    """,
)
@click.argument("name", required=False, metavar="[VARIANT]")
@variant_option
@tree_option
@base_option("The commit that the series is based on.")
@branch_option("patchgen/VARIANT-vN")
@version_option("the variant's first_version, or one more than the newest version that was sent")
@backend_option("all backends that fit the base")
@define_option
@new_series_options
@click.option(
    "--b4/--no-b4",
    "with_cover",
    default=True,
    help="Store the cover letter in an empty commit, as b4 prep does.  [default: b4]",
)
@click.option(
    "--audit", is_flag=True, help="Add the findings of `patchgen audit` to the cover letter."
)
@click.option("--dry-run", is_flag=True, help="Show the patches, but write nothing.")
@timeout_option(DEFAULT_TIMEOUT_S)
@json_option
@quiet_option()
def command(
    name: str | None,
    variant: str | None,
    as_json: bool,
    quiet: bool,
    audit: bool,
    **options: Any,
) -> None:
    """Make a variant's series on a kernel tree: a branch and a folder of mails.

    The variant is named with or without --variant. This never touches the work tree, the index or
    the current branch.
    """
    if name is None and variant is None:
        raise click.UsageError("Missing option '--variant' or argument 'VARIANT'.")
    if name is not None and variant is not None:
        raise UsageError(
            "VARIANT cannot be combined with --variant: name one variant", code="option-combination"
        )
    request = ApplyRequest(variant=name or variant or "", **options)
    printer = Printer(quiet=quiet, as_json=as_json)
    check_config(printer, request.tree)
    with printer.progress(f"applying {request.variant}") as on_progress:
        result = apply_variant(
            request, on_progress=on_progress, summarise=_load_summary() if audit else None
        )
    if as_json:
        document = describe(result)
        # A new branch cannot have been sent.
        if request.force and result.mails:
            document["warnings"] += warn_of_sending(request.tree, result.branch)
        printer.document(document)
    else:
        _print(printer, request, result)


def _print(printer: Printer, request: ApplyRequest, result: ApplyResult) -> None:
    for warning in result.warnings:
        printer.warning(warning)
    _print_patches(printer, result)
    if result.series is None:
        printer.line(_describe_empty(result))
    elif request.dry_run:
        print_recipients(printer, result.series.cover.recipients)
        print_diffs(printer, result.diffs)
    else:
        print_next(
            printer,
            request.tree,
            result.generated.plan.base.oid,
            result.branch,
            result.mails,
            with_cover=request.with_cover,
            is_new=not request.force,
        )
    for sentence in result.requests:
        printer.warning(sentence)


def _describe_empty(result: ApplyResult) -> str:
    generated = result.generated
    if not generated.patches:
        why = generated.why_empty
        return f"{why[:1].upper()}{why[1:]}."
    patches = "other patches" if generated.left_out else "patches"
    return f"All {patches} are already in {generated.base.describe}."


def describe(result: ApplyResult) -> dict[str, Any]:
    """Return the document of --json."""
    base = result.generated.plan.base
    return {
        "variant": result.generated.plan.variant.name,
        "base": {"commit": base.oid, "name": base.describe, "version": base.version},
        "backends": list(result.generated.plan.backends),
        "left_out": describe_left_out(result.generated.plan.left_out),
        "branch": result.branch if result.series else None,
        "change_id": result.series.tracking.change_id if result.series else None,
        "cover_commit": result.series.cover_commit if result.series else None,
        "tip": result.series.tip if result.series else None,
        "patches": _describe_patches(result),
        "cites": {
            cite.name: [
                {
                    "site": str(call.site),
                    "function": call.function,
                    "via": list(call.via),
                    "reason": call.reason or None,
                }
                for call in cite.calls
            ]
            for cite in result.generated.cites
        },
        "mails": [str(path) for path in result.mails],
        "tools": result.generated.plan.context["tools"],
        "warnings": list(result.warnings),
        "asked": list(result.requests),
        **({"diffs": result.diffs} if result.diffs else {}),
    }


def _describe_patches(result: ApplyResult) -> list[dict[str, Any]]:
    patches = []
    for patch, subject, number in _number_patches(result):
        document: dict[str, Any] = {
            "name": patch.name,
            "subject": subject,
            "commit": None,
            "status": "already there",
            "site": str(patch.present_at) if patch.present_at else None,
            "files": [str(edit.path) for edit in patch.edits],
            "insertions": 0,
            "deletions": 0,
            "rules": [
                {"rule": rule.rule, "hits": rule.hits, "sites": list(map(str, rule.sites))}
                for rule in patch.rules
            ],
            "spatch_seconds": round(patch.seconds, 4),
        }
        if result.series is not None and number is not None:
            document |= {
                "commit": result.series.commits[number],
                "status": "made",
                "insertions": result.series.stats[number].insertions,
                "deletions": result.series.stats[number].deletions,
            }
        patches.append(document)
    return patches


def _number_patches(result: ApplyResult) -> Iterator[tuple[MadePatch, str, int | None]]:
    """Yield each patch, its subject, and its index in the series (None if the base has it)."""
    count = itertools.count()
    for patch, subject in zip(result.generated.patches, result.generated.subjects, strict=True):
        yield patch, subject, None if patch.present_at else next(count)


def _print_patches(printer: Printer, result: ApplyResult) -> None:
    plan = result.generated.plan
    base = plan.base
    version = f" (Linux {base.version})" if base.version else ""
    backends = f", backends: {', '.join(plan.backends)}" if plan.backends else ""
    printer.line(f"{plan.variant.name} on {base.describe}{version}{backends}", bold=True)
    for patch, subject, number in _number_patches(result):
        if result.series is None or number is None:
            printer.line(f"  {patch.name}: already there ({patch.present_at})")
        else:
            summary = summarise_patch(patch.edits, result.series.stats[number])
            printer.line(f"  {number + 1}/{len(result.series.commits)} {subject} ({summary})")
    print_left_out(printer, plan.left_out, plan.backends)
    for cite in result.generated.cites:
        if cite.title and cite.calls:
            printer.line(f"  {cite.title}:")
            for call in cite.calls:
                reason = f": {call.reason}" if call.reason else ""
                printer.line(f"    {call.site} {call.function}(){reason}")


def _load_summary() -> Summarise:
    """Import and return the function that summarises a series.

    It imports a C parser, which a run without --audit does not need.
    """
    from patchgen.audit import summarise_series

    return summarise_series
