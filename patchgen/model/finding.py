"""What a check has to say of a commit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from patchgen.model.base import Oid


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or worth knowing where it is no `failure`.

    `check` is the name of the check. `commit` is None for what concerns the series as a whole.
    `where` is a file, with a line where one is known; `config` the configuration that was built;
    `log` the whole output of the program that found it.
    """

    check: str
    text: str
    commit: Oid | None = None
    where: str = ""
    config: str = ""
    log: Path | None = None
    failure: bool = True

    def __str__(self) -> str:
        """Give the finding in one line, without its commit."""
        config = f" [{self.config}]" if self.config else ""
        where = f"{self.where}: " if self.where else ""
        log = f" (all of it: {self.log})" if self.log else ""
        return f"{self.check}{config}: {where}{self.text}{log}"
