# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen list`: the state of each series, from branches, tags and journals alone."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import click
import pytest

from patchgen.odb import Quarantine, Repository
from patchgen.pipeline.journal import Journal, MailState, begin_entries
from patchgen.pipeline.prepare import prepare_branch
from tests.conftest import Patchgen
from tests.support.terminal import patchgen_on_terminal

V4 = "patchgen/pvops-v4"
ACK = "Acked-by: Mem Maintainer <mem@example.org>"


def list_series(patchgen: Patchgen, tree: Path) -> dict[str, dict]:
    """Return the document of each series, by branch."""
    result = patchgen("list", "--tree", tree, "--json")
    assert (result.code, result.err) == (0, "")
    return {series["branch"]: series for series in json.loads(result.out)["series"]}


def record_mails(tree: Path, sent: int) -> None:
    """Record in the journal that the first `sent` mails were sent, a minute apart."""
    with closing(Repository(tree)) as repository, Quarantine(repository) as quarantine:
        version, _ = prepare_branch(repository, quarantine, V4)
        journal = Journal(repository, version.change_id, version.revision)
        (repository.git_dir / "patchgen/send").mkdir(parents=True, exist_ok=True)
        journal.write(
            [
                replace(entry, state=MailState.SENT, time=60.0 * number) if number < sent else entry
                for number, entry in enumerate(begin_entries(version.mails))
            ]
        )


def tag_as_sent(patchgen: Patchgen, tree: Path, revision: int = 4) -> None:
    """Tag the patches of the branch as a version that was sent."""
    result = patchgen("import", V4, "--tree", tree, "--series", V4, "-v", str(revision))
    assert result.code == 0, result.err


def add_acks(git, tree: Path) -> None:
    git(tree, "switch", "-q", V4)
    command = f"git commit -q --amend --no-edit --trailer '{ACK}'"
    git(tree, "rebase", "-q", "--exec", command, "HEAD~4")


def test_a_series_goes_from_draft_to_acked(patchgen, pvops, git):
    git(pvops, "branch", "plain")
    base = git(pvops, "rev-parse", "master").strip()
    listed = list_series(patchgen, pvops)
    assert list(listed) == [V4]
    assert listed[V4] | {"change_id": ""} == {
        "branch": V4,
        "current": False,
        "revision": 4,
        "change_id": "",
        "subject": "x86: Route page encryption status changes through pv_ops",
        "base": {"commit": base, "name": base[:12]},
        "patches": 4,
        "acked": 0,
        "tags": {},
        "sent": None,
        "state": "draft",
        "problem": None,
    }
    record_mails(pvops, 0)
    assert list_series(patchgen, pvops)[V4]["state"] == "draft"
    record_mails(pvops, 3)
    series = list_series(patchgen, pvops)[V4]
    assert series["state"] == "partly sent"
    assert series["sent"] == {"mails": 3, "of": 5, "time": 120.0, "tag": None}
    assert "3 of 5" in patchgen("list", "--tree", pvops).out
    tag_as_sent(patchgen, pvops)
    series = list_series(patchgen, pvops)[V4]
    assert series["state"] == "sent" and series["sent"]["tag"].startswith("sent/")
    assert (series["sent"]["mails"], series["sent"]["of"]) == (5, 5)
    add_acks(git, pvops)
    series = list_series(patchgen, pvops)[V4]
    assert (series["state"], series["acked"], series["tags"]) == ("acked", 4, {"Acked-by": 4})
    assert series["current"]


def test_a_series_whose_code_changed_after_it_was_sent_is_edited(patchgen, pvops, git):
    tag_as_sent(patchgen, pvops)
    git(pvops, "switch", "-q", V4)
    # The last patch, and so the result, is the same: an earlier patch differs.
    message = git(pvops, "log", "-1", "--format=%B", "HEAD~1")
    middle = git(pvops, "commit-tree", "-p", "HEAD~2", "-m", message, "HEAD~2^{tree}").strip()
    last = git(pvops, "log", "-1", "--format=%B")
    git(pvops, "reset", "-q", "--soft", middle)
    git(pvops, "commit", "-q", "-m", last)
    assert list_series(patchgen, pvops)[V4]["state"] == "edited"


@pytest.mark.parametrize("where", ["branch", "tag"])
def test_a_version_with_a_newer_one_is_superseded(patchgen, pvops, where):
    if where == "branch":
        assert patchgen("reroll", V4, "--tree", pvops).code == 0
        states = {name: series["state"] for name, series in list_series(patchgen, pvops).items()}
        assert states == {"patchgen/pvops-v5": "draft", V4: "superseded"}
    else:
        tag_as_sent(patchgen, pvops, 5)
        assert list_series(patchgen, pvops)[V4]["state"] == "superseded"


def test_of_versions_made_in_the_same_second_the_higher_is_first(patchgen, pvops, git):
    for version in ("v5", "v10"):
        git(pvops, "branch", f"patchgen/pvops-{version}", V4)
    branches = [f"patchgen/pvops-{version}" for version in ("v10", "v5", "v4")]
    assert list(list_series(patchgen, pvops)) == branches


def test_an_unreadable_series_is_listed_with_the_reason(patchgen, pvops, git):
    record_mails(pvops, 1)
    [journal] = (pvops / ".git/patchgen/send").glob("*.json")
    journal.write_text("{")
    assert list_series(patchgen, pvops)[V4]["state"] == "unreadable"
    message = git(pvops, "log", "-1", "--format=%B", f"{V4}~4").replace('"series"', '"serie"')
    broken = git(pvops, "commit-tree", "-p", "master", "-m", message, "master^{tree}").strip()
    git(pvops, "branch", "broken", broken)
    result = patchgen("list", "--tree", pvops)
    assert result.code == 0 and result.out.count("unreadable") == 2
    assert "warning: broken: the tracking section" in result.err
    assert f"warning: {V4}: {journal} cannot be read" in result.err


def test_the_table_fits_80_columns(patchgen, pvops, git):
    tag_as_sent(patchgen, pvops, 5)
    tag_as_sent(patchgen, pvops)
    [row] = [line for line in patchgen("list", "--tree", pvops).out.splitlines() if V4 in line]
    assert len(row) <= 80 and row.endswith("superseded")


def test_in_a_pipe_each_series_is_one_line(patchgen, pvops, git):
    name = "a/" + "branch-with-a-long-name-" * 7
    git(pvops, "branch", name, V4)
    rows = patchgen("list", "--tree", pvops).out.splitlines()
    [row] = [line for line in rows if name in line]
    assert row.endswith("draft") and "0 of 4" in row


@pytest.mark.parametrize("columns", [30, 60, 70, 71])
def test_a_narrow_terminal_breaks_no_word(pvops, git, columns):
    git(pvops, "branch", "-m", "patchgen/pvops-v4", "patchgen/a-long-name-v4")
    argv = ("--no-pager", "list")
    shown = click.unstyle(patchgen_on_terminal(*argv, cwd=pvops, columns=columns).text)
    lines = shown.splitlines()
    assert all(len(line) <= columns for line in lines)
    base = git(pvops, "rev-parse", "--short=12", "master").strip()
    for word in ("patchgen/a-long-name-v4", base, "draft", "version", "0 of 4"):
        assert word in shown
    # Rows are paragraphs if they do not fit.
    assert ("  state: draft" in lines) is (columns < 71)


def test_a_repository_without_series_has_an_empty_list(patchgen, toy):
    result = patchgen("list", "--tree", toy)
    assert (result.code, result.out) == (0, "")
    assert "`patchgen apply` makes one" in result.err
    assert list_series(patchgen, toy) == {}


def test_more_branches_start_no_more_processes(patchgen, pvops, git, monkeypatch, tmp_path):
    trace = tmp_path / "trace"

    def count_processes() -> int:
        trace.write_text("")
        list_series(patchgen, pvops)
        return trace.read_text().count('"event":"start"')

    monkeypatch.setenv("GIT_TRACE2_EVENT", str(trace))
    few = count_processes()
    assert few
    for number in range(20):
        git(pvops, "branch", f"copy{number}", f"{V4}~{number % 3}")
    assert count_processes() == few
    monkeypatch.delenv("GIT_TRACE2_EVENT")
    assert len(list_series(patchgen, pvops)) == 21
