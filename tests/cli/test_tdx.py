# SPDX-License-Identifier: GPL-2.0-or-later
"""The TDX backend on a base without TDX: the C that is added, compiled and run as a program."""

from __future__ import annotations

import json
import platform
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.disassembly import (
    TDCALL,
    VMCALL,
    VMMCALL,
    disassemble,
    loads_before,
    reachable,
)

HOST = Path(__file__).parent.parent / "data" / "tdx"
HEAD64 = """\
#include <asm/processor.h>

asmlinkage __visible void __init x86_64_start_kernel(char *real_mode_data)
{
	clear_bss();

	idt_setup_early_handler();

	copy_bootdata(__va(real_mode_data));
}
"""
INTEL = """\
#include <linux/init.h>

#include <asm/cpu.h>
#include <asm/numa.h>

static void intel_detect_tlb(struct cpuinfo_x86 *c)
{
	(void)c;
}

void (*toy_detect_tlb)(struct cpuinfo_x86 *c) = intel_detect_tlb;
"""
CPU_H = "#ifndef _ASM_X86_CPU_H\n#define _ASM_X86_CPU_H\n#endif /* _ASM_X86_CPU_H */\n"
SOURCE = "arch/x86/kernel/cpu/intel.c"
# What the backend needs, and the toy tree does not have.
FILES = {
    "arch/x86/kernel/head64.c": HEAD64,
    SOURCE: INTEL,
    "arch/x86/include/asm/cpu.h": CPU_H,
    "arch/x86/Kconfig": "if HYPERVISOR_GUEST\n\nendif #HYPERVISOR_GUEST\n",
}
SHARED = 1 << 47
IDENT = "IntelTDX    "
MISMATCH = "c0000b0b00000000"


@pytest.fixture
def base(toy, git) -> Path:
    for name, text in FILES.items():
        (toy / name).parent.mkdir(exist_ok=True)
        (toy / name).write_text(text)
    git(toy, "add", *FILES)
    git(toy, "commit", "-q", "-m", "64 bits")
    return toy


@pytest.fixture
def made(base, patchgen, git) -> Path:
    """The base with the TDX backend, checked out."""
    done = patchgen("apply", "--variant", "pvops", "--backend", "tdx", "--tree", base)
    assert done.code == 0, done.err
    git(base, "checkout", "-q", "patchgen/pvops-v4")
    return base


@pytest.fixture
def gcc(made, tmp_path) -> Callable[..., Path]:
    """Compile the toy tree as a program, with stubs for the headers that it does not have."""
    if platform.machine() != "x86_64":
        pytest.skip("the code is for x86-64")
    stubs, include = tmp_path / "stubs", made / "arch/x86/include"
    for path in made.glob("arch/x86/**/*.[ch]"):
        for name in re.findall(r"#include <(\S+)>", path.read_text()):
            if not any((top / name).exists() for top in (include, stubs)):
                (stubs / name).parent.mkdir(parents=True, exist_ok=True)
                (stubs / name).write_text('#include "stubs.h"\n')
    flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-Wno-incompatible-pointer-types"]
    flags += ["-Wno-unused-parameter"]
    flags += [f"-DCONFIG_{o}" for o in ("INTEL_TDX_GUEST", "PARAVIRT", "AMD_MEM_ENCRYPT")]
    flags += [f"-I{folder}" for folder in (HOST, made, include, stubs)]

    def run(output: str, *words: str | Path) -> Path:
        subprocess.run(["gcc", *flags, *words, "-o", tmp_path / output], check=True)
        return tmp_path / output

    return run


def test_a_series_of_its_own_that_is_complete(base, made, patchgen, git):
    subjects = git(made, "log", "--reverse", "--format=%s", "master..").splitlines()
    assert [subject.partition(":")[0] for subject in subjects[-2:]] == ["x86/tdx"] * 2
    for path, line in (
        ("arch/x86/include/asm/cpu.h", "static inline void tdx_early_init(void) {}"),
        ("arch/x86/Kconfig", "config INTEL_TDX_GUEST"),
        ("arch/x86/kernel/head64.c", "\ttdx_early_init();"),
    ):
        assert line in (made / path).read_text().splitlines(), path
    # Nobody is asked for an option that cannot work yet, and nobody is named as its maintainer.
    assert not re.search(r'^\t(bool|prompt) "', (made / "arch/x86/Kconfig").read_text(), re.M)
    assert "MAINTAINERS" not in git(made, "diff", "--name-only", "master").splitlines()

    # What is added stands before no function that has a comment above it.
    source = (made / SOURCE).read_text()
    assert re.search(
        r"nothing handles these exceptions so early\.\n \*/\nvoid __init tdx_early", source
    )

    again = patchgen("apply", "--variant", "pvops", "--backend", "tdx", "--tree", made)
    assert again.code == 0, again.err
    assert again.out.count("already there") == 6 and "patches are already in" in again.out


def test_a_base_that_cannot_carry_it(toy, patchgen):
    lack = "arch/x86/kernel/head64.c lacks `idt_setup_early_handler();`"
    words = ("apply", "--variant", "pvops", "--tree", toy)
    done = patchgen(*words, "--backend", "tdx")
    assert (done.code, done.out) == (1, "") and lack in done.err
    done = patchgen(*words)
    assert done.code == 0, done.err
    assert "backends: sev\n" in done.out
    assert "tdx left out: this base lacks what it needs" in done.out


def test_the_default_that_succeeds_is_the_kernel_s_own_where_there_is_one(base, patchgen, git):
    types = base / "arch/x86/include/asm/paravirt_types.h"
    types.write_text(types.read_text() + "\nunsigned long paravirt_ret0(void);\n")
    git(base, "commit", "-q", "-a", "-m", "returns 0")
    done = patchgen("apply", "--variant", "pvops", "--backend", "tdx", "--tree", base)
    assert done.code == 0, done.err
    default = ".mmu.notify_page_enc_status_changed = (void *)paravirt_ret0,"
    assert default in git(base, "show", "patchgen/pvops-v4:arch/x86/kernel/paravirt.c")
    series = git(base, "log", "-p", "master..patchgen/pvops-v4")
    assert "paravirt_enc_status_nop" not in series
    assert "The default of both is paravirt_ret0()" in series


def letters(patchgen, base: Path, *backends: str) -> str:
    """The mails of a series without its semantic patches and diffs."""
    words = [word for name in backends for word in ("--backend", name)]
    done = patchgen("apply", "--variant", "pvops", "--tree", base, "--force", "--json", *words)
    assert done.code == 0, done.err
    texts = [Path(mail).read_text() for mail in json.loads(done.out)["mails"]]
    return "".join(re.split(r"The semantic patches|\n---\n", text)[0] for text in texts)


def test_the_texts_claim_only_what_is_in_the_series(patchgen, base):
    tdx, both = letters(patchgen, base, "tdx"), letters(patchgen, base, "sev", "tdx")
    for groundwork in (tdx, both):
        text = " ".join(groundwork.split())
        assert "nothing handles #VE" in text and "the page tables have no shared bit" in text
        assert "cannot run as a TDX guest" in text
    # SEV's needs are not a reason for a series without it.
    assert not re.search(r"SEV-ES|GHCB|KVM_HC|apf_reason|steal_time|migrat", tdx)
    assert "SEV" in both
    assert "groundwork" not in letters(patchgen, base, "sev")


def test_the_default_names_what_a_tdx_guest_would_lack(patchgen, base, git):
    start = "\tmovl\t$MSR_EFER, %ecx\n\trdmsr\n\tbtsl\t$_EFER_SCE, %eax\n"
    (base / "arch/x86/kernel/head_64.S").write_text(f"startup_64:\n{start}1:\twrmsr\n")
    git(base, "add", "-A")
    git(base, "commit", "-q", "-m", "EFER")
    done = patchgen("apply", "--variant", "pvops", "--tree", base, "--dry-run")
    assert "backends: sev\n" in done.out
    assert (
        "  tdx left out: this base cannot start as a TDX guest (arch/x86/kernel/head_64.S:2 writes "
        "EFER unconditionally; no #VE handler; no shared bit in the page tables)\n"
    ) in done.out


def test_a_base_that_reports_in_the_wrong_order_by_itself(patchgen, base, git):
    source = base / "arch/x86/mm/pat/set_memory.c"
    call = "\tnotify_range_enc_status_changed(addr, numpages, enc);\n\n\treturn ret;\n"
    source.write_text(source.read_text().replace("\n\treturn ret;\n", call))
    git(base, "commit", "-q", "-a", "-m", "v5.17")
    done = patchgen("apply", "--variant", "pvops", "--backend", "tdx", "--tree", base)
    assert (done.code, done.out) == (1, "")
    assert "in an order that TDX forbids (arch/x86/mm/pat/set_memory.c:20 reports" in done.err


def test_the_machine_code_of_the_callbacks(gcc, made):
    functions = disassemble(gcc("intel.o", "-c", made / SOURCE))
    path = reachable(functions, "tdx_notify_enc_status")
    path |= reachable(functions, "tdx_prepare_enc_status")
    assert not any(
        function.executes(call) for function in functions.values() for call in (VMCALL, VMMCALL)
    )
    calls = [
        loads for name in path & functions.keys() for loads in loads_before(functions[name], TDCALL)
    ]
    # TDG.VP.VMCALL is leaf 0. It shows R10 to R13 to the host, and is a standard call: R10 is 0.
    map_gpa = [loads for loads in calls if loads["rax"] == "$0x0"]
    assert map_gpa
    for loads in map_gpa:
        assert loads["rcx"] == "$0x3c00"
        assert loads["r10"] == "$0x0"
        assert loads["r11"] == "$0x10001"
        assert {"r12", "r13"} <= loads.keys()
    # All others are TDG.MEM.PAGE.ACCEPT, leaf 6.
    assert {loads["rax"] for loads in calls if loads not in map_gpa} == {"$0x6"}


def map_gpa(gpa: int, pages: int) -> str:
    return f"MapGPA rcx=3c00 r10=0 r11=10001 r12={gpa:x} r13={pages << 12:x}"


def accept(gpa: int, level: int = 0) -> str:
    return f"accept rcx={gpa | level:x}"


def tables(address: int, pages: int, kind: str) -> str:
    return f"page tables: {pages} at {address:x} are {kind}"


def failed(gpa: int, pages: int, kind: str) -> list[str]:
    """What is logged and returned where the host or the module refuses."""
    end = gpa + (pages << 12)
    return [f"warning: tdx: Pages at {gpa:#x} to {end:#x} did not become {kind}", "returns -5"]


REFUSED = "8000000000000000"
BACKWARDS = 0x10000000
# A page that the page tables have as shared, and the host refuses to.
NOT_SHARED = [
    tables(0x1000, 1, "shared"),
    map_gpa(SHARED | 0x1000, 1),
    *failed(0x1000, 1, "shared"),
]
# Name: the change, the answers of host and module, address and pages, and what has to happen.
CHANGES: dict[str, tuple[str, str, int, int, list[str]]] = {
    "shared": (
        "D",
        "",
        0x1234000,
        3,
        [tables(0x1234000, 3, "shared"), map_gpa(SHARED | 0x1234000, 3), "returns 0"],
    ),
    "private": (
        "E",
        "",
        0x1234000,
        2,
        [
            map_gpa(0x1234000, 2),
            accept(0x1234000),
            accept(0x1235000),
            tables(0x1234000, 2, "private"),
            "returns 0",
        ],
    ),
    "shared early": (
        "d",
        "",
        0x1234000,
        1,
        [tables(0x1234000, 1, "shared"), map_gpa(SHARED | 0x1234000, 1), "returns 0"],
    ),
    "private early": (
        "e",
        "",
        0x1234000,
        1,
        [
            map_gpa(0x1234000, 1),
            accept(0x1234000),
            tables(0x1234000, 1, "private"),
            "returns 0",
        ],
    ),
    "2M where they fit": (
        "E",
        "",
        0x3FF000,
        514,
        [
            map_gpa(0x3FF000, 514),
            accept(0x3FF000),
            accept(0x400000, 1),
            accept(0x600000),
            tables(0x3FF000, 514, "private"),
            "returns 0",
        ],
    ),
    "1G where it fits": (
        "E",
        "",
        0x3FE00000,
        512 + (1 << 18),
        [
            map_gpa(0x3FE00000, 512 + (1 << 18)),
            accept(0x3FE00000, 1),
            accept(0x40000000, 2),
            tables(0x3FE00000, 512 + (1 << 18), "private"),
            "returns 0",
        ],
    ),
    "1G that the host maps by 2M": (
        "E",
        f"-,{MISMATCH}",
        0x40000000,
        1 << 18,
        [
            map_gpa(0x40000000, 1 << 18),
            accept(0x40000000, 2),
            *[accept(0x40000000 + (page << 21), 1) for page in range(512)],
            tables(0x40000000, 1 << 18, "private"),
            "returns 0",
        ],
    ),
    "1G that the module does not take": (
        "E",
        "-,c000010000000001",
        0x40000000,
        1 << 18,
        [
            map_gpa(0x40000000, 1 << 18),
            accept(0x40000000, 2),
            *[accept(0x40000000 + (page << 21), 1) for page in range(512)],
            tables(0x40000000, 1 << 18, "private"),
            "returns 0",
        ],
    ),
    "2M that the host maps by 4K": (
        "E",
        f"-,{MISMATCH}",
        0x400000,
        512,
        [map_gpa(0x400000, 512), accept(0x400000, 1)]
        + [accept(0x400000 + page * 0x1000) for page in range(512)]
        + [tables(0x400000, 512, "private"), "returns 0"],
    ),
    "accepted before is a page that was not cleared": (
        "E",
        "-,-,00000b0a00000000",
        0x1000,
        3,
        [map_gpa(0x1000, 3), accept(0x1000), accept(0x2000), *failed(0x1000, 3, "private")],
    ),
    "not to be accepted": (
        "E",
        "-,-,c000020000000001",
        0x1000,
        3,
        [map_gpa(0x1000, 3), accept(0x1000), accept(0x2000), *failed(0x1000, 3, "private")],
    ),
    "4K that cannot be smaller": (
        "E",
        f"-,{MISMATCH}",
        0x1000,
        1,
        [map_gpa(0x1000, 1), accept(0x1000), *failed(0x1000, 1, "private")],
    ),
    "refused": (
        "D",
        REFUSED,
        0x1000,
        1,
        NOT_SHARED,
    ),
    "refused early": (
        "d",
        REFUSED,
        0x1000,
        1,
        NOT_SHARED,
    ),
    "private and refused is neither accepted nor mapped": (
        "E",
        REFUSED,
        0x1000,
        1,
        [map_gpa(0x1000, 1), *failed(0x1000, 1, "private")],
    ),
    "private and refused early": (
        "e",
        REFUSED,
        0x1000,
        1,
        [map_gpa(0x1000, 1), *failed(0x1000, 1, "private")],
    ),
    "refused on the way": (
        "E",
        f"-,-,{REFUSED}",
        BACKWARDS,
        3,
        [
            map_gpa(0x500F000, 1),
            accept(0x500F000),
            map_gpa(0x500E000, 1),
            *failed(0x500E000, 1, "private"),
        ],
    ),
    "shared and refused on the way": (
        "D",
        f"-,{REFUSED}",
        BACKWARDS,
        3,
        [
            tables(BACKWARDS, 3, "shared"),
            map_gpa(SHARED | 0x500F000, 1),
            map_gpa(SHARED | 0x500E000, 1),
            *failed(0x500E000, 1, "shared"),
        ],
    ),
    "without a mapping": (
        "E",
        "",
        0x100000000,
        1,
        ["WARNING: no page frame at 0x100000000", "returns -22"],
    ),
    "in pieces": (
        "D",
        "r2,r0,r1",
        0x1000,
        4,
        [
            tables(0x1000, 4, "shared"),
            map_gpa(SHARED | 0x1000, 4),
            map_gpa(SHARED | 0x3000, 2),
            map_gpa(SHARED | 0x3000, 2),
            map_gpa(SHARED | 0x4000, 1),
            "returns 0",
        ],
    ),
    "no end of retries": (
        "D",
        "r0,r0,r0,r0,r0,r0",
        0x1000,
        1,
        [
            tables(0x1000, 1, "shared"),
            *[map_gpa(SHARED | 0x1000, 1)] * 4,
            *failed(0x1000, 1, "shared"),
        ],
    ),
    "led back": (
        "D",
        "r1,r-1",
        0x1000,
        3,
        [
            tables(0x1000, 3, "shared"),
            map_gpa(SHARED | 0x1000, 3),
            map_gpa(SHARED | 0x2000, 2),
            *failed(0x1000, 3, "shared"),
        ],
    ),
    "led past the end": (
        "E",
        "r3",
        0x1000,
        3,
        [map_gpa(0x1000, 3), *failed(0x1000, 3, "private")],
    ),
}


# Every access of memory is a call, as host.c has them, and nothing else is instrumented.
KASAN = ("-fsanitize=kernel-address", "--param=asan-instrumentation-with-call-threshold=0")
KASAN += ("--param=asan-stack=0", "--param=asan-globals=0", "-fno-inline")


@pytest.mark.parametrize("flags", [(), ("-O0",), KASAN], ids=["O2", "O0", "KASAN"])
def test_pages_change_in_the_order_of_tdx_and_errors_reach_the_caller(gcc, made, flags):
    guest = gcc("guest", HOST / "host.c", gcc("intel.o", "-c", *flags, made / SOURCE))

    def run(*words: str) -> list[str]:
        done = subprocess.run([guest, *words], capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    detected = ["VP.INFO", "tdx: Guest detected, addresses have 48 bits"]
    for name, (change, answers, address, pages, expected) in CHANGES.items():
        lines = run(IDENT, answers, change, f"{address:x}", f"{pages:x}")
        assert lines == detected + expected, name
    # Elsewhere nobody is asked.
    elsewhere = run("GenuineTMx86", "", "D", "1000", "1")
    assert elsewhere == [tables(0x1000, 1, "shared"), "returns 0"]
