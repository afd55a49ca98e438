# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen verify`: run the checks of a series, cheap ones first."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from patchgen.cachefile import Cache, cache_file, cache_path
from patchgen.commands.series_lint import SeriesLint
from patchgen.errors import UsageError
from patchgen.kernel import (
    BuildConfig,
    has_checkpatch,
    read_compiler_versions,
    read_qemu_version,
)
from patchgen.model.base import Oid
from patchgen.model.build import Build
from patchgen.model.finding import Finding
from patchgen.odb import Checkout, Repository, resolve_object, resolve_paths
from patchgen.resources import digest_code
from patchgen.verify.boots import BootTrial
from patchgen.verify.build_files import list_products
from patchgen.verify.builds import Matrix, Point
from patchgen.verify.checked_series import CheckedSeries, find_am_fault, list_touched, open_target
from patchgen.verify.checkpatch_findings import check_patch
from patchgen.verify.compare_posted import check_against
from patchgen.verify.file_symbols import FileSymbols
from patchgen.verify.judge import (
    find_reached,
    is_compared,
    is_compiled,
    judge_base_failure,
    judge_builds,
    list_never_built,
)
from patchgen.verify.record_testing import check_recordable, record_testing
from patchgen.verify.request import VerifyRequest, choose_configs, read_configs
from patchgen.verify.sections import SEARCHED, InitStores


@dataclass(frozen=True, slots=True)
class Cell:
    """A check or a configuration that starts (`findings` None) or ends for a commit.

    `is_idle` is set if the check had nothing to check in the commit, or the configuration builds
    none of the files that the commit changes.
    """

    commit: Oid
    column: str
    findings: int | None
    is_idle: bool = False


OnStart = Callable[[CheckedSeries, Sequence[str]], None]
OnCell = Callable[[Cell], None]


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """The checks that ran, and their findings.

    `columns` are the checks and configurations that ran. `changed` are for each commit the
    functions whose machine code it changes, by each configuration in which that was compared, and
    `reached` the configurations that build files that it changes. `checked` are the numbers of the
    commits that the columns checked, without those that checked none: a configuration checks only
    commits that change files that it builds. `recorded` is the text that was written into the cover
    letter, or "".
    """

    target: CheckedSeries
    columns: tuple[str, ...]
    findings: tuple[Finding, ...]
    changed: Mapping[Oid, Mapping[str, Sequence[str]]]
    reached: Mapping[Oid, Sequence[str]]
    checked: Mapping[str, int]
    seconds: float
    recorded: str = ""

    @property
    def failed(self) -> Oid | None:
        """The first commit with a failure, or None."""
        bad = {finding.commit for finding in self.findings if finding.failure}
        return next((c.oid for c in self.target.commits if c.oid in bad), None)

    @property
    def passed(self) -> bool:
        """Whether no finding is a failure."""
        return not any(finding.failure for finding in self.findings)


def verify_series(
    request: VerifyRequest,
    *,
    on_start: OnStart = lambda target, columns: None,
    on_cell: OnCell = lambda cell: None,
) -> VerifyReport:
    """Check a series, and return the findings. Raises a PatchgenError if a check cannot run."""
    begin = time.monotonic()
    named_configs = read_configs(request)
    repository = Repository(request.tree)
    try:
        with Checkout(repository) as checkout:
            target = open_target(repository, checkout, request.series, request.start)
            if request.record:
                check_recordable(repository, target)
            _check_folders(checkout, target, request.folders)
            compiled = is_compiled(target.commits)
            skipped = {*request.skip, *(() if compiled else ("sections",))}
            configs: Sequence[BuildConfig] = []
            if compiled and "build" not in request.skip:
                configs = named_configs or choose_configs(target)
            run = _VerifyRun(request, repository, checkout, target, configs, skipped, on_cell)
            on_start(target, run.columns)
            findings = run.check_all()
            report = VerifyReport(
                target,
                run.columns,
                tuple(findings),
                run.changed,
                run.reached,
                run.count_checked(),
                time.monotonic() - begin,
            )
            if request.record and report.passed:
                report = replace(report, recorded=run.record(findings))
            return report
    finally:
        repository.close()


def _check_folders(checkout: Checkout, target: CheckedSeries, names: Collection[str]) -> None:
    """Refuse folders that the series' last commit does not have: make's error comes late."""
    for path, _, is_folder in resolve_paths(checkout, target.tip, list(map(PurePosixPath, names))):
        if not is_folder:
            raise UsageError(
                f"{path} is not a folder",
                code="path-unknown",
                hint="files that the series changes are built anyway",
                parameters=("folders",),
            )


class _VerifyRun:
    """One run over one series, with the state that the checks share."""

    def __init__(
        self,
        request: VerifyRequest,
        repository: Repository,
        checkout: Checkout,
        target: CheckedSeries,
        configs: Sequence[BuildConfig],
        skip: Collection[str],
        on_cell: OnCell,
    ):
        self.request = request
        self.repository = repository
        self.checkout = checkout
        self.target = target
        self.configs = configs
        self.on_cell = on_cell
        self.changed: dict[Oid, dict[str, list[str]]] = {}
        self.reached: dict[Oid, tuple[str, ...]] = {}
        self.stores: dict[Oid, list[Finding]] = {}
        self._checked: dict[str, set[Oid]] = {}
        self._folder = cache_path("verify")
        skipped = {*skip, *(() if configs else ("code",))}
        first = ("lint", "checkpatch", "am")
        last = ("sections", "code")
        self.columns = (
            *(name for name in first if name not in skipped),
            *(config.name for config in configs),
            *(name for name in last if name not in skipped),
            *(["boot"] if request.boot else []),
        )

    @property
    def compilers(self) -> list[str]:
        """The prefixes of the cross compilers."""
        return [config.compiler for config in self.configs if config.compiler]

    def check_all(self) -> list[Finding]:
        """Run the requested checks, cheap ones first."""
        findings: list[Finding] = []
        base = self.target.base
        # The scripts, and the files that `git am` writes; builds check out more.
        self.checkout.choose_files(["/*", "!/*/", "/scripts/", *list_touched(self.target.mails)])
        self.checkout.switch(base)
        if "lint" in self.columns:
            findings += self._lint()
        if "checkpatch" in self.columns:
            findings += self._run_checkpatch()
        if "am" in self.columns:
            findings += self._check_round_trip()
        if "sections" in self.columns:
            findings += self._find_init_stores()
        if self.configs:
            findings += self._build()
        if self.request.boot:
            findings += self._boot()
        if self.request.against is not None:
            findings += check_against(
                self.repository, self.checkout, self.target, self.request.against
            )
        return findings

    def record(self, findings: Sequence[Finding]) -> str:
        """Write the passed checks into the cover letter, and return that text."""
        assert self.target.series is not None
        active = list(self.count_checked())
        return record_testing(
            self.repository,
            self.target.series,
            active,
            findings,
            self.request.make_variables,
            [
                config.compiler
                for config in self.configs
                if config.compiler and config.name in active
            ],
            self.request.skip,
        )

    def count_checked(self) -> dict[str, int]:
        """Return the columns that checked at least one commit, with the number of commits."""
        oids = {commit.oid for commit in self.target.commits}
        checked = {column: self._checked.get(column, set()) & oids for column in self.columns}
        return {column: len(commits) for column, commits in checked.items() if commits}

    def _end(
        self, commit: Oid, column: str, findings: Iterable[Finding], *, is_idle: bool = False
    ) -> list[Finding]:
        results = list(findings)
        failures = sum(finding.failure for finding in results)
        if failures or not is_idle:
            self._checked.setdefault(column, set()).add(commit)
        self.on_cell(Cell(commit, column, failures, is_idle))
        return results

    def _lint(self) -> list[Finding]:
        lint = SeriesLint(self.checkout, self.target)
        findings = []
        for commit, commit_findings in lint.check_commits():
            findings += self._end(commit, "lint", commit_findings)
        return [*findings, *lint.check_series()]

    def _run_checkpatch(self) -> list[Finding]:
        findings: list[Finding] = []
        if self.request.optional and not has_checkpatch(self.checkout.folder):
            return [Finding("checkpatch", "the base has no checkpatch.pl", failure=False)]
        for commit, mail in zip(self.target.commits, self.target.mails, strict=True):
            self.on_cell(Cell(commit.oid, "checkpatch", None))
            record = self.target.record
            commit_findings = check_patch(self.checkout.folder, commit.oid, mail, record)
            findings += self._end(commit.oid, "checkpatch", commit_findings)
        return findings

    def _check_round_trip(self) -> list[Finding]:
        """Let `git am` apply the mail of each commit to its parent, and compare the trees.

        Each mail is applied to the real parent: after a fault, the following mails are still
        judged on their own.
        """
        findings: list[Finding] = []
        parent = self.target.base
        for commit, mail in zip(self.target.commits, self.target.mails, strict=True):
            self.on_cell(Cell(commit.oid, "am", None))
            text = find_am_fault(self.checkout, parent, commit, mail)
            commit_findings = [Finding("am", text, commit.oid)] if text else []
            findings += self._end(commit.oid, "am", commit_findings)
            parent = commit.oid
        return findings

    def _find_init_stores(self) -> list[Finding]:
        """Find stores in the source that modpost cannot see in the objects."""
        search = InitStores(self.checkout)
        findings: list[Finding] = []
        parent = self.target.base
        for commit in self.target.commits:
            self.on_cell(Cell(commit.oid, "sections", None))
            self.stores[commit.oid] = search.find(parent, commit)
            findings += self.stores[commit.oid]
            if not self.configs:
                is_idle = not any(file.suffix in SEARCHED for file in commit.files)
                self._end(commit.oid, "sections", self.stores[commit.oid], is_idle=is_idle)
            parent = commit.oid
        return findings

    def _build(self) -> list[Finding]:
        base = self._make_base_point()
        sparse = shutil.which("sparse") is not None
        points = [Point(commit.oid, commit.tree) for commit in self.target.commits]
        with self._open_cache(f"sparse {sparse}") as cache:
            matrix = Matrix(
                checkout=self.checkout,
                configs=self.configs,
                files=sorted({file for commit in self.target.commits for file in commit.files}),
                folders=[name.strip("/") for name in self.request.folders],
                jobs=self.request.jobs,
                sparse=sparse,
                cache=cache,
                logs=self._folder / "logs",
                variables=self.request.make_variables,
            )
            builds = matrix.run(base, points, self._on_build)
        findings: list[Finding] = []
        if matrix.added_exec_bits:
            text = "no script of the base has the exec bit; it was set for the build"
            findings.append(Finding("build", text, failure=False))
        if products := list_products(self.checkout, base.commit):
            text = (
                f"the base has committed build products, which were left out: {', '.join(products)}"
            )
            findings.append(Finding("build", text, failure=False))
        for config in self.configs:
            if (failure := builds[base.commit, config.name].failure) is not None:
                findings.append(judge_base_failure("build", config.name, failure))
        return [
            *findings,
            *self._judge(base, builds),
            *list_never_built(
                self.target.commits,
                self.configs,
                builds,
                FileSymbols(self.checkout, base.commit).find,
            ),
        ]

    def _judge(self, base: Point, builds: Mapping[tuple[Oid, str], Build]) -> Iterator[Finding]:
        verdicts = judge_builds(
            self.target.commits, base.commit, self.configs, builds, self.changed
        )
        self.reached = {
            commit.oid: find_reached(commit, self.configs, builds) for commit in self.target.commits
        }
        for oid, column, findings in verdicts:
            if column in self.columns:
                stores = self.stores[oid] if column == "sections" else ()
                is_idle = self._is_idle(oid, column)
                self._end(oid, column, [*stores, *findings], is_idle=is_idle)
                yield from findings

    def _is_idle(self, oid: Oid, column: str) -> bool:
        """Return whether the builds of a commit left a check without anything to check."""
        reached = self.reached[oid]
        if column == "sections":
            return not reached
        if column == "code":
            [commit] = [commit for commit in self.target.commits if commit.oid == oid]
            return not is_compared(commit, reached, self.changed[oid])
        return column not in reached

    def _boot(self) -> list[Finding]:
        diff = self.checkout.run("diff", "--no-renames", self.target.base, self.target.tip)
        base, last = self._make_base_point(), self.target.commits[-1]
        with self._open_cache(read_qemu_version()) as cache:
            trial = BootTrial(
                checkout=self.checkout,
                jobs=self.request.jobs,
                cache=cache,
                logs=self._folder / "logs",
                variables=self.request.make_variables,
                diff=diff.stdout.decode("utf-8", "replace"),
            )
            differences = trial.run(
                base,
                Point(last.oid, last.tree),
                lambda commit: self.on_cell(Cell(commit, "boot", None)),
            )
            findings = self._end(last.oid, "boot", differences)
        self._end(base.commit, "boot", [])
        return findings

    def _make_base_point(self) -> Point:
        tree = resolve_object(self.checkout, f"{self.target.base}^{{tree}}")
        return Point(self.target.base, tree)

    def _open_cache(self, *tools: str) -> Cache:
        """Return the cache of results that depend on these programs."""
        versions = read_compiler_versions(self.request.make_variables, self.compilers)
        programs = (*versions, *tools)
        return Cache(cache_file(), f"verify {digest_code()} {' '.join(programs)}")

    def _on_build(self, commit: Oid, config: str, build: Build | None) -> None:
        if build is None:
            self.on_cell(Cell(commit, config, None))
        else:
            self.on_cell(Cell(commit, config, int(build.failure is not None)))
