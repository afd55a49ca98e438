"""Build every commit in every configuration, from the base up, in a work tree of patchgen's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from patchgen.errors import BaseError
from patchgen.kernel import BuildConfig, Builder, BuildError, find_undefined
from patchgen.model.base import Oid
from patchgen.model.build import Build
from patchgen.odb import Checkout
from patchgen.process import map_parallel
from patchgen.scratch import scratch_folder
from patchgen.verify.cache import BuildCache

# Called with a commit, a configuration's name, and what is known of that build: None as it begins.
OnBuild = Callable[[Oid, str, Build | None], None]

# What building any object takes; drivers and documentation are most of a kernel tree.
NEEDED = (
    "/*",
    "!/*/",
    "/block/",
    "/certs/",
    "/crypto/",
    "/include/",
    "/init/",
    "/io_uring/",
    "/ipc/",
    "/kernel/",
    "/lib/",
    "/mm/",
    "/rust/",
    "/scripts/",
    "/security/",
    "/tools/",
    "!/tools/testing/",
    "!/tools/perf/",
    "/usr/",
    "/virt/",
    "/arch/*",
    "!/arch/*/",
    "/arch/x86/",
    "Kconfig*",
    "Makefile*",
    "Kbuild*",
    "*.h",
    "!/drivers/gpu/drm/amd/include/",
)


@dataclass(frozen=True, slots=True)
class Point:
    """A commit to build, and its tree."""

    commit: Oid
    tree: Oid


@dataclass
class Matrix:
    """What to build: commits by configurations.

    `files` are all that the series touches. `folders` are built whole: what includes a header that
    a commit touches is built again by make. `logs` is where the output of each build goes.
    """

    checkout: Checkout
    configs: Sequence[BuildConfig]
    files: Sequence[PurePosixPath]
    folders: Sequence[str]
    jobs: int
    sparse: bool
    cache: BuildCache
    logs: Path
    _builders: dict[str, Builder] = field(default_factory=dict)

    def run(
        self, base: Point, commits: Sequence[Point], on_build: OnBuild
    ) -> Mapping[tuple[Oid, str], Build]:
        """Build what was not built before, and return the result of each commit and configuration.

        The first is the base's own. Raises BaseError where the base itself does not build.
        """
        self.checkout.choose_files([*NEEDED, *around(self.files), *self.folders])
        results: dict[tuple[Oid, str], Build] = {}
        with scratch_folder("build") as output:
            for point in [base, *commits]:
                missing = []
                for config in self.configs:
                    kept = self.cache.find(self._key(base, point, config))
                    if kept is None:
                        missing.append(config)
                    else:
                        results[point.commit, config.name] = kept
                        on_build(point.commit, config.name, kept)
                if missing:
                    self._build_all(output, base, point, missing, results, on_build)
        return results

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

        def build(config: BuildConfig) -> tuple[BuildConfig, Build]:
            on_build(point.commit, config.name, None)
            before = results[base.commit, config.name] if point is not base else None
            build = self._build(output, point, config, before)
            on_build(point.commit, config.name, build)
            return config, build

        # make is slow to start, and a series touches few objects: configurations side by side use
        # the processors better than one make with many jobs.
        for config, result in map_parallel(build, configs, workers=self.jobs):
            if result.failure is not None and point is base:
                raise BaseError(
                    f"the base itself does not build as {config.name}: {result.failure.error}",
                    hint=f"all that make said: {result.failure.log}",
                )
            results[point.commit, config.name] = result
            self.cache.keep(self._key(base, point, config), result)

    def _build(
        self, output: Path, point: Point, config: BuildConfig, before: Build | None
    ) -> Build:
        """Build one commit in one configuration. `before` is the base's, None for the base."""
        log = self.logs / f"{point.commit[:12]}-{config.name}.log"
        first = config.name not in self._builders
        builder = self._builders.setdefault(
            config.name,
            Builder(
                self.checkout.folder,
                output / config.name,
                config,
                jobs=max(1, self.jobs // len(self.configs)),
                sparse=self.sparse,
            ),
        )
        try:
            if first or any(file.name.startswith("Kconfig") for file in self.files):
                builder.configure(log)
            objects = builder.find_objects(self._existing())
            built = builder.build([*objects, *(f"{folder}/" for folder in self.folders)], log)
            needed = builder.find_symbols(objects, "--undefined-only")
            # What the base's objects need, the base must have.
            known = needed if before is None else set(before.needed)
            undefined = find_undefined(builder, objects, known, log.with_suffix(".link.log"))
        except BuildError as err:
            return Build(failure=err.failure)
        return Build(built, tuple(sorted(needed)), undefined)

    def _existing(self) -> list[PurePosixPath]:
        return [file for file in self.files if (self.checkout.folder / file).is_file()]

    def _key(self, base: Point, point: Point, config: BuildConfig) -> str:
        targets = [*map(str, self.files), *(f"{folder}/" for folder in self.folders)]
        return self.cache.key(base.tree, point.tree, config, targets)


def needed_patterns() -> tuple[str, ...]:
    """Return patterns for the files that building any object of a kernel takes."""
    return NEEDED


def around(files: Iterable[PurePosixPath]) -> list[str]:
    """Return patterns for the folders of files, whole: what they include is beside them."""
    return sorted({f"/{file.parent}/" for file in files if file.parent != PurePosixPath()})
