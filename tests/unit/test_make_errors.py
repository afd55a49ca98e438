# SPDX-License-Identifier: GPL-2.0-or-later
"""What made a build fail, found in the output of make."""

from __future__ import annotations

import errno

import pytest
from hypothesis import given, strategies

from patchgen.kernel import find_make_error
from patchgen.kernel.make_errors import find_machine_error

TREE = "/tmp/tree"
END = "make[1]: *** [/tmp/tree/Makefile:1: all] Error 2\nmake: *** [Makefile:5: sub-make] Error 2\n"

# The output of make, the file and line, and the text that name the cause.
OUTPUTS = {
    "a compiler": (
        "  CC      arch/x86/kernel/kvm.o\n"
        "/tmp/tree/arch/x86/kernel/kvm.c: In function 'f':\n"
        "/tmp/tree/arch/x86/kernel/kvm.c:12:9: error: 'x' undeclared\n"
        "   12 |  return x;\n      |         ^\n"
        "/tmp/tree/arch/x86/kernel/kvm.c:13:9: error: 'y' undeclared\n"
        "make[2]: *** [/tmp/tree/scripts/Makefile.build:289: arch/x86/kernel/kvm.o] Error 1\n",
        "arch/x86/kernel/kvm.c:12:9",
        "'x' undeclared",
    ),
    "a header that is missing": (
        "/tmp/tree/scripts/sign-file.c:25:10: fatal error: openssl/opensslv.h: No such file or "
        "directory\ncompilation terminated.\n",
        "scripts/sign-file.c:25:10",
        "openssl/opensslv.h: No such file or directory",
    ),
    "an assembler": (
        "/tmp/tree/arch/x86/entry/entry_64.S: Assembler messages:\n"
        "/tmp/tree/arch/x86/entry/entry_64.S:90: Error: no such instruction: `foo'\n",
        "arch/x86/entry/entry_64.S:90",
        "no such instruction: `foo'",
    ),
    "a compiler without a line": (
        "gcc: error: unrecognized command-line option '-mfoo'\n",
        "",
        "error: unrecognized command-line option '-mfoo'",
    ),
    "a linker": (
        "ld: kernel/fork.o: in function `f':\n"
        "fork.c:(.text+0x12): undefined reference to `missing'\n",
        "",
        "fork.c:(.text+0x12): undefined reference to `missing'",
    ),
    "kconfig": (
        "arch/x86/Kconfig:3:warning: leading whitespace ignored\n"
        "/tmp/tree/init/Kconfig:12: syntax error\n",
        "init/Kconfig:12",
        "syntax error",
    ),
    "a loop in kconfig": (
        "drivers/x/Kconfig:8:error: recursive dependency detected!\n",
        "drivers/x/Kconfig:8",
        "recursive dependency detected!",
    ),
    "a program that is too old": (
        "/tmp/tree/scripts/Kconfig.include:39: C compiler 'gcc' not found\n",
        "scripts/Kconfig.include:39",
        "C compiler 'gcc' not found",
    ),
    "a file that nothing makes": (
        "make[2]: *** No rule to make target 'arch/x86/kernel/none.o', needed by "
        "'arch/x86/kernel/built-in.a'.  Stop.\n",
        "",
        "No rule to make target 'arch/x86/kernel/none.o', needed by 'arch/x86/kernel/built-in.a'",
    ),
    "a makefile": (
        "/tmp/tree/arch/x86/Makefile:30: *** missing separator.  Stop.\n",
        "arch/x86/Makefile:30",
        "missing separator",
    ),
    "a tree that is not clean": (
        "***\n*** The source tree is not clean, please run 'make mrproper'\n"
        "*** in /tmp/tree\n***\n",
        "",
        "The source tree is not clean, please run 'make mrproper'",
    ),
    "a program that names itself": (
        "error: Cannot generate ORC metadata, please install libelf-dev\n",
        "",
        "error: Cannot generate ORC metadata, please install libelf-dev",
    ),
    "a program that is not installed": (
        "make: pahole: No such file or directory\nmake: *** [/tmp/tree/Makefile:7: x] Error 127\n",
        "",
        "make: pahole: No such file or directory",
    ),
    "a script in any language": (
        "  GEN     include/generated/x.h\nTraceback (most recent call last):\n"
        '  File "/tmp/tree/scripts/x.py", line 3, in <module>\n'
        "ValueError: no version\n"
        "make[1]: *** [/tmp/tree/scripts/Makefile:3: include/generated/x.h] Error 1\n",
        "",
        "ValueError: no version",
    ),
    "a script without the exec bit": (
        "/bin/sh: 1: /tmp/tree/scripts/pahole-flags.sh: Permission denied\n  GEN     Makefile\n"
        "sh: 1: /tmp/tree/scripts/ld-version.sh: Permission denied\n"
        "/tmp/tree/scripts/Kconfig.include:57: Sorry, this linker is not supported.\n",
        "scripts/ld-version.sh",
        "the script has no exec bit in this tree, and make cannot run it",
    ),
}


@pytest.mark.parametrize(("output", "where", "text"), OUTPUTS.values(), ids=OUTPUTS)
def test_the_cause_is_the_first_error_and_not_the_last_line_of_make(output, where, text):
    error = find_make_error(output + END, TREE)
    assert (error.where, error.text) == (where, text)


def test_what_to_do_about_an_old_tree_and_a_new_compiler():
    output = (
        "  CC      /out/tools/objtool/help.o\nhelp.c:93:7: error: pointer 'p' may be used after "
        "'realloc' [-Werror=use-after-free]\n"
        "make[4]: *** [/tmp/tree/tools/build/Makefile:97: /out/tools/objtool/help.o] Error 1\n"
    )
    error = find_make_error(output + END, TREE)
    assert "WERROR=0" in error.hint and error.parameter == "make_variables"
    # The kernel's own objects take it from the configuration.
    error = find_make_error(output.replace("tools/", "kernel/") + END, TREE)
    assert "CONFIG_WERROR" in error.hint and error.parameter == "configs"


@pytest.mark.parametrize("warning", ["implicit-function-declaration", "return-type"])
def test_a_warning_that_is_an_error_in_each_configuration_has_no_hint_about_one(warning):
    output = (
        f"  CC      /out/lib/a.o\nlib/a.c:3:9: error: text [-Werror={warning}]\n"
        "make[4]: *** [/tmp/tree/scripts/Makefile.build:97: /out/lib/a.o] Error 1\n"
    )
    error = find_make_error(output + END, TREE)
    assert error.text.startswith("text") and (error.hint, error.parameter) == ("", "")


def test_what_to_install_and_how_to_get_exec_bits_back():
    assert find_make_error(OUTPUTS["a header that is missing"][0], TREE).hint == (
        "apt-get install libssl-dev"
    )
    assert "--chmod=+x" in find_make_error(OUTPUTS["a script without the exec bit"][0], TREE).hint


def test_a_script_whose_failure_is_ignored_is_not_the_cause():
    """v5.15 runs scripts/pahole-flags.sh in a $(shell ...), and goes on without what it prints."""
    denied = "/bin/sh: 1: /tmp/tree/scripts/pahole-flags.sh: Permission denied\n"
    output, where, text = OUTPUTS["a compiler"]
    error = find_make_error(denied + output + END, TREE)
    assert (error.where, error.text) == (where, text)


def test_a_script_that_nothing_but_its_recipe_complains_of():
    output = "/bin/sh: 1: /tmp/tree/scripts/check.sh: Permission denied\n"
    error = find_make_error(output + "make: *** [/tmp/tree/Makefile:3: prepare] Error 126\n", TREE)
    assert error.where == "scripts/check.sh" and "no exec bit" in error.text


def test_an_object_that_cannot_be_written_is_not_a_script_without_the_exec_bit():
    error = find_make_error("/out/x.o: Permission denied\n" + END, TREE)
    assert (error.text, error.hint) == ("/out/x.o: Permission denied", "")


@pytest.mark.parametrize(
    ("line", "number"),
    [
        (
            "/out/x.c:3:1: fatal error: error writing to /out/cc.s: No space left on device",
            "ENOSPC",
        ),
        ("as: /out/x.o: error: close failed: Disk quota exceeded", "EDQUOT"),
        ("ld: final link failed: No space left on device", "ENOSPC"),
        ("cc1: out of memory allocating 65536 bytes: Cannot allocate memory", "ENOMEM"),
        ("gcc: fatal error: Killed signal terminated program cc1", "ENOMEM"),
        ("make[2]: fork: Resource temporarily unavailable", "EAGAIN"),
        ("/bin/sh: 1: cannot create x: Too many open files", "EMFILE"),
    ],
)
def test_the_tree_is_not_blamed_for_what_the_machine_lacks(line, number):
    error = find_machine_error(f"  CC      x.o\n{line}\n{END}")
    assert error is not None and error.errno == getattr(errno, number)


def test_a_text_in_the_source_is_not_an_error_of_the_machine():
    line = "x.c:12:9: error: expected ';' before \"No space left on device\"\n"
    assert find_machine_error(f'{line}   12 | s = ": No space left on device"\n{END}') is None


@given(strategies.text(alphabet="make: *[]/\n1Error.c", max_size=60))
def test_any_output_gives_a_text_of_one_line(output):
    error = find_make_error(output, TREE)
    assert error.text.strip() and "\n" not in error.text
