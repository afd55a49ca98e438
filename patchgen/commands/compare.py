# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare variants on one base: the size of their changes, and the instructions they execute.

Each variant is generated in memory and compiled in patchgen's own work tree. The instruction that a
hypercall executes before alternatives are patched is read from the machine code; its effect on a
processor comes from a table (patchgen/audit/tables.toml) that is the same for all variants.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from patchgen.audit import HypercallSite, load_tables, read_machine_code
from patchgen.audit.result import Effect, EffectOutcome, Form, Platform
from patchgen.cachefile import cache_path
from patchgen.errors import RefusedError
from patchgen.kernel import (
    BuildConfig,
    Builder,
    BuildError,
    check_build_tools,
    find_config,
)
from patchgen.model.plan import LeftOut
from patchgen.odb import Checkout, Repository
from patchgen.pipeline.generate import GeneratedSeries, VariantRequest, plan_variant, run_plan
from patchgen.scratch import scratch_folder
from patchgen.verify import prepare_scripts, source_patterns

# Files that make hypercalls before alternatives are patched, whether a variant touches them or not.
_ALWAYS = ("arch/x86/kernel/kvm.c", "arch/x86/coco/tdx/tdx.c")
# The platforms that have to report page status, and the instructions that can do it there.
_REPORTING = {
    Platform.SEV: (Form.VMCALL, Form.VMMCALL),
    Platform.SEV_ES: (Form.VMCALL, Form.VMMCALL),
    Platform.TDX: (Form.TDCALL,),
}

OnProgress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """The user's request: the variants to compare, their base, and the number of parallel jobs."""

    variants: tuple[str, ...]
    tree: Path
    base: str = "HEAD"
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class Execution:
    """The instructions that one platform executes, possibly none, and the outcome."""

    instructions: tuple[str, ...]
    outcome: str

    def __str__(self) -> str:
        return ": ".join(filter(None, (" or ".join(self.instructions), self.outcome)))


@dataclass(frozen=True, slots=True)
class Column:
    """A variant in the table, or the base itself.

    `text` is the number of bytes of machine code by object. `hypercalls` and `reports` are the
    executions by platform: of kvm_hypercall*(), and of the report when pages become private or
    shared in early boot. `refused` is the reason why the variant does not apply to the base; all
    else is empty then. `left_out` are its backends and patches that are not for this base.
    """

    name: str
    patches: int = 0
    files: int = 0
    insertions: int = 0
    deletions: int = 0
    text: Mapping[str, int] = field(default_factory=dict)
    hypercalls: Mapping[Platform, Execution] = field(default_factory=dict)
    reports: Mapping[Platform, Execution] = field(default_factory=dict)
    refused: str = ""
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """The base, as the first column, and the variants in the order of the command line."""

    base: str
    config: str
    columns: tuple[Column, ...]


def compare_variants(
    request: CompareRequest, *, on_progress: OnProgress = lambda what: None
) -> Comparison:
    """Generate and compile each variant, and return the table.

    Raises RefusedError if no variant applies to the base, or if one does not compile.
    """
    check_build_tools()
    repository = Repository(request.tree)
    try:
        generated: dict[str, GeneratedSeries | str] = {}
        for name in dict.fromkeys(request.variants):
            on_progress(f"generating {name}")
            generated[name] = _generate(repository, name, request.base)
        results = [result for result in generated.values() if isinstance(result, GeneratedSeries)]
        if not results:
            raise RefusedError(
                f"no variant applies to the base: {next(iter(generated.values()))}",
                code="nothing-applies",
            )
        with Checkout(repository) as checkout, scratch_folder("compare") as output:
            trial = _Trial(checkout, output, find_config("x86_64"), request, results)
            trial.prepare()
            on_progress("compiling the base")
            columns = [trial.measure("(base)", None)]
            for name, result in generated.items():
                on_progress(f"compiling {name}")
                columns.append(
                    trial.measure(name, result)
                    if isinstance(result, GeneratedSeries)
                    else Column(name, refused=result)
                )
    finally:
        repository.close()
    return Comparison(results[0].plan.base.describe, trial.config.name, tuple(columns))


def _generate(repository: Repository, variant: str, base: str) -> GeneratedSeries | str:
    """Return a variant's patches, or the reason why it does not apply."""
    request = VariantRequest(variant, base)
    try:
        return run_plan(plan_variant(repository, request, revision=1), request)
    except RefusedError as err:
        return err.message


@dataclass
class _Trial:
    """The work tree in which the variants are compiled in turn."""

    checkout: Checkout
    output: Path
    config: BuildConfig
    request: CompareRequest
    results: Sequence[GeneratedSeries]
    _builder: Builder = field(init=False)
    _files: list[PurePosixPath] = field(init=False)

    def prepare(self) -> None:
        """Choose the files to check out, and create the builder."""
        self._files = sorted(
            {
                edit.path
                for result in self.results
                for patch in result.patches
                for edit in patch.edits
            }
            | {PurePosixPath(name) for name in _ALWAYS}
        )
        self.checkout.choose_files(source_patterns(self._files))
        self._builder = Builder(
            self.checkout.folder, self.output, self.config, jobs=self.request.jobs
        )

    def measure(self, name: str, result: GeneratedSeries | None) -> Column:
        """Compile a variant, or the unchanged base, and read its objects."""
        base = self.results[0].plan.base.oid
        self.checkout.switch(base)
        prepare_scripts(self.checkout)
        self.checkout.run("clean", "-f", "-d", "-q")
        for patch in result.patches if result else ():
            for edit in patch.edits:
                path = self.checkout.folder / edit.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(edit.after)
        log = cache_path("compare") / f"{base[:12]}-{name.strip('()')}.log"
        try:
            self._builder.configure(log)
            present = [file for file in self._files if (self.checkout.folder / file).is_file()]
            objects = self._builder.find_objects(present)
            self._builder.build(objects, log)
        except BuildError as err:
            raise RefusedError(
                f"{name} does not compile: {err.failure.error}",
                code="build-failed",
                hint=f"the full output is in {log}",
            ) from None
        codes = {name: read_machine_code(self.output / name) for name in objects}
        sites = [site for code in codes.values() for site in code.sites]
        tdcall = any(
            code.requests_map_gpa for object_file, code in codes.items() if "tdx" in object_file
        )
        column = Column(
            name=name,
            text={object_file: code.size for object_file, code in codes.items()},
            hypercalls=_judge_hypercalls(sites),
            reports=_judge_reports(sites, tdcall=tdcall),
        )
        return _add_counts(column, result) if result else column


def _add_counts(column: Column, result: GeneratedSeries) -> Column:
    lines = [count for patch in result.patches for count in patch.lines.values()]
    return replace(
        column,
        patches=sum(not patch.present_at for patch in result.patches),
        files=len({edit.path for patch in result.patches for edit in patch.edits}),
        insertions=sum(count.templates + count.rules for count in lines),
        deletions=sum(count.removed for count in lines),
        left_out=result.plan.left_out,
    )


def _judge_hypercalls(sites: Sequence[HypercallSite]) -> dict[Platform, Execution]:
    """Return the executions of kvm_hypercall*(): of the sites that alternatives patch later."""
    generic = [site for site in sites if site.patched]
    instructions = tuple(sorted({site.instruction for site in generic}))
    in_td = tuple(sorted({"tdcall" if s.spares_tdx else s.instruction for s in generic}))
    return {
        platform: _execute(
            platform, in_td if platform is Platform.TDX else instructions, "not seen"
        )
        for platform in Platform
    }


def _judge_reports(sites: Sequence[HypercallSite], *, tdcall: bool) -> dict[Platform, Execution]:
    """Return the executions that report page status, on the platforms that have to report it."""
    instructions = {site.instruction for site in sites if site.reports} | (
        {"tdcall"} if tdcall else set()
    )
    return {
        platform: _execute(
            platform, tuple(sorted(instructions & set(reporting))), "does not tell the host"
        )
        for platform, reporting in _REPORTING.items()
    }


def _execute(platform: Platform, instructions: tuple[str, ...], otherwise: str) -> Execution:
    effects = (load_tables().effects[Form(instruction)][platform] for instruction in instructions)
    outcomes = dict.fromkeys(_describe(effect) for effect in effects)
    return Execution(instructions, ", ".join(outcomes) or otherwise)


def _describe(effect: Effect) -> str:
    """Return an effect in one or two words, for a cell of the table."""
    match effect.outcome:
        case EffectOutcome.WORKS:
            return "works"
        case EffectOutcome.EMULATED:
            return f"works ({effect.exception}, emulated)"
        case EffectOutcome.FATAL:
            return f"dies ({effect.exception})"
        case EffectOutcome.UNUSED:
            return "not executed"
        case EffectOutcome.UNKNOWN:
            return "unknown"
