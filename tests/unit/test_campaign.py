# SPDX-License-Identifier: GPL-2.0-or-later
"""How edits are divided into patches, and what their subjects say."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import PurePosixPath

import pytest
from hypothesis import given, strategies as st

from patchgen.campaign import PatchGroup, merge_groups, split_edits
from patchgen.campaign.matching import match_patches, name_patches
from patchgen.campaign.messages import WIDTH, excerpt, make_subjects
from patchgen.campaign.prefixes import (
    SubjectStyle,
    derive_prefix,
    find_common_prefix,
    find_shared_prefix,
)
from patchgen.campaign.texts import choose_texts
from patchgen.coccinelle import read_header
from patchgen.errors import RefusedError
from patchgen.kernel import MaintainersSection, SectionMatcher, SourceTree, parse_maintainers
from patchgen.kernel.section_match import REST
from patchgen.model.series import FileEdit
from patchgen.model.sweep import CampaignRequest, Split
from patchgen.series import RecordedPatch, Tracking, read_record
from tests.support.examples import examples
from tests.unit.test_maintainers_file import TEXT

_NAMES = st.sampled_from(["drivers", "net", "fs", "acme", "ethernet", "wireless", "x", "zork1"])
_PATHS = st.lists(_NAMES, min_size=1, max_size=5).map(lambda parts: "/".join(parts) + ".c")


def edits(*paths: str) -> list[FileEdit]:
    return [FileEdit(PurePosixPath(path), "100644", b"a\n", b"b\n") for path in paths]


def owners(text: str, changes: list[FileEdit]) -> dict[PurePosixPath, MaintainersSection | None]:
    matcher = SectionMatcher(parse_maintainers(text))
    by_path = matcher.find(str(edit.path) for edit in changes).by_path
    return {
        edit.path: next((s for s in by_path[str(edit.path)] if s.name != REST), None)
        for edit in changes
    }


def group(*paths: str) -> PatchGroup:
    return PatchGroup(("some",), tuple(edits(*paths)))


def test_files_are_grouped_as_requested():
    changes = edits("fs/a.c", "drivers/net/b.c", "drivers/net/wireless/c.c", "drivers/net/tun.c")
    maintainers = owners(TEXT, changes)

    def paths(split: Split) -> list[list[str]]:
        return [list(map(str, each.paths)) for each in split_edits(changes, split, maintainers)]

    net, wireless = ["drivers/net/b.c", "drivers/net/tun.c"], ["drivers/net/wireless/c.c"]
    assert paths(Split.MAINTAINER) == [net, wireless, ["fs/a.c"]]
    assert paths(Split.SUBSYSTEM) == [net, wireless, ["fs/a.c"]]
    assert paths(Split.DIRECTORY) == [net, wireless, ["fs/a.c"]]
    assert len(paths(Split.FILE)) == 4
    assert paths(Split.NONE) == [["drivers/net/b.c", "drivers/net/tun.c", *wireless, "fs/a.c"]]
    names = [each.name for each in split_edits(changes, Split.SUBSYSTEM, maintainers)]
    assert names == ["NETWORKING DRIVERS", "NETWORKING DRIVERS (WIRELESS)", "fs"]


def test_sections_of_the_same_people_are_one_patch():
    text = TEXT.replace("Ada Acme <ada", "Wim Less <wim").replace("ada@", "wim@")
    changes = edits("drivers/net/ethernet/acme/x.c", "drivers/net/wireless/c.c")
    assert len(split_edits(changes, Split.MAINTAINER, owners(text, changes))) == 1
    assert len(split_edits(changes, Split.SUBSYSTEM, owners(text, changes))) == 2


# A path that may match a regular expression of MAINTAINERS costs a process.
@examples(30)
@given(
    st.lists(_PATHS, min_size=1, max_size=30, unique=True),
    st.sampled_from(list(Split)),
    st.integers(1, 8),
    st.randoms(use_true_random=False),
)
def test_each_file_is_in_one_patch_in_a_stable_order(paths, split, limit, random):
    maintainers = owners(TEXT, edits(*paths))
    groups = split_edits(edits(*paths), split, maintainers)
    merged = merge_groups(groups, limit)
    for each in (groups, merged):
        grouped = [path for group in each for path in group.paths]
        assert sorted(map(str, grouped)) == sorted(paths)
        assert [group.paths[0] for group in each] == sorted(group.paths[0] for group in each)
    assert len(merged) == min(limit, len(groups))
    random.shuffle(paths)
    again = merge_groups(split_edits(edits(*paths), split, maintainers), limit)
    assert again == merged


def test_the_smallest_is_joined_with_its_neighbour():
    groups = [group("a/b/1.c", "a/b/2.c"), group("a/c/1.c"), group("z/1.c", "z/2.c", "z/3.c")]
    merged = merge_groups(groups, 2)
    assert [list(map(str, each.paths)) for each in merged] == [
        ["a/b/1.c", "a/b/2.c", "a/c/1.c"],
        ["z/1.c", "z/2.c", "z/3.c"],
    ]


@pytest.mark.parametrize(
    ("subjects", "prefix"),
    [
        (["net: phy: a", "net: phy: b", "net: c"], "net: phy: "),
        (["net: phy: a", "net: tun: b", "net: c"], "net: "),
        (["x86/kvm: a", "KVM: x86: b", "Merge branch", "c"], ""),
        (["treewide: a", "mm/slub: b", "mm/slub: c", "mm/slub: Fix: d"], "mm/slub: "),
        (["only: one"], "only: "),
        (['Revert "a: b"', "a: c", "a: d"], "a: "),
        ([], ""),
    ],
)
def test_the_prefix_is_that_of_most_of_the_log(subjects, prefix):
    assert find_common_prefix(subjects) == prefix


@pytest.mark.parametrize(
    ("paths", "prefix"),
    [
        (["drivers/net/phy/a.c", "drivers/net/phy/b.c"], "net: phy: "),
        (["arch/x86/kvm/a.c"], "x86/kvm: "),
        (["arch/x86/a.c", "fs/b.c"], "treewide: "),
        (["mm/a.c"], "mm: "),
        (["a.c"], "treewide: "),
    ],
)
def test_without_a_log_the_prefix_is_derived_from_the_folder(paths, prefix):
    assert derive_prefix(group(*paths).paths) == prefix


@pytest.mark.parametrize(
    ("paths", "prefix"),
    [
        (["drivers/gpio/a.c", "drivers/gpio/b.c", "include/linux/c.h"], "gpio: "),
        (["drivers/gpio/a.c", "drivers/rtc/b.c"], "gpio, rtc: "),
        ([f"drivers/{name}/a.c" for name in ("gpio", "rtc", "spi", "i2c")], "treewide: "),
        (["a.c"], "treewide: "),
    ],
)
def test_without_a_log_the_prefix_is_never_the_name_of_the_tree(paths, prefix):
    assert derive_prefix(group(*paths).paths, is_one_tree=True) == prefix


@pytest.mark.parametrize(
    ("paths", "prefix"),
    [
        (["net/can/a.c", "net/ipv4/b.c"], "net: "),
        (["fs/ext4/a.c", "fs/ntfs3/b.c"], "fs: "),
        (["sound/a/a.c", "sound/soc/a.c"], "ALSA: "),
        (["kernel/fork.c", "kernel/sched/core.c"], "kernel: "),
        (["drivers/usb/a.c", "drivers/net/a.c"], "treewide: "),
        (["net/can/a.c", "fs/ext4/b.c"], "treewide: "),
        (["net/can/a.c", "net/ipv4/b.c", "a.c"], "treewide: "),
        ([], "treewide: "),
    ],
)
def test_without_a_git_tree_that_takes_them_files_have_the_prefix_of_their_top_folder(
    paths, prefix
):
    assert derive_prefix([PurePosixPath(path) for path in paths]) == prefix


@pytest.mark.parametrize(
    ("prefixes", "shared"),
    [
        (["rtc: ds1307: "], "rtc: ds1307: "),
        (["rtc: ", "rtc: ds1307: ", "rtc: "], "rtc: "),
        (["drm/i915: ", "drm/amd: "], "drm: "),
        (["net/mlx5: ", "net: phy: "], "net: "),
        (["net: ", "netfilter: "], "treewide: "),
        (["rtc: ", ""], "treewide: "),
        ([], "treewide: "),
    ],
)
def test_a_cover_letter_has_the_prefix_that_all_patches_share(prefixes, shared):
    assert find_shared_prefix(prefixes) == shared


BRGL = SourceTree("git.kernel.org/brgl/linux", "brgl", "git://git.kernel.org/brgl/linux.git")
WATCHDOG = SourceTree("example.org/linux-watchdog", "watchdog", "git://example.org/watchdog.git")


def in_tree(tree: SourceTree, *paths: str) -> PatchGroup:
    return replace(group(*paths), trees=frozenset({tree}))


@pytest.mark.parametrize(
    ("groups", "subjects"),
    [
        (
            [group("drivers/net/a/x.c"), group("drivers/net/b/y.c"), group("drivers/net/c/y.c")],
            ["net: Use it in x.c", "net: Use it in b/y.c", "net: Use it in c/y.c"],
        ),
        (
            [group("net/a/x.c", "net/a/y.c"), group("net/b/x.c", "net/b/y.c")],
            ["net: Use it in net/a", "net: Use it in net/b"],
        ),
        # Both patches change files of the folder.
        (
            [group("net/a.c", "net/c.c"), group("net/b.c", "net/d.c", "net/e.c")],
            ["net: Use it in a.c and c.c", "net: Use it in b.c and 2 other files"],
        ),
        # A tree that is named after a person.
        (
            [in_tree(BRGL, "net/a.c", "net/c.c"), group("net/b.c", "net/d.c")],
            ["net: Use it in a.c and c.c", "net: Use it in b.c and d.c"],
        ),
        (
            [in_tree(WATCHDOG, "net/watchdog/a.c"), group("net/b.c")],
            ["watchdog: Use it", "net: Use it in b.c"],
        ),
        (
            [in_tree(WATCHDOG, "net/watchdog/a.c"), in_tree(WATCHDOG, "net/watchdog/b.c")],
            ["net: Use it in a.c", "net: Use it in b.c"],
        ),
        (
            [group(f"net/{'long' * 9}.c", f"net/{'name' * 9}.c"), group("net/b.c", "net/d.c")],
            [f"net: Use it in {'long' * 9}.c and 1 other file", "net: Use it in b.c and d.c"],
        ),
    ],
)
def test_equal_subjects_get_an_end_that_is_true_for_one_patch(groups, subjects):
    assert make_subjects([SubjectStyle("net: ")] * len(groups), groups, "Use it") == subjects


def test_the_end_of_a_subject_is_not_true_for_a_patch_with_a_kept_subject():
    args = ([SubjectStyle("net: ")], [group("net/a.c", "net/b.c")], "Use it")
    for kept, place in (("net/c.c", "a.c and b.c"), ("fs/c.c", "net")):
        [subject] = make_subjects(*args, used=["net: Use it"], others=[group(kept)])
        assert subject == f"net: Use it in {place}"


def test_a_long_prefix_is_shortened_for_the_summary():
    what = "Do " + "what has to be done " * 3
    [subject] = make_subjects([SubjectStyle("one: two: three: ")], [group("a.c")], what.strip())
    assert subject == f"one: two: {what.strip()}" and len(subject) <= WIDTH


COCCI = """\
/// What it is for
// Confidence: High

virtual patch
virtual report, context
virtual fancy

@r depends on patch@
expression x;
@@
- f(x); // why
+ g(x);

@depends on context || report@
position p;
@@
* f@p(...);

@s depends on !patch@
@@
* h();

@script:python depends on report@
p << r.p;
@@
print(p)

@plain@
@@
- h();
"""


def test_a_message_shows_the_rules_that_make_the_change():
    assert excerpt(COCCI) == (
        "virtual patch\nvirtual fancy\n"
        "@r depends on patch@\nexpression x;\n@@\n- f(x); // why\n+ g(x);\n\n"
        "@plain@\n@@\n- h();"
    )
    assert excerpt("@@\n@@\n- f();\n") == "@@\n@@\n- f();"
    only_marks = "virtual report\n@depends on report@\n@@\n* f();\n"
    assert excerpt(only_marks) == only_marks.strip()


def test_a_message_shows_the_scripts_without_which_the_rules_would_not_make_the_change():
    text = """\
@initialize:python@
@@
seen = set()

@r@
constant c;
position p;
@@
old@p(c)

@script:python s@
c << r.c;
n;
@@
# even
if int(c) % 2:
    cocci.include_match(False)
coccinelle.n = "new_" + c

@@
position r.p;
identifier s.n;
@@
- old@p(...)
+ n()

@finalize:python@
@@
print(seen)
"""
    assert excerpt(f"/// Why\n\n{text}") == text.partition("\n\n@finalize")[0]


def test_people_are_named_without_their_addresses():
    names = ('"A. B." <a@example.org>', "C D <c@example.org>", "C D <d@example.org>", "E <e@e>")
    some = group("a.c").edits
    assert PatchGroup(names, some).name == "A. B., C D, E"
    many = (*names, "F <f@f>", "G <g@g>")
    assert PatchGroup(many, some).name == "A. B., C D, E and 2 others"


def recorded(name: str, *files: str, group: tuple[str, ...] = ()) -> RecordedPatch:
    return RecordedPatch(name=name, group=group, subject=name, message="", files=files)


@pytest.mark.parametrize(
    "run",
    [
        {"headers": {"../../x.h": "x"}},
        {"headers": {"patchgen-0-../x.h": "x"}},
        {"headers": {"/etc/x.h": "x"}},
        {"folders": ["/etc"]},
        {"folders": ["include/../../x"]},
    ],
)
def test_a_recorded_run_cannot_name_files_outside_of_the_tree(run):
    record = {"variant": "x.cocci", "revision": 1, "base": "1" * 40, "describe": "x"}
    harmless = {"headers": {"patchgen-0-x.h": "x"}, "folders": ["include", "."]}
    for options, is_refused in ((harmless, False), (run, True)):
        document = record | {"run": {"timeout_s": 200} | options}
        tracking = Tracking("20260101-x-0123456789ab", 1, record=document)
        with pytest.raises(RefusedError, match=r"run\.") if is_refused else nullcontext():
            assert read_record(tracking) is not None


def test_a_patch_is_matched_by_its_files_then_by_its_group_then_by_shared_files():
    groups = [
        PatchGroup(("new name",), tuple(edits("net/a.c", "net/b.c"))),
        PatchGroup(("fs",), tuple(edits("fs/new.c"))),
        PatchGroup(("sound",), tuple(edits("sound/a.c", "sound/b.c", "sound/c.c"))),
        PatchGroup(("mm",), tuple(edits("mm/a.c"))),
    ]
    earlier = [
        recorded("alsa-1", "sound/a.c"),
        recorded("alsa-2", "sound/b.c", "sound/c.c", "sound/d.c"),
        recorded("fs", "fs/old.c", group=("fs",)),
        recorded("net", "net/b.c", "net/a.c", group=("other name",)),
    ]
    matches = match_patches(groups, earlier)
    assert [patch and patch.name for patch in matches] == ["net", "fs", "alsa-2", None]
    assert name_patches(groups, matches, earlier) == ["net", "fs", "alsa-2", "mm"]


def test_a_patch_is_matched_once():
    groups = [PatchGroup((name,), tuple(edits(f"{name}/x.c"))) for name in ("b", "a", "c")]
    earlier = [recorded("1", "a/x.c", "b/x.c"), recorded("2", "c/x.c")]
    matches = match_patches(groups, earlier)
    assert [patch and patch.name for patch in matches] == ["1", None, "2"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([("Ada <a@b.c>",), ("Ada <d@e.f>",)], ["Ada", "Ada-2"]),
        ([("drivers/net/a.c",), ("cover",)], ["drivers-net-a.c", "cover-2"]),
        ([("old",), ("...",)], ["old-2", "patch"]),
    ],
)
def test_names_of_patches_are_unique_and_have_no_space_or_slash(names, expected):
    groups = [PatchGroup(entry, tuple(edits("x.c"))) for entry in names]
    assert name_patches(groups, [None, None], [recorded("old")]) == expected


def test_a_subject_that_a_patch_keeps_is_not_used_twice():
    style = SubjectStyle("net: ")
    subjects = make_subjects([style], [group("net/a.c")], "Call it", used=["net: Call it"])
    assert subjects == ["net: Call it in a.c"]


def test_the_prose_of_a_purpose_is_filled_but_not_its_lists():
    header = read_header(
        "/// Do it\n///\n/// These are\n/// wrong:\n/// - a\n/// - b\n///\n/// See\n/// https://example.org/"
        + "a-b" * 30
        + "\n"
    )
    body = choose_texts(CampaignRequest(Split.NONE), header, "a.cocci").message.body
    assert body.endswith("These are wrong:\n- a\n- b\n\nSee\nhttps://example.org/" + "a-b" * 30)
