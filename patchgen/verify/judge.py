# SPDX-License-Identifier: GPL-2.0-or-later
"""Derive findings from build results."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from patchgen.kernel import (
    CONFIGS,
    BuildConfig,
    find_arch,
    find_cross_config,
    list_changed,
    name_compiler_package,
)
from patchgen.model.base import Oid
from patchgen.model.build import Build, BuildFailure
from patchgen.model.commit import Commit
from patchgen.model.finding import Finding, list_first

# The unconditional claim; "No functional change as long as ..." does not match.
_CLAIM = re.compile(
    r"\bno (intended )?functional changes?( is| are)?( intended| expected)?\s*(\.|$)",
    re.IGNORECASE | re.MULTILINE,
)
_X86_CONFIG = "name a .config of x86_64 that builds them, if it can"
# kbuild does not compile the files below these folders for a kernel.
_OUTSIDE = frozenset({"Documentation", "tools"})
_SOURCES = frozenset({".c", ".h", ".S", ".lds", ".dts", ".dtsi", ".rs"})
# The symbol and the architecture that a file of a commit needs.
FindSymbol = Callable[[Oid, PurePosixPath], tuple[str, str | None]]
_BUILD_FILES = ("Kconfig", "Makefile", "Kbuild")


def claims_no_change(message: str) -> bool:
    """Return whether a commit message claims that behaviour does not change."""
    return bool(_CLAIM.search(message))


def is_compiled(commits: Sequence[Commit]) -> bool:
    """Return whether a series touches a file that a compiler or kbuild reads."""
    files = {file for commit in commits for file in commit.files}
    return any(f.suffix in _SOURCES or f.name.startswith(_BUILD_FILES) for f in files)


def judge_builds(
    commits: Sequence[Commit],
    base: Oid,
    configs: Sequence[BuildConfig],
    builds: Mapping[tuple[Oid, str], Build],
    changed: dict[Oid, dict[str, list[str]]],
) -> Iterator[tuple[Oid, str, list[Finding]]]:
    """Yield the findings for each commit: of each configuration, of "sections" and of "code".

    A commit is compared with the last earlier one that builds; after a broken commit, the findings
    include those of the broken one. `changed` receives the changed functions of each commit, for
    each configuration in which its machine code was compared with that of its parent.
    """
    last_good = {name: build for (oid, name), build in builds.items() if oid == base}
    parent = base
    for commit in commits:
        functions = changed.setdefault(commit.oid, {})
        sections: list[Finding] = []
        for config in configs:
            name = config.name
            after = builds.get((commit.oid, name))
            if after is None:
                continue
            before = last_good[name]
            yield commit.oid, name, list(judge_build(commit, name, before, after))
            sections += judge_sections(commit, name, before, after)
            if config.stable_code and not builds[parent, name].failure and not after.failure:
                functions[name] = list_changed_functions(builds[parent, name], after)
            last_good[name] = before if after.failure else after
        yield commit.oid, "sections", sections
        notes = note_unchecked_claim(commit, configs, builds, functions)
        yield commit.oid, "code", [*judge_code(commit, configs, functions), *notes]
        parent = commit.oid


def judge_base_failure(check: str, config: str, failure: BuildFailure) -> Finding:
    """Return the finding for a base that does not build."""
    return replace(
        _report(failure, check, config), text=f"the base itself does not build: {failure.text}"
    )


def _report(failure: BuildFailure, check: str, config: str, commit: Oid | None = None) -> Finding:
    return Finding(
        check,
        failure.text,
        commit,
        failure.where,
        config,
        failure.log,
        hint=failure.hint,
        parameter=failure.parameter,
    )


def judge_build(commit: Commit, config: str, before: Build, after: Build) -> Iterator[Finding]:
    """Yield the faults that one commit adds in one configuration.

    `before` is the build of the last earlier commit that builds, usually the parent.
    """
    if (failure := after.failure) is not None:
        yield _report(failure, "build", config, commit.oid)
        return
    new: Counter[str] = Counter()
    for name, built in after.objects.items():
        old = before.objects[name].warnings if name in before.objects else ()
        # A warning in a header is printed once for each object that includes it.
        new |= Counter(built.warnings) - Counter(old)
    for warning in sorted(new):
        where, _, text = warning.partition(": ")
        yield Finding("build", f"new warning: {text}", commit.oid, where, config)
    for name in sorted(set(after.undefined) - set(before.undefined)):
        yield Finding("build", f"{name} is used, but not defined", commit.oid, "", config)


def judge_sections(commit: Commit, config: str, before: Build, after: Build) -> Iterator[Finding]:
    """Yield modpost's reports that are new since the last commit that builds."""
    if after.failure is not None:
        return
    if after.unchecked:
        text = f"modpost could not check the sections: {after.unchecked}"
        yield Finding("sections", text, commit.oid, config=config)
    for text in sorted((Counter(after.mismatches) - Counter(before.mismatches)).elements()):
        yield Finding("sections", text, commit.oid, config=config)


def list_changed_functions(before: Build, after: Build) -> list[str]:
    """Return "object: function" for each function whose machine code differs, sorted."""
    names = before.objects.keys() | after.objects.keys()
    return [
        f"{name}: {function}"
        for name in sorted(names)
        for function in list_changed(_list_functions(before, name), _list_functions(after, name))
    ]


def judge_code(
    commit: Commit, configs: Sequence[BuildConfig], changed: Mapping[str, Sequence[str]]
) -> Iterator[Finding]:
    """Yield a finding if a commit that claims no functional change has changed machine code.

    `changed` are its changed functions by name of the configuration.
    """
    if not claims_no_change(commit.message):
        return
    for config in configs:
        functions = changed.get(config.name, ())
        if functions:
            text = f'claims "no functional change", but changes {list_first(functions)}'
            yield Finding("code", text, commit.oid, config=config.name)


def note_unchecked_claim(
    commit: Commit,
    configs: Sequence[BuildConfig],
    builds: Mapping[tuple[Oid, str], Build],
    changed: Mapping[str, Sequence[str]],
) -> Iterator[Finding]:
    """Yield a note if a commit claims no functional change, and not all its code was compared.

    `changed` has the configurations in which the commit was compared with its parent. A commit that
    does not build has a failure, which says enough.
    """
    own = [builds.get((commit.oid, config.name)) for config in configs]
    is_built = all(build is not None and not build.failure for build in own)
    if not is_built or not claims_no_change(commit.message) or not _list_compiled(commit):
        return
    if is_compared(commit, find_reached(commit, configs, builds), changed):
        yield from _note_uncompared_files(commit, builds, changed)
        return
    hint = ""
    if not any(config.stable_code for config in configs):
        names = list_first([config.name for config in configs])
        reason = f"the machine code of {names} cannot be compared"
        hint = f"name one whose machine code is compared: {CONFIGS[0].name}"
    elif not changed:
        reason = "its parent does not build"
    else:
        reason = f"its files are not built in {list_first(list(changed))}"
        hint = _X86_CONFIG
    text = f'claims "no functional change", which was not checked: {reason}'
    parameter = "configs" if hint else ""
    yield Finding("code", text, commit.oid, failure=False, hint=hint, parameter=parameter)


def _note_uncompared_files(
    commit: Commit,
    builds: Mapping[tuple[Oid, str], Build],
    changed: Mapping[str, Sequence[str]],
) -> Iterator[Finding]:
    """Yield a note if a claim of no functional change was not checked for all files."""
    read = set().union(*(builds[commit.oid, name].read for name in changed))
    files = [str(file) for file in _list_compiled(commit) if str(file) not in read]
    if files:
        text = (
            'claims "no functional change", which was checked in part: not built in '
            f"{list_first(list(changed))}: {list_first(files)}"
        )
        yield Finding(
            "code", text, commit.oid, failure=False, hint=_X86_CONFIG, parameter="configs"
        )


def is_compared(
    commit: Commit, reached: Collection[str], changed: Mapping[str, Sequence[str]]
) -> bool:
    """Return whether a commit claims no functional change, and the claim was checked.

    `reached` are the configurations that build its files, `changed` has those that compare code.
    """
    return claims_no_change(commit.message) and not changed.keys().isdisjoint(reached)


def find_reached(
    commit: Commit, configs: Sequence[BuildConfig], builds: Mapping[tuple[Oid, str], Build]
) -> tuple[str, ...]:
    """Return the configurations that build at least one of the files that a commit changes."""
    files = set(map(str, _list_compiled(commit)))
    return tuple(
        config.name
        for config in configs
        if (build := builds.get((commit.oid, config.name))) and not files.isdisjoint(build.read)
    )


def list_never_built(
    commits: Sequence[Commit],
    configs: Sequence[BuildConfig],
    builds: Mapping[tuple[Oid, str], Build],
    find_symbol: FindSymbol = lambda commit, file: ("", None),
) -> Iterator[Finding]:
    """Yield a note for each file of a commit that no configuration compiles.

    A failed build does not show which files its configuration builds, so the commit gets no notes.
    `find_symbol` returns the CONFIG_ symbol that builds a file of a commit, "" if it is unknown,
    and another architecture that can build the file, if it needs one.
    """
    archs = {config.arch for config in configs}
    for commit in commits:
        # A configuration in which the base fails has no build of the commit.
        own = [builds.get((commit.oid, config.name)) for config in configs]
        passed = [build for build in own if build is not None and not build.failure]
        if len(passed) == len(configs):
            unread = set.intersection(*(set(build.unread) for build in passed))
            for file in _list_compiled(commit):
                if str(file) in unread:
                    yield _note_unbuilt(commit, file, archs, find_symbol)


def _list_compiled(commit: Commit) -> list[PurePosixPath]:
    return sorted(file for file in commit.files if file.suffix in _SOURCES)


def _note_unbuilt(
    commit: Commit,
    file: PurePosixPath,
    archs: Collection[str],
    find_symbol: FindSymbol,
) -> Finding:
    text, hint = "not checked: built in no configuration", "name a .config that builds it"
    if file.parts[0] in _OUTSIDE:
        text, hint = f"not checked: no configuration builds {file.parts[0]}/", ""
    elif file.suffix == ".h":
        hint = "name a .config that builds a file that includes it"
    else:
        symbol, needed = find_symbol(commit.oid, file)
        hint = f"name a .config with {symbol}" if symbol else hint
        if needed is not None and needed not in archs:
            hint += f"; or allmodconfig-{needed}{_describe_compiler(needed)}"
    arch = find_arch(file)
    if arch is not None and arch not in archs and (package := name_compiler_package(arch)):
        text = f"not checked: no configuration of {arch} was built"
        hint = f"allmodconfig-{arch} needs {package}"
    parameter = "configs" if hint else ""
    return Finding(
        "build", text, commit.oid, str(file), failure=False, hint=hint, parameter=parameter
    )


def _describe_compiler(arch: str) -> str:
    """Return the package that a configuration of an architecture needs, as an addition."""
    return f", which needs {name_compiler_package(arch)}" if find_cross_config(arch) is None else ""


def _list_functions(build: Build, name: str) -> Mapping[str, str]:
    return build.objects[name].functions if name in build.objects else {}
