# SPDX-License-Identifier: GPL-2.0-or-later
"""What is printed of a configuration that comes with a tree: what it changes, or that it does not.

Commands that make or send mails call `check_config` before their work, so that an error in a
configuration file costs no time.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from patchgen.cli.printer import Printer
from patchgen.controls import escape_controls
from patchgen.odb import Repository
from patchgen.spec import TreeConfig, load_own_people, read_tree_config


def check_config(printer: Printer, tree: Path) -> None:
    """Read all configuration files, and print what a tree's changes.

    Raises SpecError where one is wrong, BaseError where `tree` is in no repository.
    """
    repository = Repository(tree)
    repository.close()
    load_own_people()
    config = read_tree_config(repository.work_tree)
    if config is None:
        return
    if not config.is_trusted:
        printer.warning(
            f"{config.path} is not trusted, so its recipients are not used; "
            "`patchgen trust --config` trusts it as it is now"
        )
        return
    for line in list_people(config):
        printer.note(line)


def list_people(config: TreeConfig) -> Iterator[str]:
    """Yield what a trusted configuration changes, a line for each kind of recipient."""
    assert config.people is not None
    kinds = (
        ("To", config.people.to),
        ("Cc", config.people.cc),
        ("Cc of the cover letter", config.people.cc_cover),
        ("nothing to", config.people.ignore),
    )
    for kind, people in kinds:
        if people:
            yield escape_controls(
                f"recipients from {config.path.name}: {kind}: {', '.join(people)}"
            )
