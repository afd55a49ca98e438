# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen run --split`: the options of a series, and the output about it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from patchgen.cli.options import branch_option, new_series_options, version_option
from patchgen.cli.printer import Printer
from patchgen.cli.series_output import (
    list_people,
    name_people,
    print_diffs,
    print_next,
    print_recipients,
    summarise_patch,
    warn_of_sending,
)
from patchgen.cli.settings import find_setting, is_given, setting_option
from patchgen.cli.terminal import is_terminal
from patchgen.commands.run import RunPlan, require_campaign
from patchgen.errors import PatchgenError, UsageError
from patchgen.model.series import RecipientRoles
from patchgen.model.sweep import CampaignRequest, Split, Sweep
from patchgen.odb import Repository

if TYPE_CHECKING:
    from patchgen.campaign import Campaign
    from patchgen.sweep import SweepRequest

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _read_text(ctx: click.Context, param: click.Parameter, path: Path | None) -> str | None:
    """Return the text of a file. Raises BadParameter if it is empty or not UTF-8."""
    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise click.BadParameter(f"{path} is not UTF-8") from None
    except OSError as err:
        raise click.BadParameter(f"{path} cannot be read: {err.strerror}") from None
    if not text.strip():
        raise click.BadParameter(f"{path} is empty")
    return text


def _text_option(option: str, meaning: str) -> Callable[[_Command], _Command]:
    kind = click.Path(exists=True, dir_okay=False, path_type=Path)
    return click.option(option, type=kind, callback=_read_text, metavar="FILE", help=meaning)


# Mailing lists hold or reject mails with long headers.
_MAX_RECIPIENTS = 30
# Options that require --split.
_ONLY_WITH_SPLIT = {
    "max_patches": "--max-patches",
    "recipients": "--recipients",
    "max_recipients": "--max-recipients",
    "subject": "--subject",
    "message": "--message",
    "cover": "--cover",
    "edit": "--edit",
    "dry_run": "--dry-run",
    "branch": "--branch",
    "revision": "-v",
    "output": "-o",
    "sign_off": "--signoff",
    "force": "--force",
    "to": "--to",
    "cc": "--cc",
    "cover_cc": "--cc-cover",
    "get_maintainer": "--get-maintainer",
}
_CONFIGURED = "configured"


class _SplitChoice(click.Choice):  # type: ignore[type-arg]
    """A way to split; --split without a value means the configured one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == _CONFIGURED and ctx is not None:
            setting = find_setting(ctx, "split")
            return str(setting.value if setting else Split.TREE)
        return super().convert(value, param, ctx)


_OPTIONS = (
    click.option(
        "--split",
        type=_SplitChoice([split.value for split in Split]),
        is_flag=False,
        flag_value=_CONFIGURED,
        help="Make a series with one patch for each git tree that takes patches (tree, the "
        "default), for each maintainer, subsystem, directory or file, or a single patch (none).  "
        "[config: split]",
    ),
    setting_option(
        "--max-patches",
        "max_patches",
        setting="max_patches",
        type=click.IntRange(min=1),
        metavar="N",
        help="Join the smallest patches of the same git tree until at most N are left.",
    ),
    setting_option(
        "--recipients",
        setting="recipients.roles",
        type=click.Choice([roles.value for roles in RecipientRoles]),
        help="Who gets a patch: the lists of its files, their maintainers, too, or also reviewers "
        "(all). The cover letter goes to the lists, and to people who get more than one patch; "
        "with all, to everybody.  [default: maintainers with --split tree, else all]",
    ),
    setting_option(
        "--max-recipients",
        setting="recipients.max",
        type=click.IntRange(min=1),
        metavar="N",
        help="The largest number of recipients of a mail: those with the most files.  "
        f"[default: {_MAX_RECIPIENTS}]",
    ),
    click.option("--subject", metavar="TEXT", help="The text of all subjects, after the prefix."),
    _text_option(
        "--message",
        "The beginning of all messages, in place of the /// lines of the semantic patch. Its first "
        "line is the subject if an empty line follows it.",
    ),
    _text_option("--cover", "The subject and the beginning of the cover letter."),
    click.option(
        "--edit", is_flag=True, help="Edit the message and the cover letter in your editor."
    ),
    click.option(
        "--dry-run",
        "dry_run",
        is_flag=True,
        help="Show the patches, their sizes, recipients and diffs, but write nothing.",
    ),
    branch_option("patchgen/NAME-vN"),
    version_option("1, or one more than the newest version that was sent"),
    new_series_options,
)


def campaign_options(command: _Command) -> _Command:
    """Add the options of a series to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_campaign(options: dict[str, Any]) -> tuple[CampaignRequest | None, bool]:
    """Remove the series' options from a command's; return the request, and whether to edit texts.

    The request is None without --split. Raises UsageError for a series' option without --split.
    """
    split = options.pop("split")
    series_options = {name: options.pop(name) for name in _ONLY_WITH_SPLIT}
    if split is None:
        ctx = click.get_current_context()
        for name, option in _ONLY_WITH_SPLIT.items():
            if series_options[name] and is_given(ctx, name):
                raise UsageError(
                    f"{option} requires --split",
                    code="option-combination",
                    hint="choose how to divide the series: --split ...",
                )
        return None, False
    roles = series_options.pop("recipients")
    max_recipients = series_options.pop("max_recipients") or _MAX_RECIPIENTS
    edit = series_options.pop("edit")
    request = CampaignRequest(
        Split(split),
        recipients=roles and RecipientRoles(roles),
        max_recipients=max_recipients,
        **series_options,
    )
    return request, edit


def check_campaign(
    repository: Repository, request: CampaignRequest, plan: RunPlan, *, edit: bool
) -> None:
    """Refuse, before the sweep, runs that cannot become one series, and invalid recipients.

    With `edit`, refuse a run without a terminal, too. Raises a PatchgenError.
    """
    from patchgen.pipeline.recipients import find_people

    repository.read_signatures()
    find_people(repository, request)
    require_campaign(plan)
    if edit and not all(map(is_terminal, (sys.stdin, sys.stdout))):
        raise UsageError(
            "--edit cannot start an editor without a terminal",
            code="no-terminal",
            hint="--message and --cover read the texts from files",
        )


def publish_campaign(
    repository: Repository,
    campaign: CampaignRequest,
    request: SweepRequest,
    sweep: Sweep,
    printer: Printer,
    *,
    edit: bool,
) -> dict[str, Any]:
    """Make a series of the changes that a run found, print it, and return its document.

    With `edit`, the user edits its texts first.
    """
    # Importing mails, trailers and templates takes longer than a run whose results are all cached.
    from patchgen.campaign import make_campaign
    from patchgen.cli.editor import TextEditor

    editor = TextEditor()
    try:
        result = make_campaign(
            repository, campaign, request, sweep, edit_texts=editor.edit if edit else None
        )
    except PatchgenError:
        if editor.saved:
            files = " and ".join(map(str, editor.saved))
            printer.note(
                f"your edited text is in {files} (--message and --cover read it from there)"
            )
        raise
    _print(result, campaign, request, printer)
    document = _describe(result)
    # A new branch cannot have been sent.
    if campaign.force and result.mails:
        document["warnings"] += warn_of_sending(request.run.tree, result.branch)
    return document


def _describe(result: Campaign) -> dict[str, Any]:
    from patchgen.mail import list_recipients

    series = result.series
    rows = zip(
        result.change.patches,
        series.commits,
        map(list_recipients, series.mails[1:]),
        strict=True,
    )
    return {
        "branch": result.branch,
        "change_id": series.tracking.change_id,
        "tip": series.tip,
        "patches": [
            {
                "subject": patch.subject,
                "commit": commit,
                "group": patch.group.name,
                "tree": patch.group.tree.location if patch.group.tree else None,
                "files": list(map(str, patch.group.paths)),
                "places": patch.count.changed,
                "left": {str(reason): number for reason, number in patch.count.left.items()},
                "to": list(people.to),
                "cc": list(people.cc),
            }
            for patch, commit, people in rows
        ],
        "mails": [str(path) for path in result.mails],
        "warnings": list(result.warnings),
        **({"diffs": result.diffs} if result.diffs else {}),
    }


def _print(
    result: Campaign, campaign: CampaignRequest, request: SweepRequest, printer: Printer
) -> None:
    from patchgen.mail import list_recipients

    series = result.series
    for warning in result.warnings:
        printer.warning(warning)
    count = len(series.commits)
    rows = zip(result.change.patches, series.stats, series.mails[1:], strict=True)
    for number, (patch, stat, mail) in enumerate(rows, 1):
        group = patch.group
        size = f", {len(mail.content) / 1000:.1f} kB" if campaign.dry_run else ""
        changes = summarise_patch(group.edits, stat)
        printer.line(f"  {number}/{count} {patch.subject} ({changes}{size})")
        # A configuration can add people to a section's and ignore some, so read the mail itself.
        people = list_recipients(mail)
        if campaign.split is Split.TREE:
            printer.line(f"      {group.tree.location if group.tree else group.name}")
        elif campaign.split is not Split.MAINTAINER or not people.to:
            printer.line(f"      {group.name}")
        else:
            printer.line(f"      {name_people(people.to)}")
        if campaign.dry_run:
            list_people(printer, people, indent="      ")
    if campaign.dry_run:
        print_recipients(printer, list_recipients(series.mails[0]))
        print_diffs(printer, result.diffs)
        return
    tree, base, is_new = request.run.tree, request.base.oid, not campaign.force
    print_next(printer, tree, base, result.branch, result.mails, is_new=is_new)
