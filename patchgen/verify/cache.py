# SPDX-License-Identifier: GPL-2.0-or-later
"""The cache of build results, by the trees that were built.

There is one JSON file for each build, named by a digest of all its input and sealed for that name
(patchgen.cachefile), so that a damaged file is treated as absent. Failures are not cached: a
missing program may have been installed since.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from patchgen.cachefile import read_cached, write_cached
from patchgen.kernel import BuildConfig
from patchgen.model.base import Oid
from patchgen.model.build import Build, BuiltObject
from patchgen.resources import digest_code


@dataclass(frozen=True, slots=True)
class BuildCache:
    """Cached results of builds. `tools` are the versions of all programs involved."""

    folder: Path
    tools: Sequence[str]

    def key(
        self,
        base: Oid,
        tree: Oid,
        config: BuildConfig,
        targets: Sequence[str],
        variables: Sequence[str] = (),
    ) -> str:
        """Return the name under which a build's result is cached; both ids are of trees."""
        content = (config.file.read_bytes() if config.file else b"").decode("latin-1")
        return self.name([base, tree, repr(config), content, list(targets), list(variables)])

    def name(self, parts: Sequence[object]) -> str:
        """Return the name of a result that depends on these parts and the tools."""
        document = json.dumps([digest_code(), *parts, list(self.tools)])
        return hashlib.sha256(document.encode()).hexdigest()

    def find(self, key: str) -> Build | None:
        """Return the cached result of a build, None if there is none that can be read."""
        try:
            document = self.read(key) or {}
            objects = {
                name: BuiltObject(tuple(each["warnings"]), each["functions"])
                for name, each in document["objects"].items()
            }
            return Build(
                objects,
                tuple(document["needed"]),
                tuple(document["undefined"]),
                tuple(document["mismatches"]),
            )
        except (KeyError, TypeError, AttributeError):
            return None

    def keep(self, key: str, build: Build) -> None:
        """Cache a build's result, unless it failed or is incomplete."""
        if build.failure is None and not build.unchecked:
            document = {
                "objects": {name: asdict(each) for name, each in build.objects.items()},
                "needed": build.needed,
                "undefined": build.undefined,
                "mismatches": build.mismatches,
            }
            self.write(key, document)

    def read(self, key: str) -> dict[str, Any] | None:
        """Return a cached document, None if there is none that can be read."""
        content = read_cached(self.folder / f"{key}.json", key)
        document = None if content is None else json.loads(content)
        return document if isinstance(document, dict) else None

    def write(self, key: str, document: dict[str, Any]) -> None:
        """Cache a document. If that fails, the next run makes it again."""
        write_cached(self.folder / f"{key}.json", key, json.dumps(document).encode())
