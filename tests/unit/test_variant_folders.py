# SPDX-License-Identifier: GPL-2.0-or-later
"""A variant is looked up in four folders, in order, and an ambiguous name is an error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from patchgen.errors import SpecError, UsageError
from patchgen.resources import shipped_folder
from patchgen.spec.variant import find_variant
from patchgen.spec.variant_folders import list_folders, list_named

MANIFEST = """\
schema = 1
[variant]
name = "{name}"
title = "{title}"
cover = "cover.txt.j2"
"""


def write(folder: Path, name: str, title: str) -> Path:
    """Write a variant, and return its folder."""
    path = folder / name
    path.mkdir(parents=True)
    (path / "manifest.toml").write_text(MANIFEST.format(name=name, title=title))
    return path


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """Return the current folder, which is empty."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return folder


def install(tmp_path: Path, monkeypatch, module: str) -> Path:
    """Install a package whose entry point names a module; return the package's variants."""
    site = tmp_path / "site"
    info = site / "house-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: house\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[patchgen.variants]\nhouse = {module}\n")
    (site / "house").mkdir()
    monkeypatch.syspath_prepend(str(site))
    return site / "house" / "variants"


def test_the_first_folder_with_a_name_shadows_the_others(here, tmp_path, monkeypatch):
    folders = [
        here / "semantic-patches",
        tmp_path / "data" / "patchgen" / "semantic-patches",
        install(tmp_path, monkeypatch, "house.variants"),
    ]
    origins = []
    for folder in reversed(folders):
        write(folder, "pvops", str(folder))
        [named] = [each for each in list_named() if each.name == "pvops"]
        origins.append((named.origin, len(named.shadowed)))
        assert find_variant("pvops").manifest.variant.title == str(folder)
    assert origins == [("package house", 1), ("user", 2), ("current folder", 3)]
    assert named.shadowed[-1] == shipped_folder("semantic-patches") / "pvops"


def test_names_of_all_folders_are_found(here, tmp_path, monkeypatch):
    write(here / "semantic-patches", "mine", "x")
    write(install(tmp_path, monkeypatch, "house.variants"), "theirs", "x")
    names = [each.name for each in list_named()]
    assert {"mine", "theirs", "pvops"} <= set(names)
    assert names == sorted(names)
    assert find_variant("theirs").name == "theirs"


def test_a_package_without_its_folder_is_an_error(here, tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, "house.none")
    with pytest.raises(SpecError, match=r"the package house names the folder house\.none"):
        list_named()


def test_the_shipped_folder_below_the_current_one_is_one_folder(monkeypatch):
    monkeypatch.chdir(shipped_folder("semantic-patches").parent)
    assert [folder.origin for folder in list_folders()] == ["shipped"]


def test_a_folder_needs_no_slash(here):
    write(here, "mine", "A title")
    assert find_variant("mine").manifest.variant.title == "A title"
    assert find_variant("mine/").name == find_variant("./mine").name == "mine"


def test_a_name_that_is_also_a_folder_here_is_refused(here):
    write(here, "pvops", "mine")
    with pytest.raises(UsageError, match="both a variant \\(shipped\\) and a folder here") as err:
        find_variant("pvops")
    assert "./pvops" in str(err.value)
    assert find_variant("./pvops").manifest.variant.title == "mine"


def test_a_folder_without_a_manifest_is_named(here):
    (here / "empty").mkdir()
    with pytest.raises(UsageError, match=r"the folder empty is not a variant.*manifest\.toml"):
        find_variant("empty")


def test_an_unknown_name_gets_the_nearest_one_of_any_folder(here):
    write(here / "semantic-patches", "my-variant", "x")
    with pytest.raises(UsageError, match="did you mean 'my-variant'"):
        find_variant("my-varient")


def test_the_list_has_the_origin_and_what_is_shadowed(here, patchgen):
    write(here / "semantic-patches", "pvops", "mine")
    write(here / "semantic-patches", "broken", "x")
    (here / "semantic-patches/broken/manifest.toml").write_text("schema = 1\n")
    result = patchgen("variants", "--json", cwd=here)
    listed = {each["name"]: each for each in json.loads(result.out)}
    assert listed["pvops"]["from"] == "current folder"
    assert listed["pvops"]["shadows"] == [str(shipped_folder("semantic-patches") / "pvops")]
    assert listed["x86-platform"]["from"] == "shipped"
    assert result.code == 1
    assert "broken/manifest.toml" in result.err
    assert "shadows" in patchgen("variants", cwd=here).out


def test_a_variant_of_a_strangers_tree_never_replaces_another_silently(toy, patchgen, monkeypatch):
    """A branch can contain `semantic-patches/pvops`, and its texts go into public mails."""
    folder = toy / "semantic-patches" / "pvops"
    shipped = shipped_folder("semantic-patches") / "x86-platform"
    folder.parent.mkdir()
    folder.symlink_to(shipped)
    result = patchgen("apply", "pvops", "--dry-run", cwd=toy)
    assert result.code == 0, result.err
    assert "semantic-patches/pvops, which shadows" in result.err
