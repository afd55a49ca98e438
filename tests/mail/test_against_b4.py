# SPDX-License-Identifier: GPL-2.0-or-later
"""The tags that b4 and patchgen add in each case of tests/data/mail, and each difference.

tests/data/mail/against-b4.toml explains the differences. A row fails once its difference is gone.
"""

from __future__ import annotations

import gzip
import json
import mailbox
import os
import re
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.mail.conftest import b4_programs
from tests.support import TOP
from tests.support.kernels import commit_all
from tests.support.required import skip

DATA = TOP / "tests" / "data" / "mail"
V4 = "patchgen/pvops-v4"
_OF_THE_DAY = re.compile(rb"20261128-pvops-v4-(\d)-d8364697b3df@example\.org")
_ID = re.compile(rb"^Message-ID:\s*<([^>]+)>", re.MULTILINE | re.IGNORECASE)
# b4 0.12 fails on it.
_FOLDED = re.compile(rb"^(Subject: .*)\n[ \t]+", re.MULTILINE)
_TAG = re.compile(r"^[A-Z][\w-]+-by: .*", re.MULTILINE | re.IGNORECASE)
_NUMBER = re.compile(r"\b(\d+)/\d+\]")
# The number of a patch, and a tag.
Tags = set[tuple[int, str]]

pytestmark = pytest.mark.slow


def test_each_difference_from_b4_has_a_reason(patchgen, pvops, git, tmp_path):
    rows = tomllib.loads((DATA / "against-b4.toml").read_text())["difference"]
    assert all(row["reason"].strip() for row in rows)
    boxes = {path.name: tmp_path / f"{path.name}.mbox" for path in DATA.iterdir() if path.is_dir()}
    thread = sorted((pvops / "outgoing" / "pvops-v4").glob("v4-*.patch"))
    ours: dict[str, Tags] = {}
    listed: set[tuple[str, str]] = set()
    for name, box in boxes.items():
        box.write_bytes(write_box(name, thread))
        if is_series(name):
            ours[name] = import_series(patchgen, git, name, tmp_path / name)
        else:
            ours[name], others = collect(patchgen, pvops, box)
            listed |= {(name, tag) for tag in others}
    for row in rows:
        is_listed = (row["case"], row["tag"]) in listed
        assert row["only"] == "patchgen" or is_listed == row.get("is_listed", True), row
    posted = {line for path in thread for line in path.read_text().splitlines()}
    missing = [program for program in b4_programs() if not Path(program).is_file()]
    for label, program in zip(("system", "environment"), b4_programs(), strict=True):
        if program not in missing:
            theirs = run_b4(program, boxes, posted, tmp_path / label)
            assert list_differences(ours, theirs) == list_expected(rows, label), label
    if missing:
        skip("b4", f"{', '.join(missing)} is missing: apt-get install b4")


def is_series(name: str) -> bool:
    """Return whether a case is a posted series, and not replies to v4 of the toy tree."""
    return any((DATA / name).glob("v[0-9]*"))


def list_differences(
    ours: Mapping[str, Tags], theirs: Mapping[str, Tags]
) -> set[tuple[str, str, int, str]]:
    """Return case, the only program that adds it, patch and tag of each difference."""
    only = {(name, "b4", *tag) for name, tags in theirs.items() for tag in tags - ours[name]}
    return only | {
        (name, "patchgen", *tag) for name, tags in ours.items() for tag in tags - theirs[name]
    }


def list_expected(rows: list[dict], label: str) -> set[tuple[str, str, int, str]]:
    """Return the differences that the table has for one of the two versions of b4."""
    return {
        (row["case"], row["only"], number, row["tag"])
        for row in rows
        for number in row["patches"]
        if label in row.get("b4", [label])
    }


def write_box(name: str, thread: list[Path]) -> bytes:
    """Return the mails of a case, below those of v4 as they were sent if it has replies to them."""
    if is_series(name):
        files = sorted((DATA / name).iterdir())
        return _FOLDED.sub(rb"\1 ", b"".join(path.read_bytes() for path in files))
    mails = [path.read_bytes() for path in thread]
    ids = [_ID.search(mail)[1] for mail in mails]
    [source] = [path for path in (DATA / name).iterdir() if path.name != "message"]
    content = source.read_bytes()
    content = gzip.decompress(content) if source.suffix == ".gz" else content
    content = _OF_THE_DAY.sub(lambda match: ids[int(match[1])], content)
    dated = b"Date: Sun, 29 Nov 2026 09:00:00 +0000\n"
    posted = (head + b"\n" + dated + rest for head, _, rest in (m.partition(b"\n") for m in mails))
    start = b"" if content.startswith(b"From ") else b"From x@y Thu Jan  1 00:00:00 1970\n"
    box = b"".join(mail.rstrip() + b"\n\n" for mail in posted) + start + content
    return _FOLDED.sub(rb"\1 ", box)


def collect(patchgen, tree: Path, box: Path) -> tuple[Tags, set[str]]:
    """Return the tags that `patchgen trailers` adds, and those that it lists."""
    result = patchgen("trailers", "--tree", tree, V4, box, "--dry-run", "--json")
    assert result.code == 0, result.err
    document = json.loads(result.out)
    added = {(tag["patch"], strip_note(tag["trailer"])) for tag in document["applied"]}
    return added, {strip_note(tag["trailer"]) for tag in document["not_applied"]}


def import_series(patchgen, git, name: str, tree: Path) -> Tags:
    """Return the tags of the commits that `patchgen import` makes, none if it refuses."""
    tree.mkdir()
    for file, word in (("a.c", "line"), ("b.c", "bline")):
        (tree / file).write_text("".join(f"{word} {number}\n" for number in range(40)))
    commit_all(tree, "lines")
    files = list((DATA / name).iterdir())
    source = files[0] if len(files) == 1 else DATA / name
    result = patchgen("import", "--tree", tree, source, "--base", "master", "--json")
    if result.code:
        return set()
    tag = json.loads(result.out)["tag"]
    oids = git(tree, "rev-list", "--reverse", f"master..{tag}").split()
    messages = [git(tree, "show", "-s", "--format=%(trailers:only)", oid) for oid in oids]
    return {
        (number, strip_note(line))
        for number, message in enumerate(messages, 1)
        for line in _TAG.findall(message)
    }


def run_b4(
    program: str, boxes: Mapping[str, Path], posted: set[str], folder: Path
) -> dict[str, Tags]:
    """Return the tags of the patches that `b4 am` makes of each mailbox.

    Those that v4 has already, among its `posted` lines, are left out.
    """
    folder.mkdir()
    jobs = [
        f"{box}\t{match[1].decode()}\t{folder / name}\n"
        for name, box in boxes.items()
        if (match := _ID.search(box.read_bytes()))
    ]
    interpreter = Path(program).read_text().partition("\n")[0].removeprefix("#!")
    argv = [interpreter, TOP / "tests" / "support" / "run_b4.py"]
    # b4 0.12 ends without a message if git knows no user.
    user = {"GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "Ada"}
    user |= {"GIT_CONFIG_KEY_1": "user.email", "GIT_CONFIG_VALUE_1": "ada@example.org"}
    environment = {**os.environ, **user}
    subprocess.run(argv, input="".join(jobs), text=True, check=True, cwd=folder, env=environment)
    return {
        name: {
            tag for tag in read_patches(folder / name) if is_series(name) or tag[1] not in posted
        }
        for name in boxes
    }


def read_patches(path: Path) -> Tags:
    tags: Tags = set()
    for mail in mailbox.mbox(path) if path.exists() else ():
        number = _NUMBER.search(str(mail["Subject"]))
        text = bytes(mail.get_payload(decode=True)).decode().partition("\n---\n")[0]
        place = int(number[1]) if number else 1
        tags |= {(place, strip_note(line)) for line in _TAG.findall(text)}
    return tags


def strip_note(tag: str) -> str:
    """Return a tag in its usual letter case, without the note after it, or below it."""
    key, colon, value = tag.partition("\n")[0].partition(" #")[0].rstrip().partition(":")
    return key.capitalize() + colon + value
