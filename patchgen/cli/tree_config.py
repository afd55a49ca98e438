# SPDX-License-Identifier: GPL-2.0-or-later
"""Print what the configuration file of a tree changes in a series, or warn that it is not trusted.

Commands that make or send mails call `check_config` before the expensive part, so that an error in
a configuration file is reported at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from patchgen.cli.printer import Printer
from patchgen.cli.settings import settings_in
from patchgen.controls import escape_controls
from patchgen.spec import TreeConfig, list_values

_MEANINGS = {
    "recipients.to": "recipients from {name}: To",
    "recipients.cc": "recipients from {name}: Cc",
    "recipients.cc_cover": "recipients from {name}: Cc of the cover letter",
    "recipients.ignore": "recipients from {name}: ignored",
}


def check_config(printer: Printer, tree: Path) -> None:
    """Read all configuration, and print what the tree's file changes.

    Raises SpecError if a file or a setting is wrong. A folder outside of a repository has the
    user's settings; the command itself refuses it.
    """
    settings = settings_in(click.get_current_context(), tree)
    settings.check()
    config = settings.tree_config
    if config is None:
        return
    if not config.is_trusted:
        printer.warning(
            f"{config.path} is not trusted, so its recipients are not used; "
            "`patchgen trust --tree-config` trusts it as it is now"
        )
        return
    for line in list_changes(config):
        printer.note(line)


def list_changes(config: TreeConfig) -> Iterator[str]:
    """Yield what a trusted configuration changes, one line for each key."""
    assert config.config is not None
    values = dict(list_values(config.config))
    for key in (*_MEANINGS, *(name for name in values if name not in _MEANINGS)):
        if value := values.get(key):
            meaning = _MEANINGS.get(key, f"{key} from {{name}}").format(name=config.path.name)
            text = ", ".join(value) if isinstance(value, tuple) else str(value)
            yield escape_controls(f"{meaning}: {text}")
