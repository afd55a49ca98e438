"""What was built before need not be built again: results by the trees that they follow from.

One JSON file a build, named by a digest of all that it follows from; `_FORMAT` is its version.
A failure is not kept: what was missing may have been installed meanwhile.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from patchgen.kernel import BuildConfig
from patchgen.model.base import Oid
from patchgen.model.build import Build, BuiltObject
from patchgen.scratch import owned_folder

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class BuildCache:
    """Results of builds. `tools` are the versions of all programs that take part."""

    folder: Path
    tools: Sequence[str]

    def key(self, base: Oid, tree: Oid, config: BuildConfig, targets: Sequence[str]) -> str:
        """Return the name under which a build's result is kept; both ids are trees."""
        text = config.file.read_text() if config.file else ""
        return self.name([base, tree, repr(config), text, list(targets)])

    def name(self, parts: Sequence[object]) -> str:
        """Return a name for what follows from these parts and the tools."""
        document = json.dumps([_FORMAT, *parts, list(self.tools)])
        return hashlib.sha256(document.encode()).hexdigest()

    def find(self, key: str) -> Build | None:
        """Return a build's result that was kept, if it can be read."""
        try:
            document = self.read(key) or {}
            objects = {
                name: BuiltObject(tuple(each["warnings"]), each["functions"])
                for name, each in document["objects"].items()
            }
            return Build(objects, tuple(document["needed"]), tuple(document["undefined"]))
        except (KeyError, TypeError, AttributeError):
            return None

    def keep(self, key: str, build: Build) -> None:
        """Keep a build's result, unless it failed."""
        if build.failure is None:
            document = {
                "objects": {name: asdict(each) for name, each in build.objects.items()},
                "needed": build.needed,
                "undefined": build.undefined,
            }
            self.write(key, document)

    def read(self, key: str) -> dict[str, Any] | None:
        """Return a document that was kept, if it can be read."""
        try:
            document = json.loads((self.folder / f"{key}.json").read_text())
        except (OSError, ValueError):
            return None
        return document if isinstance(document, dict) else None

    def write(self, key: str, document: dict[str, Any]) -> None:
        """Keep a document. Where that is not possible, it is made again next time."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with owned_folder(self.folder, ".new-") as staged:
                file = staged.path / f"{key}.json"
                file.write_text(json.dumps(document))
                file.rename(self.folder / file.name)
        except OSError:
            return
