# SPDX-License-Identifier: GPL-2.0-or-later
"""Options whose default can be set in the user's configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from patchgen.spec import Setting, Settings

_Command = TypeVar("_Command", bound=Callable[..., Any])


class SettingOption(click.Option):
    """An option with a key in the user's configuration, which its help names."""

    def __init__(self, *args: Any, setting: str, **attrs: Any):
        super().__init__(*args, **attrs)
        self.help = f"{self.help}  [config: {setting}]"
        self.setting = setting

    def consume_value(
        self, ctx: click.Context, opts: Mapping[str, Any]
    ) -> tuple[Any, ParameterSource]:
        """Return the value of the command line, else the setting, else the default."""
        value, source = super().consume_value(ctx, opts)
        if source is ParameterSource.DEFAULT and not ctx.resilient_parsing:
            setting = find_setting(ctx, self.setting)
            if setting is not None:
                return setting.value, ParameterSource.DEFAULT_MAP
        return value, source


def setting_option(*names: str, setting: str, **attrs: Any) -> Callable[[_Command], _Command]:
    """Return an option as click.option() does, with a key in the user's configuration."""
    return click.option(*names, cls=SettingOption, setting=setting, **attrs)


def find_setting(ctx: click.Context, key: str) -> Setting | None:
    """Return the user's setting for a key. Raises SpecError if the configuration is wrong."""
    # click handles the parameters of the command line first, so --tree has its value by now.
    return settings_in(ctx, ctx.params.get("tree") or Path()).find(key)


def settings_in(ctx: click.Context, tree: Path) -> Settings:
    """Return the settings that apply in a folder, read once for a run of the program."""
    cached: tuple[Path, Settings] | None = ctx.meta.get(__name__)
    if cached is None or cached[0] != tree:
        from patchgen.spec import Settings

        cached = ctx.meta[__name__] = (tree, Settings(tree))
    return cached[1]


def is_given(ctx: click.Context, name: str) -> bool:
    """Return whether a parameter has its value from the command line."""
    return ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
