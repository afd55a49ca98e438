"""What a user wants of every series: `[recipients]` in a configuration file.

Two files are read, `$XDG_CONFIG_HOME/patchgen/config.toml` (`~/.config` by default) and then
`.patchgen.toml` at the top of the work tree; lists add up. Format:

    [recipients]
    to = ["list@example.org"]        # get all mails
    cc = ["Bea <bea@example.org>"]
    cc_cover = ["chief@example.org"] # get the cover letter
    ignore = ["gone@example.org"]    # get nothing, whatever get_maintainer.pl says
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from patchgen.spec.toml import load_toml


class People(BaseModel):
    """Who gets the mails of a series beside its maintainers, and who does not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    cc_cover: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def with_more(
        self, to: tuple[str, ...] = (), cc: tuple[str, ...] = (), cc_cover: tuple[str, ...] = ()
    ) -> People:
        """Return these people and more."""
        return People(
            to=(*self.to, *to),
            cc=(*self.cc, *cc),
            cc_cover=(*self.cc_cover, *cc_cover),
            ignore=self.ignore,
        )


class Config(BaseModel):
    """A configuration file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipients: People = People()


def load_people(work_tree: Path | None) -> People:
    """Return the people of all configuration files. Raises SpecError that names file and key."""
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    files = [Path(home) / "patchgen" / "config.toml"]
    files += [work_tree / ".patchgen.toml"] if work_tree is not None else []
    found = [load_toml(path, Config).recipients for path in files if path.is_file()]
    return People(
        to=tuple(who for each in found for who in each.to),
        cc=tuple(who for each in found for who in each.cc),
        cc_cover=tuple(who for each in found for who in each.cc_cover),
        ignore=tuple(who for each in found for who in each.ignore),
    )
