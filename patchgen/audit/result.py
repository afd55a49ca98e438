# SPDX-License-Identifier: GPL-2.0-or-later
"""The result of an audit: the hypercalls that can run before alternatives are patched.

`patchgen audit --json` prints an Audit, as document.py defines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Form(StrEnum):
    """The machine code of a hypercall before alternatives are patched."""

    ALTERNATIVE = "alternative"  # VMCALL that alternatives may replace (KVM_HYPERCALL)
    VMCALL = "vmcall"  # fixed VMCALL
    VMMCALL = "vmmcall"  # fixed VMMCALL
    VMGEXIT = "vmgexit"  # `rep; vmmcall`: SEV-ES guests by GHCB
    TDCALL = "tdcall"
    IO = "io"  # IN, OUT or INS, OUTS to a hypervisor's port
    PAGE = "page"  # CALL into a hypercall page that the hypervisor fills
    SYSCALL = "syscall"  # PV guests of Xen
    STATIC_CALL = "static-call"  # a static call that ends in several forms (Instruction.ends)
    VARIANT = "variant"  # a form of a variant's audit.toml (Instruction.name)


class Platform(StrEnum):
    """The virtualization of the guest, and its protection."""

    VTX = "VT-x"
    SVM = "SVM"
    SEV = "SEV"
    SEV_ES = "SEV-ES/SNP"
    TDX = "TDX"


# Where memory is encrypted, and the guest has to notify the hypervisor of shared pages.
PROTECTED = (Platform.SEV, Platform.SEV_ES, Platform.TDX)


class EffectOutcome(StrEnum):
    """The outcome of a form on a platform."""

    WORKS = "works"
    EMULATED = "emulated"  # works, after the hypervisor or the guest decodes it
    FATAL = "fatal"
    UNUSED = "unused"  # the code is not executed on this platform
    UNKNOWN = "unknown"  # a form of a variant's audit.toml, without an effect on this platform


class EdgeKind(StrEnum):
    """How control passes from one function of a path to the next."""

    ENTRY = "entry"  # the first step
    CALL = "call"
    POINTER = "pointer"  # through a member or a variable that holds functions
    PARAM = "param"  # early_param() and __setup(), by parse_early_param() and parse_args()
    INITCALL = "initcall"  # early_initcall() and the like, by the function that walks the table
    STATIC_CALL = "static-call"
    ASSEMBLY = "assembly"  # CALL or JMP in a .S file


class SiteGroup(StrEnum):
    """The heading under which a hypercall is shown."""

    UNROUTED = "unrouted"
    ROUTED = "routed"
    OWN = "own"  # VMGEXIT and TDCALL, which alternatives do not patch
    OTHER = "other"  # those of other hypervisors


@dataclass(frozen=True, slots=True, order=True)
class TreeLocation:
    """A line of a file of the tree. Lines count from 1."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Step:
    """A function on a path. `defined` is its definition.

    `called` is the place in the previous function that leads here; None for the first step. `via`
    is the means of an `edge_kind` other than a plain call: `x86_init.hyper.init_platform`,
    `early_param("mem_encrypt")`, `early_initcall`.
    """

    function: str
    defined: TreeLocation
    called: TreeLocation | None = None
    edge_kind: EdgeKind = EdgeKind.CALL
    via: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a form does on a platform before alternatives are patched, and the reason.

    `exception` is the one that the processor raises in the guest ("#UD", "#VE", "#VC"), "" if none.
    `source` is the evidence: a section of a manual, or a kernel file.
    """

    outcome: EffectOutcome
    reason: str
    exception: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Instruction:
    """An asm statement, or a line of assembly, that calls a hypervisor.

    `text` is the assembler's input, shortened. `ends` are the forms that a static call may end in.
    `hypervisor` is "kvm", "sev" (the GHCB protocol),
    "tdx", "hyperv", "xen", "vmware", "acrn", "jailhouse", or "" if unknown.
    """

    function: str
    place: TreeLocation
    form: Form
    hypervisor: str
    text: str
    ends: tuple[Form, ...] = ()
    name: str = ""

    @property
    def title(self) -> str:
        """Return the name of the form."""
        return self.name or self.form.value


@dataclass(frozen=True, slots=True)
class Route:
    """How the window reaches a function: the shortest path to it.

    `paths` is the number of simple paths in the call graph with its cycles condensed; `capped` is
    set if counting stopped there.
    """

    steps: tuple[Step, ...]
    paths: int
    capped: bool = False


@dataclass(frozen=True, slots=True)
class Hypercall:
    """A place in a function that makes a hypercall, called its site.

    If the instruction is in an inline function of a header, or in a function written in
    assembly, the site is the call of that function, else the instruction itself. `function` is
    the one that contains `place`. `purpose` is the first argument as written, or the leaf of a
    TDX request, "" without either. `early` is the route by which the window reaches it, None
    if no path does. `routed` is set if all early paths go through the op that reports page
    status (`Audit.notify`); `unrouted` is the shortest path that does not, None if all do.
    `stopping` is set if all early paths are those of a kernel that stops: panic(), restart.
    `through` are the functions that lead from `call` to the instruction. `effects` has every
    platform. `within` are the functions of the same file that call `function`, by way of others
    or not.
    """

    function: str
    place: TreeLocation
    call: str
    purpose: str
    instruction: Instruction
    early: Route | None
    routed: bool
    unrouted: Route | None
    effects: Mapping[Platform, Effect]
    config: str = ""
    within: tuple[str, ...] = ()
    stopping: bool = False
    through: tuple[str, ...] = ()

    @property
    def argument(self) -> str:
        return self.purpose

    @property
    def fatal_on(self) -> tuple[Platform, ...]:
        """Return the platforms on which its form is fatal."""
        return tuple(
            platform
            for platform, effect in self.effects.items()
            if effect.outcome is EffectOutcome.FATAL
        )

    @property
    def reports_status(self) -> bool:
        """Return whether it is KVM_HC_MAP_GPA_RANGE, by which a guest reports page status."""
        return "MAP_GPA" in self.purpose

    @property
    def group(self) -> SiteGroup:
        """Return the heading under which it is shown."""
        if self.routed:
            return SiteGroup.ROUTED
        if self.instruction.form in (Form.VMGEXIT, Form.TDCALL):
            return SiteGroup.OWN
        is_ours = self.instruction.hypervisor in ("kvm", "sev", "tdx", "")
        return SiteGroup.UNROUTED if is_ours else SiteGroup.OTHER


@dataclass(frozen=True, slots=True)
class Doubt:
    """A condition that decides what happens on a platform, and that the audit cannot evaluate.

    `condition` is the C expression, "" for one that is too long, and `holds` the value that it must
    have for the code to run.
    """

    platform: Platform
    place: TreeLocation
    condition: str
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Notifier:
    """A means by which the hypervisor is notified of a change, its place, and its platforms.

    `means` is "op" (`Audit.notify`), "callback" (x86_platform.guest.*) or "hypercall". `via` is the
    member or function that it goes through, `functions` are the known implementations. `doubts`
    are the platforms where a condition decides that the audit does not know. A platform in
    `platforms` is not in `doubts`.
    """

    means: str
    via: str
    place: TreeLocation
    functions: tuple[str, ...]
    platforms: tuple[Platform, ...] = ()
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A place that requests pages to become shared (decrypted) or private (encrypted).

    `call` is the function that it calls with pages that it names itself, `pages` the argument as
    written; `to` is "shared", "private", or "" if the callee decides. `notifiers` is empty if the
    hypervisor is not notified. `routed` is set if the op is one of the notifiers.

    `platforms` are those where it changes pages, `doubts` those where a condition decides that the
    audit does not know. The notifiers are those on these platforms. `within` are the functions of
    the same file that call `function`, by way of others or not.
    """

    function: str
    place: TreeLocation
    call: str
    pages: str
    to: str
    early: Route | None
    notifiers: tuple[Notifier, ...]
    config: str = ""
    platforms: tuple[Platform, ...] = tuple(Platform)
    doubts: tuple[Doubt, ...] = ()
    within: tuple[str, ...] = ()

    @property
    def argument(self) -> str:
        return self.pages

    @property
    def routed(self) -> bool:
        """Return whether the op that reports page status is called for it."""
        return any(notifier.means == "op" for notifier in self.notifiers)

    @property
    def protected(self) -> tuple[Platform, ...]:
        """Return the platforms with encrypted memory on which pages change, or may change."""
        where = {*self.platforms, *(doubt.platform for doubt in self.doubts)}
        return tuple(platform for platform in PROTECTED if platform in where)

    @property
    def silent(self) -> bool:
        """Return whether the hypervisor is not notified on any platform with encrypted memory."""
        return not self.notifiers and bool(self.protected)

    @property
    def silent_on(self) -> tuple[Platform, ...]:
        """Return the platforms where pages change without notification, as far as is known."""
        notified = {platform for notifier in self.notifiers for platform in notifier.platforms}
        notified |= {doubt.platform for notifier in self.notifiers for doubt in notifier.doubts}
        # The platforms of a notifier without a known constant are unknown.
        if any(not notifier.platforms and not notifier.doubts for notifier in self.notifiers):
            return ()
        return tuple(platform for platform in self.protected if platform not in notified)


@dataclass(frozen=True, slots=True)
class UnresolvedPointer:
    """A call in the window through a pointer for which no assignment of a function was found."""

    function: str
    place: TreeLocation
    via: str
    reason: str


@dataclass(frozen=True, slots=True)
class Window:
    """The code that runs before alternatives are patched.

    `entries` are the kernel's entry points, `end` is the function that patches alternatives.
    `boot_path` is the path from the last entry to `end`: in each of its functions, only the code
    before the call to the next one is early. `functions` are all early functions, by file.
    """

    entries: tuple[str, ...]
    end: str
    boot_path: tuple[Step, ...]
    functions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpCall:
    """A place that calls the op that reports page status, itself or by a header's wrapper.

    `within` are the functions of the same file that call `function`, by way of others or not.
    """

    function: str
    place: TreeLocation
    early: bool
    within: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notify:
    """The op that reports page status: its declaration, implementations and calls.

    `member` is how it is called, `pv_ops.mmu.notify_page_enc_status_changed`. None in an Audit
    means that the kernel does not have the op.
    """

    member: str
    declared: TreeLocation
    implementations: tuple[Step, ...]
    calls: tuple[OpCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much was read. `lost` are functions that could not be parsed, as `path:line name`.

    `unread` are names that the window calls and that no file that was read defines: functions of
    other folders, and macros without calls.
    """

    files: int
    parsed: int
    functions: int
    calls: int
    lost: tuple[str, ...]
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Audit:
    """The complete result. `config` is the .config that was followed, "" for all branches.

    `revision` is the user's name for the commit, `commit` its id, `version` is the Makefile's.
    `hypercalls` and `changes` include those outside of the window. All are sorted by place.

    `site` is the noun for a site, and `op` the member that it is routed through. A variant's
    audit.toml may set both.
    """

    revision: str
    commit: str
    version: str
    config: str
    window: Window
    notify: Notify | None
    hypercalls: tuple[Hypercall, ...]
    changes: tuple[StatusChange, ...]
    unresolved: tuple[UnresolvedPointer, ...]
    coverage: Coverage
    seconds: float = 0.0
    site: str = "a hypercall"
    op: str = "pv_ops.mmu.notify_page_enc_status_changed"

    @property
    def early_hypercalls(self) -> tuple[Hypercall, ...]:
        return tuple(hypercall for hypercall in self.hypercalls if hypercall.early)

    @property
    def early_changes(self) -> tuple[StatusChange, ...]:
        return tuple(change for change in self.changes if change.early)
