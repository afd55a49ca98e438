# SPDX-License-Identifier: GPL-2.0-or-later
"""Print which recipients the configuration of a tree changes, or that it is not trusted.

Commands that make or send mails call `check_config` before the expensive part, so that an error in
a configuration file is reported at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from patchgen.cli.printer import Printer
from patchgen.controls import escape_controls
from patchgen.odb import Repository
from patchgen.spec import TreeConfig, load_user_people, read_tree_config


def check_config(printer: Printer, tree: Path) -> None:
    """Read all configuration files, and print what the tree's configuration changes.

    Raises SpecError if a file is wrong, RefusedError if `tree` is not in a repository.
    """
    repository = Repository(tree)
    repository.close()
    load_user_people()
    config = read_tree_config(repository.work_tree)
    if config is None:
        return
    if not config.is_trusted:
        printer.warning(
            f"{config.path} is not trusted, so its recipients are not used; "
            "`patchgen trust --tree-config` trusts it as it is now"
        )
        return
    for line in list_people(config):
        printer.note(line)


def list_people(config: TreeConfig) -> Iterator[str]:
    """Yield what a trusted configuration changes, one line for each kind of recipient."""
    assert config.people is not None
    kinds = (
        ("To", config.people.to),
        ("Cc", config.people.cc),
        ("Cc of the cover letter", config.people.cc_cover),
        ("ignored", config.people.ignore),
    )
    for kind, people in kinds:
        if people:
            yield escape_controls(
                f"recipients from {config.path.name}: {kind}: {', '.join(people)}"
            )
