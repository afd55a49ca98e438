"""The part of `patchgen run` that makes a series: its options, and what is printed of it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from patchgen.cli.made import name_people, print_next, read_recipients, summarise_patch
from patchgen.cli.options import (
    cc_option,
    cover_cc_option,
    get_maintainer_option,
    output_option,
    to_option,
)
from patchgen.cli.printer import Printer
from patchgen.coccinelle import find_spatch
from patchgen.errors import UsageError
from patchgen.model.base import Oid
from patchgen.model.campaign import CampaignRequest, Split
from patchgen.model.sweep import Mode, Sweep, public_name
from patchgen.odb import Repository
from patchgen.running import Run

if TYPE_CHECKING:
    from patchgen.campaign import Campaign, Origin

_Command = TypeVar("_Command", bound=Callable[..., Any])
# Without --split these would have nothing to say.
_ONLY_WITH_SPLIT = {
    "most": "--max-patches",
    "subject": "--subject",
    "branch": "--branch",
    "output": "-o",
    "sign_off": "--signoff",
    "force": "--force",
    "to": "--to",
    "cc": "--cc",
    "cover_cc": "--cc-cover",
    "get_maintainer": "--get-maintainer",
}
_OPTIONS = (
    click.option(
        "--split",
        type=click.Choice([split.value for split in Split]),
        help="Make a series, with a patch for each of these.",
    ),
    click.option(
        "--max-patches",
        "most",
        type=click.IntRange(min=1),
        metavar="N",
        help="Join the smallest patches until there are N.",
    ),
    click.option("--subject", metavar="TEXT", help="What the subjects say, behind their prefix."),
    click.option("--branch", metavar="NAME", help="The branch.  [default: patchgen/NAME-vN]"),
    click.option(
        "-v",
        "--reroll-count",
        "revision",
        type=click.IntRange(min=1),
        metavar="N",
        help="The version of the series.  [default: 1, or the next after one that went out]",
    ),
    output_option,
    click.option("-s", "--signoff", "sign_off", is_flag=True, help="Add your Signed-off-by."),
    to_option,
    cc_option,
    cover_cc_option,
    get_maintainer_option,
    click.option("--force", is_flag=True, help="Replace the branch, and the mails."),
)


def campaign_options(command: _Command) -> _Command:
    """Add the options that a series takes."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_campaign(options: dict[str, Any]) -> CampaignRequest | None:
    """Take the series' options out of a command's; None where no series is asked for.

    Raises UsageError for an option that only a series has a use for.
    """
    split = options.pop("split")
    taken = {name: options.pop(name) for name in (*_ONLY_WITH_SPLIT, "revision")}
    if split is None:
        for name, word in _ONLY_WITH_SPLIT.items():
            if taken[name]:
                raise UsageError(f"{word} is for a series", hint="say how to split it: --split ...")
        return None
    return CampaignRequest(Split(split), **taken)


def check_campaign(repository: Repository, request: CampaignRequest, run: Run) -> None:
    """Refuse before the sweep what cannot be one series, and people who cannot be in its mails.

    Raises a PatchgenError.
    """
    from patchgen.posting import find_people

    repository.read_signatures()
    find_people(repository, request.to, request.cc, request.cover_cc)
    if len(run.ready) != 1:
        raise UsageError(
            "a series is of one semantic patch", hint="name a single .cocci with --split"
        )
    if run.ready[0].bound is None:
        raise UsageError(
            "a variant has its own patches", hint="patchgen apply --variant makes them"
        )
    if run.ready[0].request.mode is not Mode.PATCH:
        raise UsageError("a series is made of changes", hint="--split goes with --mode patch")


def publish_campaign(
    repository: Repository,
    request: CampaignRequest,
    tree: Path,
    run: Run,
    words: Sequence[str],
    found: Sweep,
    printer: Printer,
) -> dict[str, Any]:
    """Make the series, print it, and return its document.

    `tree` is the repository's folder as the user gave it. `words` are the command line's that say
    what was changed, without the semantic patch.
    """
    # Mails, trailers and templates take longer to import than a run takes that finds all kept.
    from patchgen.campaign import make_campaign

    made = make_campaign(repository, request, run.base, found.edits, _origin(run, words, found))
    _print(made, request.split, tree, run.base.oid, printer)
    series = made.series
    return {
        "branch": series.branch,
        "change_id": series.change_id,
        "tip": series.tip,
        "patches": [
            {
                "subject": draft.subject,
                "commit": commit,
                "group": group.name,
                "files": list(map(str, group.paths)),
            }
            for group, draft, commit in zip(made.groups, series.drafts, series.commits, strict=True)
        ],
        "mails": [str(path) for path in made.mails],
        "warnings": list(made.warnings),
    }


def _origin(run: Run, words: Sequence[str], found: Sweep) -> Origin:
    from patchgen.campaign import Origin

    bound = run.ready[0].bound
    assert bound is not None
    header = bound.cocci.header
    name = public_name(bound.cocci.name)
    return Origin(
        name=name,
        text=bound.cocci.text,
        purpose=header.purpose,
        comments=header.comments,
        command=shlex.join(["patchgen", "run", name, *words]),
        spatch=find_spatch().version,
        hits={rule.rule: rule.hits for rule in found.rules},
    )


def _print(made: Campaign, split: Split, tree: Path, base: Oid, printer: Printer) -> None:
    series = made.series
    for warning in made.warnings:
        printer.warning(warning)
    count = len(series.commits)
    by_maintainer = split is Split.MAINTAINER
    rows = zip(made.groups, series.drafts, series.stats, strict=True)
    for number, (group, draft, stat) in enumerate(rows, 1):
        printer.line(f"  {number}/{count} {draft.subject} ({summarise_patch(group.edits, stat)})")
        who = read_recipients(made.mails[number])
        # The people of a mail can differ from those of a section: a configuration adds and ignores.
        printer.line(f"      {name_people(who.to) if by_maintainer and who.to else group.name}")
    print_next(printer, tree, base, series.branch, made.mails)
