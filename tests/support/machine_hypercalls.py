# SPDX-License-Identifier: GPL-2.0-or-later
"""The instructions of an object that call a hypervisor, and the source line of each.

Read from the machine code: objdump lists the instructions, .altinstructions those that are replaced
and their replacements, and addr2line the chain of functions that each was inlined into. A static
call is recognised by the relocation for its trampoline, a jump into Xen's page by that for the
page. Hyper-V's page is called through a register, by a function of asm/mshyperv.h.
"""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

# By objdump's names; newer versions print `rep vmmcall` as vmgexit. Only the host uses SEAMCALL.
_CALLS = {
    "vmcall": "vmcall",
    "vmmcall": "vmmcall",
    "rep vmmcall": "vmgexit",
    "repz vmmcall": "vmgexit",
    "vmgexit": "vmgexit",
    "tdcall": "tdcall",
}
_STATIC_CALL = re.compile(r"__SCT__\w*hypercall\b")
_XEN_PAGE = re.compile(r"hypercall_page\b")
# A call through a register, as the compiler writes it and as CALL_NOSPEC does.
_INDIRECT = re.compile(r"call\w* (\*%|.*__x86_indirect_thunk_)")
_HYPERV_HEADER = "arch/x86/include/asm/mshyperv.h"
_REPLACEMENTS = ".altinstr_replacement"
_SECTION = re.compile(r"^Disassembly of section (?P<name>\S+):$")
_SYMBOL = re.compile(r"^[0-9a-f]+ <(?P<name>[^>]+)>:$")
_CODE = re.compile(
    r"^\s*(?P<at>[0-9a-f]+):\t(?P<text>[^\t#<]*)[^\t]*(?:\t[0-9a-f]+: R_\w+\s+(?P<target>\S+))?"
)
_RECORD = re.compile(r"^(?P<offset>[0-9a-f]{8,}) R_\w+\s+(?P<section>\.[^+\s]+)(\+0x(?P<at>\w+))?$")


@dataclass(frozen=True)
class Frame:
    """A function, and the line that an instruction comes from: its own code, or an inlined call."""

    function: str
    path: str
    line: int


@dataclass
class MachineCall:
    """An instruction. `frames` are the functions that it is in, from the innermost outwards.

    `form` is the instruction before alternatives are patched; "io" if that is IN, OUT or similar
    and only the replacement calls the hypervisor. `symbol` is the function in the object.
    """

    object: str
    section: str
    address: int
    symbol: str
    form: str
    text: str = ""
    frames: tuple[Frame, ...] = ()
    replaced_by: set[str] = field(default_factory=set)

    @property
    def static_call(self) -> str:
        """Return the name of the static call, "" for other instructions."""
        match = _STATIC_CALL.search(self.text)
        return match[0].removeprefix("__SCT__") if match else ""

    def __str__(self) -> str:
        chain = " in ".join(f"{f.function}() {f.path}:{f.line}" for f in self.frames)
        return f"{self.object} {self.section}+{self.address:#x} {self.symbol}: {self.form}: {chain}"


def read_machine_calls(path: Path, output: Path, source: Path) -> list[MachineCall]:
    """Return the calls of an object in the folder `output`, built from the tree `source`."""
    calls: dict[tuple[str, int], MachineCall] = {}
    code: dict[tuple[str, int], tuple[str, str]] = {}
    name = str(path.relative_to(output))
    for section, symbol, at, text in _read_code(path):
        code[section, at] = (symbol, text)
        if (form := _find_form(name, text)) and section != _REPLACEMENTS:
            calls[section, at] = MachineCall(name, section, at, symbol, form, text)
    for original, replacement, length in _read_alternatives(path):
        new = {
            _CALLS[text]
            for (section, at), (_, text) in code.items()
            if section == _REPLACEMENTS and text in _CALLS
            if replacement <= at < replacement + length
        }
        if not new:
            continue
        if original not in calls:
            # The replaced code sets up the operands of IN first, so it does not start with IN.
            calls[original] = MachineCall(name, *original, code[original][0], "io")
        calls[original].replaced_by |= new
    for call in calls.values():
        if call.form == "vmcall" and call.replaced_by:
            call.form = "alternative"
    _find_frames(path, list(calls.values()), source)
    # Other calls through a register do not call the hypervisor.
    return [
        call
        for call in calls.values()
        if not _INDIRECT.match(call.text) or call.frames[0].path == _HYPERV_HEADER
    ]


def _find_form(name: str, text: str) -> str | None:
    """Return the form of an instruction with its relocation, None if it is not a call."""
    is_branch = text.startswith(("call", "jmp"))
    if is_branch and _STATIC_CALL.search(text):
        return "static-call"
    if is_branch and (_XEN_PAGE.search(text) or _INDIRECT.match(text)):
        return "page"
    if text == "syscall" and "/xen/" in name:
        return "syscall"
    return _CALLS.get(text)


def count_replacements(path: Path) -> int:
    """Return the number of calls in the replacements of alternatives."""
    return sum(
        section == _REPLACEMENTS and text in _CALLS for section, _, _, text in _read_code(path)
    )


def _run(*argv: str | Path) -> str:
    result = subprocess.run(argv, capture_output=True, check=True, encoding="utf-8")
    return result.stdout


def _read_code(path: Path) -> Iterator[tuple[str, str, int, str]]:
    """Yield section, symbol, address and text of every instruction, with what it refers to."""
    section = symbol = ""
    for line in _run("objdump", "-dr", "-w", "--no-show-raw-insn", path).splitlines():
        if match := _SECTION.match(line):
            section, symbol = match["name"], ""
        elif match := _SYMBOL.match(line):
            symbol = match["name"]
        elif match := _CODE.match(line):
            text = " ".join([*match["text"].split(), match["target"] or ""]).strip()
            yield section, symbol, int(match["at"], 16), text


def _read_alternatives(path: Path) -> Iterator[tuple[tuple[str, int], int, int]]:
    """Yield the place of the original, the address of the replacement, and its length in bytes.

    struct alt_instr (arch/x86/include/asm/alternative.h): two relative addresses, which have
    relocations, and the lengths in its last two bytes.
    """
    targets: dict[int, tuple[str, int]] = {}
    if ".altinstructions " not in _run("objdump", "-h", path):
        return
    for line in _run("objdump", "-r", "-j", ".altinstructions", path).splitlines():
        if match := _RECORD.match(line):
            targets[int(match["offset"], 16)] = (match["section"], int(match["at"] or "0", 16))
    if not targets:
        return
    dump = _run("objdump", "-s", "-j", ".altinstructions", path).splitlines()
    # " 0010 00112233 44556677 ...": an address, up to four words, two spaces, the text.
    rows = [line[1:].partition(" ")[2][:35] for line in dump if re.match(r" [0-9a-f]{4,} ", line)]
    data = bytes.fromhex("".join(rows).replace(" ", ""))
    starts = sorted(offset for offset in targets if targets[offset][0] != _REPLACEMENTS)
    size = starts[1] - starts[0] if len(starts) > 1 else len(data)
    for start in starts:
        # The relocation of an empty replacement may be missing.
        _, replacement = targets.get(start + 4, (_REPLACEMENTS, 0))
        yield targets[start], replacement, data[start + size - 1]


def _find_frames(path: Path, calls: list[MachineCall], source: Path) -> None:
    by_section: dict[str, list[MachineCall]] = defaultdict(list)
    for call in calls:
        by_section[call.section].append(call)
    for section, members in by_section.items():
        addresses = [f"{call.address:#x}" for call in members]
        argv = ["addr2line", "-e", str(path), "-j", section, "-a", "-i", "-f", *addresses]
        blocks = re.split(r"^0x[0-9a-f]+\n", _run(*argv), flags=re.MULTILINE)[1:]
        for call, block in zip(members, blocks, strict=True):
            lines = block.splitlines()
            pairs = zip(lines[::2], lines[1::2], strict=True)
            call.frames = tuple(_frame(name, where, source) for name, where in pairs)


def _frame(function: str, where: str, source: Path) -> Frame:
    where = re.sub(r" \(discriminator \d+\)$", "", where)
    path, _, line = where.rpartition(":")
    full = Path(path)
    if full.is_relative_to(source):
        full = full.relative_to(source)
    return Frame(function, str(full), int(line) if line.isdigit() else 0)
