# SPDX-License-Identifier: GPL-2.0-or-later
"""Build every commit in every configuration, from the base up, in patchgen's own work tree."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from patchgen.cachefile import Cache, make_key
from patchgen.errors import ToolError
from patchgen.kernel import (
    BuildConfig,
    Builder,
    BuildError,
    find_mismatches,
    find_undefined,
)
from patchgen.model.base import Oid
from patchgen.model.build import Build
from patchgen.odb import Checkout
from patchgen.process import map_parallel
from patchgen.scratch import scratch_folder
from patchgen.verify.build_files import prepare_scripts, source_patterns
from patchgen.verify.includers import (
    Includers,
    choose_includers,
    filter_chosen,
    find_includers,
    list_candidates,
    list_read,
)

# Called with a commit, a configuration's name, and the result; None when the build starts.
OnBuild = Callable[[Oid, str, Build | None], None]


@dataclass(frozen=True, slots=True)
class Point:
    """A commit to build, and its tree."""

    commit: Oid
    tree: Oid


@dataclass
class Matrix:
    """The builds to make: commits by configurations.

    `files` are all files that the series touches; a header is built by way of some files that
    include it (includers.py). `folders` are built whole, so that make rebuilds all files in them
    that include a header which a commit touches. `variables` are make's, "NAME=VALUE". `logs` is
    the folder for the output of each build. `run` sets `added_exec_bits` if no script of a commit
    had the exec bit.
    """

    checkout: Checkout
    configs: Sequence[BuildConfig]
    files: Sequence[PurePosixPath]
    folders: Sequence[str]
    jobs: int
    sparse: bool
    cache: Cache
    logs: Path
    variables: Sequence[str] = ()
    added_exec_bits: bool = False
    _is_prepared: bool = False
    _builders: dict[str, Builder] = field(default_factory=dict)
    _includers: Includers = field(default_factory=dict)
    # The duration of the last build in each configuration.
    _seconds: dict[str, float] = field(default_factory=dict)
    # For each configuration, the content of the series' Kconfig files when it was last configured.
    _configured: dict[str, Mapping[PurePosixPath, bytes]] = field(default_factory=dict)

    def run(
        self, base: Point, commits: Sequence[Point], on_build: OnBuild
    ) -> Mapping[tuple[Oid, str], Build]:
        """Return the result of each commit and configuration, cached or built.

        The base is built first. If it fails in a configuration, no commit is built in that
        configuration: the result would not show the effect of the commit itself.
        """
        results: dict[tuple[Oid, str], Build] = {}
        with scratch_folder("build") as output:
            for point in [base, *commits]:
                missing = []
                for config in self.configs:
                    if (result := results.get((base.commit, config.name))) and result.failure:
                        continue
                    cached = self.cache.find_one(Build, self._make_key(base, point, config))
                    if cached is None:
                        missing.append(config)
                    else:
                        results[point.commit, config.name] = cached
                        on_build(point.commit, config.name, cached)
                if missing and not self._is_prepared:
                    self._choose_files(base.commit)
                if missing:
                    self._build_all(output, base, point, missing, results, on_build)
        return results

    def _choose_files(self, base: Oid) -> None:
        """Find the files to build for headers, and check out what all builds need."""
        self._is_prepared = True
        # The key of a cached result contains all that this depends on: the base and `files`.
        self._includers = find_includers(self.checkout, base, self.files)
        folders = [
            *self.folders,
            *(f"arch/{config.arch}" for config in self.configs if config.compiler),
        ]
        groups = [list_candidates(self._includers, config) for config in self.configs]
        includers = [file for group in groups for files in group.values() for file in files]
        self.checkout.choose_files(source_patterns([*self.files, *includers], folders))

    def _build_all(
        self,
        output: Path,
        base: Point,
        point: Point,
        configs: Sequence[BuildConfig],
        results: dict[tuple[Oid, str], Build],
        on_build: OnBuild,
    ) -> None:
        self.checkout.switch(point.commit)
        self.added_exec_bits |= prepare_scripts(self.checkout)

        def build(config: BuildConfig) -> tuple[str, Build]:
            on_build(point.commit, config.name, None)
            before = results[base.commit, config.name] if point is not base else None
            begin = time.monotonic()
            build = self._build(output, point, config, before)
            self._seconds[config.name] = time.monotonic() - begin
            on_build(point.commit, config.name, build)
            return config.name, build

        # make is slow to start, and a series touches few objects: building configurations in
        # parallel uses the processors better than one make with many jobs.
        built = dict(map_parallel(build, slowest_first(configs, self._seconds), workers=self.jobs))
        for config in configs:
            result = results[point.commit, config.name] = built[config.name]
            # A missing program may be installed before the next run.
            if result.failure is None and not result.unchecked:
                self.cache.store_one(self._make_key(base, point, config), result)

    def _build(
        self, output: Path, point: Point, config: BuildConfig, before: Build | None
    ) -> Build:
        """Build one commit in one configuration. `before` is the base's, None for the base."""
        log = self.logs / f"{point.commit[:12]}-{config.name}.log"
        try:
            builder = self._find_builder(output, config, log)
            existing = self._list_existing()
            objects = builder.find_objects(existing)
            includers = self._find_includers(builder, objects, before, log)
            objects = sorted({*objects, *includers})
            built = builder.build([*objects, *self._list_folders()], log)
            needed = builder.find_symbols(objects, "--undefined-only")
            # The base is assumed to define every symbol that its own objects need.
            new = set() if before is None else needed - set(before.needed)
            linkage = find_undefined(builder, objects, new, log.with_suffix(".link.log"))
        except BuildError as err:
            return Build(failure=err.failure)
        mismatches: tuple[str, ...] = ()
        unchecked = ""
        try:
            together = sorted({*built, *linkage.definers})
            mismatches = find_mismatches(builder, together, log.with_suffix(".sections.log"))
        except ToolError as err:
            unchecked = err.message
        read = list_read(builder, built, existing)
        return Build(
            built,
            tuple(sorted(map(str, read))),
            tuple(sorted(map(str, set(existing) - read))),
            tuple(includers),
            tuple(sorted(needed)),
            linkage.undefined,
            mismatches,
            unchecked,
        )

    def _find_includers(
        self, builder: Builder, objects: Sequence[str], before: Build | None, log: Path
    ) -> list[str]:
        """Return the objects to build for headers that are not read for `objects`.

        The base determines them for all commits: in an object that the base does not have, all
        warnings would be new.
        """
        if not self._includers:
            return []
        if before is not None:
            return filter_chosen(builder, self._includers, before.includers)
        built = builder.build([*objects, *self._list_folders()], log)
        unread = self._includers.keys() - list_read(builder, built, self._includers)
        return choose_includers(builder, {header: self._includers[header] for header in unread})

    def _list_folders(self) -> list[str]:
        """Return make's targets for the folders that are built whole."""
        return [f"{folder}/" for folder in self.folders]

    def _find_builder(self, output: Path, config: BuildConfig, log: Path) -> Builder:
        """Return the builder of a configuration, configured for the Kconfig files of the commit."""
        builder = self._builders.setdefault(
            config.name,
            Builder(
                self.checkout.folder,
                output / config.name,
                config,
                jobs=max(1, self.jobs // len(self.configs)),
                sparse=self.sparse,
                variables=self.variables,
            ),
        )
        existing = [file for file in self._list_existing() if file.name.startswith("Kconfig")]
        kconfig = {file: (self.checkout.folder / file).read_bytes() for file in existing}
        # configure() runs make for the prerequisites of all objects, which takes seconds.
        if self._configured.pop(config.name, None) != kconfig:
            builder.configure(log)
        self._configured[config.name] = kconfig
        return builder

    def _list_existing(self) -> list[PurePosixPath]:
        return [file for file in self.files if (self.checkout.folder / file).is_file()]

    def _make_key(self, base: Point, point: Point, config: BuildConfig) -> bytes:
        content = (config.file.read_bytes() if config.file else b"").decode("latin-1")
        targets = [*map(str, self.files), *self._list_folders()]
        variables = list(self.variables)
        return make_key(base.tree, point.tree, repr(config), content, targets, variables)


def slowest_first(
    configs: Iterable[BuildConfig], seconds: Mapping[str, float]
) -> list[BuildConfig]:
    """Return configurations in descending order of the `seconds` that their last build took.

    A long build that starts last would run alone. Configurations without a time are last, in the
    given order.
    """
    return sorted(configs, key=lambda config: -seconds.get(config.name, 0))
