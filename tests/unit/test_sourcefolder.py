# SPDX-License-Identifier: GPL-2.0-or-later
"""Only regular files below a variant's folder are read, whichever key or template names them."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from patchgen.errors import ErrorPlace, SpecError
from patchgen.sourcefolder import LARGEST_BYTES, SourceFolder, decode_text, read_regular
from patchgen.spec.variant import load_variant
from patchgen.templating import render_smpl, render_text
from tests.unit.test_manifest import GOOD, write

SECRET = "the user's secret"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a variant's folder with one entry of each kind that leads elsewhere."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home/secret").write_text(SECRET)
    folder = tmp_path / "variant"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub/good").write_text("good")
    (folder / "link").symlink_to("../home/secret")
    (folder / "inside").symlink_to("sub/good")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "linked").symlink_to("../home")
    os.mkfifo(folder / "fifo")
    (folder / "large").write_bytes(b"x" * (LARGEST_BYTES + 1))
    (folder / "zero").symlink_to("/dev/zero")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(folder / "socket"))
    listening.close()
    return folder


BAD = {
    "link": "a symbolic link",
    "inside": "a symbolic link",
    "dangling": "a symbolic link",
    "linked/secret": "linked is a symbolic link",
    "zero": "a symbolic link",
    "fifo": "a FIFO",
    "socket": "a socket",
    "large": "larger than 4 MiB",
    "../home/secret": "not the name of a file in",
    "sub/../../home/secret": "not the name of a file in",
    "/etc/passwd": "not the name of a file in",
    "a\0b": "not the name of a file in",
}


@pytest.mark.parametrize(("name", "why"), BAD.items(), ids=map(repr, BAD))
def test_only_regular_files_below_the_folder_are_read(folder, name, why):
    with pytest.raises(SpecError, match=why):
        SourceFolder(folder).read(name)


@pytest.mark.parametrize("name", ["", ".", "sub", "none", "sub/none", "sub/good/none"])
def test_what_is_not_a_file_is_looked_for_elsewhere(folder, name):
    if name in ("", "."):
        with pytest.raises(SpecError):
            SourceFolder(folder).read(name)
    else:
        assert SourceFolder(folder).read(name) is None


def test_a_device_is_not_opened():
    with pytest.raises(SpecError, match="a device"):
        SourceFolder(Path("/dev")).read("zero")
    with pytest.raises(SpecError, match="not a regular file"):
        read_regular(Path("/dev/zero"))


def test_the_folder_itself_may_be_reached_through_a_link(folder, tmp_path):
    (tmp_path / "installed").symlink_to(folder)
    assert SourceFolder(tmp_path / "installed").read("sub/good") == b"good"
    assert SourceFolder(tmp_path / "installed").folder("sub").read("good") == b"good"


def test_a_folder_below_it_may_not(folder):
    with pytest.raises(SpecError, match="linked is a symbolic link"):
        SourceFolder(folder).folder("linked").read("secret")


def test_the_digest_is_of_regular_files_and_never_waits(folder, tmp_path):
    plain = tmp_path / "plain"
    (plain / "sub").mkdir(parents=True)
    (plain / "sub/good").write_text("good")
    assert SourceFolder(folder).digest() == SourceFolder(plain).digest()


@pytest.mark.parametrize("name", [name for name in BAD if "\0" not in name])
@pytest.mark.parametrize("kind", ["include", "import", "from", "extends"])
def test_a_template_reads_no_other_files_either(folder, name, kind):
    statement = {
        "include": f"<% include {name!r} %>",
        "import": f"<% import {name!r} as x %>",
        "from": f"<% from {name!r} import x %>",
        "extends": f"<% extends {name!r} %>",
    }[kind]
    (folder / "t.cocci.j2").write_text(f"one\n{statement}\n")
    with pytest.raises(SpecError) as caught:
        render_smpl("t.cocci.j2", [SourceFolder(folder)], {})
    assert str(folder / "t.cocci.j2") + ":2" in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("name", ["link", "fifo", "../home/secret"])
def test_a_name_that_is_a_value_is_not_read_either(folder, name):
    (folder / "t.txt.j2").write_text("{% include name ignore missing %}")
    with pytest.raises(SpecError, match=r"t\.txt\.j2:1"):
        render_text("t.txt.j2", [SourceFolder(folder)], {"name": name})


def test_a_text_that_claims_to_come_from_another_file_shows_nothing_of_it(folder, tmp_path):
    (folder / "t.cocci.j2").write_text('<%= "\x01../home/secret\x021\x03x" %>')
    _, [place] = render_smpl("t.cocci.j2", [SourceFolder(folder)], {})
    with pytest.raises(SpecError):
        SourceFolder(folder).read(place.template)


@pytest.mark.parametrize("kind", ["file", "folder", "backends"])
def test_a_manifest_is_a_regular_file_of_the_folder(tmp_path, kind):
    text = GOOD.replace('title = "A variant"', 'title = "A variant"\nbackends = ["b"]')
    real = tmp_path / "real"
    (real / "b").mkdir(parents=True)
    backend = 'schema = 1\n[backend]\nname = "b"\ntitle = "B"\n'
    (real / "b/manifest.toml").write_text(backend)
    variant = tmp_path / "variant"
    variant.mkdir()
    write(variant, text)
    if kind == "file":
        (variant / "backends/b").mkdir(parents=True)
        (variant / "backends/b/manifest.toml").symlink_to(real / "b/manifest.toml")
    elif kind == "folder":
        (variant / "backends").mkdir()
        (variant / "backends/b").symlink_to(real / "b")
    else:
        (variant / "backends").symlink_to(real)
    with pytest.raises(SpecError, match="symbolic link"):
        load_variant(variant)


def test_a_fifo_for_a_manifest_does_not_wait(tmp_path):
    os.mkfifo(tmp_path / "manifest.toml")
    with pytest.raises(SpecError, match=r"manifest\.toml: is a FIFO"):
        load_variant(tmp_path)


@pytest.mark.parametrize(
    ("content", "line", "why"),
    [
        (b"\xef\xbb\xbfx\n", 1, "byte order mark"),
        (b"x\ncaf\xe9\n", 2, "not UTF-8"),
        (b"x\n\ny\0\n", 3, "NUL"),
    ],
)
def test_a_text_is_plain_utf_8(content, line, why):
    with pytest.raises(SpecError, match=why) as caught:
        decode_text(content, ErrorPlace("f"))
    assert caught.value.place == ErrorPlace("f", line)
