# SPDX-License-Identifier: GPL-2.0-or-later
"""The TDX backend on a base without TDX: the C that is added, compiled and run as a program."""

from __future__ import annotations

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
#include <asm/setup.h>

asmlinkage __visible void __init x86_64_start_kernel(char *real_mode_data)
{
	clear_bss();

	idt_setup_early_handler();

	copy_bootdata(__va(real_mode_data));
}
"""
# What the backend needs, and the toy tree does not have.
FILES = {
    "arch/x86/kernel/head64.c": HEAD64,
    "arch/x86/kernel/Makefile": "obj-$(CONFIG_PARAVIRT)\t\t+= paravirt.o\n",
    "arch/x86/Kconfig": "if HYPERVISOR_GUEST\n\nendif #HYPERVISOR_GUEST\n",
    "MAINTAINERS": "THE REST\nM:\tThe Rest <rest@example.org>\nF:\t*\n",
}
SOURCE = "arch/x86/kernel/tdx.c"
SHARED = 1 << 47
IDENT = "IntelTDX    "
MISMATCH = "c0000b0b00000000"


@pytest.fixture
def base(toy, git) -> Path:
    for name, text in FILES.items():
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
    """Compile with stubs in place of the kernel's headers, but for the one that is made."""
    if platform.machine() != "x86_64":
        pytest.skip("the code is for x86-64")
    stubs = tmp_path / "stubs"
    header = made / "arch/x86/include/asm/tdx.h"
    sources = (made / SOURCE).read_text() + header.read_text()
    for name in set(re.findall(r"#include <(\S+)>", sources)) - {"asm/tdx.h"}:
        (stubs / name).parent.mkdir(parents=True, exist_ok=True)
        (stubs / name).write_text('#include "stubs.h"\n')
    flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-DCONFIG_INTEL_TDX_GUEST"]
    flags += [f"-I{folder}" for folder in (stubs, HOST, header.parent.parent)]

    def run(output: str, *words: str | Path) -> Path:
        subprocess.run(["gcc", *flags, *words, "-o", tmp_path / output], check=True)
        return tmp_path / output

    return run


def test_a_series_of_its_own_that_is_complete(base, made, patchgen, git):
    subjects = git(made, "log", "--reverse", "--format=%s", "master..").splitlines()
    assert [subject.partition(":")[0] for subject in subjects[-2:]] == ["x86/tdx"] * 2
    for path, line in (
        ("arch/x86/kernel/Makefile", "obj-$(CONFIG_INTEL_TDX_GUEST)\t+= tdx.o"),
        ("arch/x86/Kconfig", "config INTEL_TDX_GUEST"),
        ("arch/x86/kernel/head64.c", "\ttdx_early_init();"),
        ("MAINTAINERS", "F:\tarch/x86/kernel/tdx.c"),
    ):
        assert line in (made / path).read_text().splitlines(), path

    # What is added stands before no function that has a comment above it.
    source = (made / SOURCE).read_text()
    assert re.search(
        r"nothing handles these exceptions so early\.\n \*/\nvoid __init tdx_early", source
    )

    again = patchgen("apply", "--variant", "pvops", "--backend", "tdx", "--tree", made)
    assert again.code == 0, again.err
    assert again.out.count("already there") == 5 and "Nothing left to make" in again.out


def test_a_base_that_cannot_carry_it(toy, patchgen):
    lack = "arch/x86/kernel/head64.c lacks `idt_setup_early_handler();`"
    words = ("apply", "--variant", "pvops", "--tree", toy)
    done = patchgen(*words, "--backend", "tdx")
    assert (done.code, done.out) == (1, "") and lack in done.err
    done = patchgen(*words)
    assert done.code == 0, done.err
    assert "backends: sev\n" in done.out and "tdx left out: this base cannot carry it" in done.out


def test_the_machine_code_of_the_callback(gcc, made):
    functions = disassemble(gcc("tdx.o", "-c", made / SOURCE))
    path = reachable(functions, "tdx_notify_enc_status")
    assert not any(
        function.executes(call) for function in functions.values() for call in (VMCALL, VMMCALL)
    )
    calls = [
        loads for name in path & functions.keys() for loads in loads_before(functions[name], TDCALL)
    ]
    # TDG.VP.VMCALL is leaf 0. It shows R10 to R13 to the host, and is a standard call: R10 is 0.
    [map_gpa] = [loads for loads in calls if loads["rax"] == "$0x0"]
    assert map_gpa["rcx"] == "$0x3c00"
    assert map_gpa["r10"] == "$0x0"
    assert map_gpa["r11"] == "$0x10001"
    assert {"r12", "r13"} <= map_gpa.keys()
    # All others are TDG.MEM.PAGE.ACCEPT, leaf 6.
    assert {loads["rax"] for loads in calls if loads is not map_gpa} == {"$0x6"}


def map_gpa(gpa: int, pages: int) -> str:
    return f"MapGPA rcx=3c00 r10=0 r11=10001 r12={gpa:x} r13={pages << 12:x}"


def accept(gpa: int, level: int = 0) -> str:
    return f"accept rcx={gpa | level:x}"


def warned(gpa: int, pages: int, kind: str) -> str:
    return f"WARN tdx: pages at {gpa:#x} to {gpa + (pages << 12):#x} did not become {kind}"


# Name: the answers of host and module, pfn, pages, private?, and what has to happen.
CALLS: dict[str, tuple[str, int, int, bool, list[str]]] = {
    "shared": ("", 0x1234, 3, False, [map_gpa(SHARED | 0x1234000, 3)]),
    "private": (
        "",
        0x1234,
        2,
        True,
        [map_gpa(0x1234000, 2), accept(0x1234000), accept(0x1235000)],
    ),
    "2M where they fit": (
        "",
        0x3FF,
        514,
        True,
        [
            map_gpa(0x3FF000, 514),
            accept(0x3FF000),
            accept(0x400000, 1),
            accept(0x600000),
        ],
    ),
    "2M that the host maps by 4K": (
        f"-,{MISMATCH}",
        0x400,
        512,
        True,
        [map_gpa(0x400000, 512), accept(0x400000, 1)]
        + [accept(0x400000 + page * 0x1000) for page in range(512)],
    ),
    "private all along": (
        "-,00000b0a00000000",
        1,
        2,
        True,
        [map_gpa(0x1000, 2), accept(0x1000), accept(0x2000)],
    ),
    "not to be accepted": (
        "-,-,c000010000000001",
        1,
        3,
        True,
        [map_gpa(0x1000, 3), accept(0x1000), accept(0x2000), warned(0x1000, 3, "private")],
    ),
    "4K that cannot be smaller": (
        f"-,{MISMATCH}",
        1,
        1,
        True,
        [map_gpa(0x1000, 1), accept(0x1000), warned(0x1000, 1, "private")],
    ),
    "refused": (
        "8000000000000000",
        1,
        1,
        False,
        [map_gpa(SHARED | 0x1000, 1), warned(0x1000, 1, "shared")],
    ),
    "private and refused is not accepted": (
        "8000000000000000",
        1,
        1,
        True,
        [map_gpa(0x1000, 1), warned(0x1000, 1, "private")],
    ),
    "in pieces": (
        "r2,r0,r1",
        1,
        4,
        False,
        [
            map_gpa(SHARED | 0x1000, 4),
            map_gpa(SHARED | 0x3000, 2),
            map_gpa(SHARED | 0x3000, 2),
            map_gpa(SHARED | 0x4000, 1),
        ],
    ),
    "no end of retries": (
        "r0,r0,r0,r0,r0,r0",
        1,
        1,
        False,
        [map_gpa(SHARED | 0x1000, 1)] * 4 + [warned(0x1000, 1, "shared")],
    ),
    "led back": (
        "r1,r-1",
        1,
        3,
        False,
        [map_gpa(SHARED | 0x1000, 3), map_gpa(SHARED | 0x2000, 2), warned(0x1000, 3, "shared")],
    ),
    "led past the end": (
        "r3",
        1,
        3,
        False,
        [map_gpa(SHARED | 0x1000, 3), warned(0x1000, 3, "shared")],
    ),
}


# Every access of memory is a call, as host.c has them, and nothing else is instrumented.
KASAN = ("-fsanitize=kernel-address", "--param=asan-instrumentation-with-call-threshold=0")
KASAN += ("--param=asan-stack=0", "--param=asan-globals=0", "-fno-inline")


@pytest.mark.parametrize("flags", [(), ("-O0",), KASAN], ids=["O2", "O0", "KASAN"])
def test_what_the_callback_asks_of_the_host(gcc, made, flags):
    guest = gcc("guest", HOST / "host.c", gcc("tdx.o", "-c", *flags, made / SOURCE))

    def run(*words: str) -> list[str]:
        done = subprocess.run([guest, *words], capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    detected = ["VP.INFO", "tdx: Guest detected, addresses have 48 bits"]
    for name, (answers, pfn, pages, private, expected) in CALLS.items():
        said = run(IDENT, answers, f"{pfn:x}", str(pages), str(int(private)))
        assert said == detected + expected, name
    assert run("GenuineTMx86", "", "1", "1", "0") == ["no callback"]
