# SPDX-License-Identifier: GPL-2.0-or-later
"""The language of makefiles, as far as kbuild's need it, and what a .config builds."""

from __future__ import annotations

from pathlib import PurePosixPath
from types import SimpleNamespace

import pytest

from patchgen.errors import RefusedError
from patchgen.kernel.built_files import find_built, read_built
from patchgen.kernel.dotconfig import parse_dotconfig
from patchgen.kernel.make_language import Make
from patchgen.kernel.make_syntax import join_lines
from patchgen.model.base import Oid, TreeFile, compile_glob

TOP = """\
ifeq ($(need-sub-make),)
core-y := init/
drivers-$(CONFIG_NET) += drivers/ net/
libs-y := lib/
include arch/$(SRCARCH)/Makefile
endif
"""
ARCH = """\
ifeq ($(CONFIG_64BIT),y)
  BITS := 64
else
  BITS := 32
endif
export BITS
core-y += arch/x86/
"""
FILES = {
    "Makefile": TOP,
    "arch/x86/Makefile": ARCH,
    "arch/x86/Kbuild": "obj-y += kernel/\n",
    "arch/x86/kernel/Makefile": "obj-y := head_$(BITS).o\nobj-$(CONFIG_KVM_GUEST) += kvm.o\n",
    "init/Makefile": "obj-y := main.o   version.o # a comment\n",
    "drivers/Makefile": "obj-$(CONFIG_ACME) += acme/\nobj-$(CONFIG_OTHER) += other/\n",
    "drivers/acme/Makefile": (
        "obj-$(CONFIG_ACME) += acme.o\nacme-y := core.o \\\n\tlist.o\n"
        "acme-$(CONFIG_ACME_DEBUG) += debug.o\nacme-objs += $(addprefix sub/, one.o two.o)\n"
    ),
    "drivers/other/Makefile": "obj-m += other.o\n",
    "net/Makefile": (
        "obj-$(CONFIG_IPV6:m=y) += six.o\nobj-$(subst m,y,$(CONFIG_TUN)) += tun.o\n"
        "ifneq ($(CONFIG_A)$(CONFIG_B),)\nobj-y += either.o\nendif\n"
        "ifdef CONFIG_A\nobj-y += a.o\nelse ifdef CONFIG_B\nobj-y += b.o\n"
        "else\nobj-y += none.o\nendif\n"
    ),
    "lib/Makefile": "lib-y := string.o\nobj-$(if $(CONFIG_A),y,n) += maybe.o\n",
}
SOURCES = (
    *("arch/x86/kernel/head_64.c", "arch/x86/kernel/head_32.c", "arch/x86/kernel/kvm.c"),
    *("init/main.c", "init/version.c", "init/unused.c", "drivers/acme/core.c"),
    *("drivers/acme/list.c", "drivers/acme/debug.c", "drivers/acme/sub/one.c"),
    *("drivers/acme/sub/two.c", "drivers/other/other.c", "net/six.c", "net/tun.c"),
    *("net/either.c", "net/a.c", "net/b.c", "net/none.c", "lib/string.c", "lib/maybe.c"),
)


def built(config: str, files: dict[str, str] | None = None) -> set[str]:
    header = "# Linux/x86 6.1.0 Kernel Configuration\n"
    result = find_built(parse_dotconfig(header + config), (files or FILES).get, SOURCES)
    return {path for path in SOURCES if result.includes(PurePosixPath(path))}


def test_what_is_always_built():
    assert built("CONFIG_64BIT=y\n") == {
        *("arch/x86/kernel/head_64.c", "init/main.c", "init/version.c", "lib/string.c"),
    }
    assert "arch/x86/kernel/head_32.c" in built("CONFIG_X=y\n")


@pytest.mark.parametrize(
    ("config", "more"),
    [
        ("CONFIG_KVM_GUEST=y\n", {"arch/x86/kernel/kvm.c"}),
        ("CONFIG_NET=y\n", {"net/none.c"}),
        ("CONFIG_NET=y\nCONFIG_A=y\n", {"net/either.c", "net/a.c", "lib/maybe.c"}),
        ("CONFIG_NET=y\nCONFIG_B=y\n", {"net/either.c", "net/b.c"}),
        ("CONFIG_NET=y\nCONFIG_IPV6=m\nCONFIG_TUN=m\n", {"net/none.c", "net/six.c", "net/tun.c"}),
        (
            "CONFIG_MODULES=y\nCONFIG_NET=y\nCONFIG_ACME=m\n",
            {
                *("net/none.c", "drivers/acme/core.c", "drivers/acme/list.c"),
                *("drivers/acme/sub/one.c", "drivers/acme/sub/two.c"),
            },
        ),
        ("CONFIG_NET=y\n# CONFIG_A is not set\n", {"net/none.c"}),
    ],
)
def test_what_an_option_builds(config, more):
    assert built("CONFIG_64BIT=y\n" + config) == built("CONFIG_64BIT=y\n") | more


def test_a_composite_has_the_parts_that_are_switched_on():
    config = "CONFIG_NET=y\nCONFIG_ACME=y\n"
    assert "drivers/acme/debug.c" not in built(config)
    assert "drivers/acme/debug.c" in built(config + "CONFIG_ACME_DEBUG=y\n")


def test_a_folder_that_the_top_makefile_does_not_name_is_not_entered():
    files = {**FILES, "arch/arm/Makefile": "obj-y := head.o\n"}
    arm = PurePosixPath("arch/arm/head.c")
    config = parse_dotconfig("# Linux/x86 6.1.0 Kernel Configuration\nCONFIG_64BIT=y\n")
    assert not find_built(config, files.get, [*SOURCES, str(arm)], [arm]).includes(arm)


def test_a_tree_without_a_makefile_is_not_a_kernel():
    with pytest.raises(RefusedError, match="no top Makefile"):
        find_built(parse_dotconfig("CONFIG_A=y\n"), {}.get, ["a.c"])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x = a b\n", "a b"),
        ("x := a\nx += b\n", "a b"),
        ("y := 1\nx = $(y)\ny := 2\n", "2"),
        ("y := 1\nx := $(y)\ny := 2\n", "1"),
        ("x ?= a\nx ?= b\n", "a"),
        ("x := $(filter %.o,a.o b.c)\n", "a.o"),
        ("x := $(filter-out a%,ab b)\n", "b"),
        ("x := $(patsubst %.o,%.c,a.o b.o)\n", "a.c b.c"),
        ("y := a.o\nx := $(y:.o=.c)\n", "a.c"),
        ("x := $(foreach i,1 2,v$(i))\n", "v1 v2"),
        ("f = <$(1)-$(2)>\nx := $(call f,a,b)\n", "<a-b>"),
        ("x := $(if ,yes,no)$(or ,b)$(and a,)\n", "nob"),
        ("define x\none\ntwo\nendef\n", "one\ntwo"),
        ("$(eval x := made)\n", "made"),
        ("x := $(word 2,a b c)$(words a b)$(firstword p q)$(lastword p q)\n", "b2pq"),
        ("x := $(sort b a b)$(dir a/b.c)$(notdir a/b.c)$(basename a.c)\n", "a ba/b.ca"),
        ("x := $(shell echo harm)kept\n", "kept"),
        ("target: x := own\n", ""),
        ("x := $$(y) \\# z\n", "$(y) # z"),
        ("export x := a\n", "a"),
        ("override x := a\n", "a"),
    ],
)
def test_make_expands(text, value):
    make = Make(lambda path: None)
    make.evaluate(text)
    assert make.get("x") == value


@pytest.mark.parametrize(
    "text",
    [
        "x = $(x)\n",
        "x = $(y)\ny = $(x)\n",
        "f = $(call f,$(1))\nx := $(call f,a)\n",
        "include Makefile\n",
        "x := $(((((((\n",
        "endif\nelse\nendif\n",
    ],
)
def test_endless_recursion_ends(text):
    make = Make({"Makefile": text}.get)
    make.include("Makefile")
    make.get("x")


def test_what_grows_without_bounds_is_refused():
    doubling = "x0 = aaaaaaaaaa\n" + "".join(
        f"x{n} = $(x{n - 1})$(x{n - 1})\n" for n in range(1, 50)
    )
    make = Make(lambda path: None)
    make.evaluate(doubling)
    with pytest.raises(RefusedError, match="too many steps"):
        make.get("x49")


_MANY = "a " * 100_000
_LONG = "b" * 100_000


@pytest.mark.parametrize(
    "text",
    [
        f"$(subst a,{_LONG},{'a' * 100_000})",
        f"$(addprefix {_LONG},{_MANY})",
        f"$(addsuffix {_LONG},{_MANY})",
        f"$(patsubst %,{_LONG},{_MANY})",
        f"$(A:a={_LONG})",
        f"$(foreach x,{_MANY},{_LONG})",
        f"$(filter {'b% ' * 100_000},{_MANY})",
        f"$(filter-out {'b% ' * 100_000},{_MANY})",
    ],
    ids=lambda text: text[:12],
)
def test_no_function_makes_more_than_fits_into_memory(text):
    make = Make(lambda path: None)
    make.set({"A": _MANY})
    with pytest.raises(RefusedError, match="too much memory"):
        make.expand(text)


def test_paths_are_the_trees(tmp_path):
    config = tmp_path / ".config"
    config.write_text("CONFIG_64BIT=y\n")
    files = [TreeFile(PurePosixPath(path), "100644", Oid("")) for path in (*FILES, *SOURCES)]

    def find(globs: list[str]) -> list[TreeFile]:
        patterns = [compile_glob(glob) for glob in globs]
        return [file for file in files if any(p.fullmatch(str(file.path)) for p in patterns)]

    tree = SimpleNamespace(
        find=find,
        read=lambda file: FILES[str(file.path)].encode(),
    )
    result = read_built(tree, config)
    assert {type(path) for path in result} == {PurePosixPath}
    assert set(map(str, result)) == built("CONFIG_64BIT=y\n")


def test_only_the_folders_of_the_given_files_are_entered():
    config = parse_dotconfig("CONFIG_64BIT=y\nCONFIG_NET=y\nCONFIG_ACME=y\n")
    paths = [PurePosixPath("drivers/acme/core.c"), PurePosixPath("drivers/acme/debug.c")]
    read = []

    def get(path: str) -> str | None:
        read.append(path)
        return FILES.get(path)

    result = find_built(config, get, (), paths)
    assert [result.includes(path) for path in paths] == [True, False]
    assert "drivers/acme/Makefile" in read
    assert not {"net/Makefile", "drivers/other/Makefile", "init/Makefile"} & {*read}


def test_an_object_that_objcopy_renames_is_compiled_from_the_file_of_the_old_name():
    files = {**FILES, "arch/x86/Kbuild": "obj-y += kernel/ startup/\n"}
    files["arch/x86/startup/Makefile"] = (
        "obj-y := map.o\nobj-y := $(patsubst %.o,%.pi.o,$(obj-y))\n"
    )
    result = find_built(parse_dotconfig("CONFIG_64BIT=y\n"), files.get)
    assert result.includes(PurePosixPath("arch/x86/startup/map.c"))


def test_the_objects_of_a_boot_program_are_no_targets_of_make():
    files = {**FILES, "arch/x86/boot/Makefile": "setup-y += main.o\n"}
    result = find_built(parse_dotconfig("CONFIG_64BIT=y\n"), files.get)
    assert result.includes(PurePosixPath("arch/x86/boot/main.c"))
    assert "arch/x86/boot/main.o" not in result.objects


def test_lines_are_joined_over_empty_ones():
    assert list(join_lines("a := b \\\n  \\\n\t\\\n c\\\nd  \ne")) == ["a := b c d  ", "e"]
