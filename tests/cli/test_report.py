# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen report` on series of the toy tree and of a small tree: page, JSON and text."""

from __future__ import annotations

import json
import re
from contextlib import closing
from pathlib import Path

import pytest

from patchgen.odb import Quarantine, Repository
from tests.conftest import Patchgen
from tests.support.checks import snapshot
from tests.support.kernels import commit_all

V4 = "patchgen/pvops-v4"
RENAME = "@rename@\nexpression E;\n@@\n-old_call(E);\n+new_call(E);\n"
CAMPAIGN = "patchgen/rename-v1"
VERIFIED = {"passed": False, "checks": ["lint", "checkpatch"], "series_findings": []}


def report(patchgen: Patchgen, tree: Path, *args: str | Path) -> dict:
    result = patchgen("report", "--tree", tree, "--json", *args)
    assert result.code == 0, result.err
    return json.loads(result.out)


def write_result(folder: Path, document: object) -> Path:
    path = folder / "result.json"
    path.write_text(json.dumps(document))
    return path


def verify_of(commits: list[str], text: str = "Odd") -> dict:
    """Return the document of a verify that has a finding about the first commit."""
    finding = {"check": "checkpatch", "failure": True, "where": "a.c", "text": text}
    found = [{"commit": commit, "findings": []} for commit in commits]
    found[0]["findings"] = [finding]
    return {**VERIFIED, "commits": found}


@pytest.fixture
def tree(patchgen: Patchgen, tmp_path: Path) -> Path:
    """Return a tree with a campaign of one semantic patch, checked out."""
    folder = tmp_path / "tree"
    (folder / "net").mkdir(parents=True)
    for name in ("a.c", "<b>.c"):
        (folder / "net" / name).write_text("void f(int n)\n{\n\told_call(n);\n}\n")
    commit_all(folder, "start")
    (tmp_path / "rename.cocci").write_text(RENAME)
    series = ("--split", "none", "--subject", "Call the new one", "--to", "list@example.org")
    args = ("--tree", folder, *series, "--signoff")
    result = patchgen("run", tmp_path / "rename.cocci", *args)
    assert result.code == 0, result.err
    return folder


def test_the_rule_of_each_line_is_reported(patchgen, pvops):
    before = snapshot(pvops, without="none")
    document = report(patchgen, pvops, V4)
    assert (document["branch"], document["revision"]) == (V4, 4)
    callers = document["patches"][1]
    assert callers["rules"]["early_notifies"] == 2 and callers["edited"] == []
    origins = {file["path"]: file["origins"] for file in callers["files"]}
    assert origins["arch/x86/mm/mem_encrypt.c"] == {
        "template text or a rule": 11,
        "early_notifies": 4,
    }
    assert origins["arch/x86/mm/pat/set_memory.c"]["range_include"] == 1
    total = sum(sum(counts.values()) for counts in origins.values())
    assert total == sum(file["insertions"] + file["deletions"] for file in callers["files"])
    assert snapshot(pvops, without="none") == before


def test_the_lines_of_template_text_are_those_of_the_message_and_rules_are_probable(
    patchgen, pvops, git
):
    result = patchgen("report", "--tree", pvops, V4)
    numbers = re.findall(r"^      template text: (\d+) of (\d+) lines$", result.out, re.MULTILINE)
    log = git(pvops, "log", "--reverse", "--format=%B", f"master..{V4}")
    assert numbers == re.findall(r"template\stext:\s(\d+)\sof\s(\d+)\slines\.", log)
    assert len(numbers) == 4
    assert "      probably early_notifies: 4 changed lines\n" in result.out
    for patch, (templates, added) in zip(
        report(patchgen, pvops, V4)["patches"], numbers, strict=True
    ):
        assert patch["template_lines"] == {"templates": int(templates), "added": int(added)}
        assert sum(file["insertions"] for file in patch["files"]) == int(added)


def test_the_only_rule_of_a_campaign_is_certain(patchgen, tree):
    out = patchgen("report", "--tree", tree, CAMPAIGN).out
    assert "      rename: 4 changed lines\n" in out and "template text" not in out
    page = tree.parent / "plain.html"
    assert patchgen("report", "--tree", tree, CAMPAIGN, "--html", page).code == 0
    assert "template text" not in page.read_text()


def test_a_campaign_has_one_rule_until_a_person_edits_it(patchgen, tree, git):
    document = report(patchgen, tree, CAMPAIGN)
    [patch] = document["patches"]
    assert [file["path"] for file in patch["files"]] == ["net/<b>.c", "net/a.c"]
    assert all(file["origins"] == {"rename": 2} for file in patch["files"])
    git(tree, "switch", "-q", CAMPAIGN)
    path = tree / "net/a.c"
    path.write_text(path.read_text() + "int more;\n")
    git(tree, "commit", "-q", "-a", "--amend", "--no-edit")
    (tree / "logo.bin").write_bytes(b"\0\xff" * 99)
    (tree / "caf\udce9.c").write_bytes(b"/* caf\xe9 */\n")
    (tree / "z\n.c").write_text("")
    commit_all(tree, "add by hand")
    page = tree.parent / "page.html"
    edited, added = report(patchgen, tree, "--html", page)["patches"]
    assert edited["edited"] == ["code"] and not added["recorded"]
    assert edited["files"][1]["origins"] == {"rename": 2, "edited by hand": 1}
    assert added["files"][1]["origins"] == {}
    text = page.read_text()
    assert "edited by hand: code" in text and "added by hand" in text
    assert "net/&lt;b&gt;.c" in text and "caf\\xe9.c" in text and "/* caf\\xe9 */" in text
    assert "&#34;z\\n.c&#34;" in text
    assert "Binary files /dev/null and b/logo.bin differ" in text


def test_results_are_read_from_files_and_those_of_other_patches_are_named(
    patchgen, pvops, tmp_path
):
    document = report(patchgen, pvops, V4)
    assert [(result["check"], result["state"]) for result in document["results"]] == [
        ("verify", "not run"),
        ("audit", "not run"),
        ("leftovers", "not run"),
    ]
    commits = [patch["commit"] for patch in document["patches"]]
    page = tmp_path / "page.html"
    result = write_result(tmp_path, verify_of(commits))
    verify = report(patchgen, pvops, V4, "--result", result, "--html", page)["results"][0]
    assert verify["state"] == "failed" and verify["text"] == "lint, checkpatch: 1 finding"
    assert page.read_text().count("<li>checkpatch: a.c: Odd</li>") == 1
    verified = verify_of(commits)
    [finding] = verified["commits"][0]["findings"]
    old = {**finding, "failure": False, "in_old_code": True}
    verified["commits"][0]["findings"] += [{**old, "where": where} for where in ("a.c:1", "a.c:2")]
    result = write_result(tmp_path, verified)
    verify = report(patchgen, pvops, V4, "--result", result, "--html", page)["results"][0]
    assert verify["text"] == "lint, checkpatch: 1 finding, 2 in old code"
    assert "<li>2 findings in old code (remark)</li>" in page.read_text()
    assert "a.c:1" not in page.read_text()
    result = write_result(tmp_path, verify_of(commits[:1]))
    verify = report(patchgen, pvops, V4, "--result", result)["results"][0]
    assert verify["text"].endswith("; these are results of other patches")


def test_the_documents_of_verify_and_run_are_read(patchgen, tree, tmp_path):
    args = ("--tree", tree, "--skip", "checkpatch", "--skip", "build", "--json")
    (tmp_path / "verify.json").write_text(patchgen("verify", CAMPAIGN, *args).out)
    (tmp_path / "run.json").write_text(
        patchgen("run", tmp_path / "rename.cocci", "--tree", tree, "--json").out
    )
    results = [f"--result={tmp_path / name}.json" for name in ("verify", "run")]
    verify, audit, left = report(patchgen, tree, CAMPAIGN, *results)["results"]
    assert verify["state"] == "passed" and "other patches" not in verify["text"]
    assert audit["state"] == "not run"
    assert (left["state"], left["text"]) == ("done", "on the base: no leftovers")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "is not the result of a check"),
        ('{"kind": "why"}', "is not the result of a check"),
        ('{"checks": [], "passed": 1}', "is not a document of `patchgen verify --json`"),
        ('{"results": [{}], "base": {"commit": "1"}}', "results.0.semantic_patch"),
    ],
)
def test_a_file_without_results_is_refused(patchgen, tree, tmp_path, content, reason):
    (tmp_path / "result.json").write_text(content)
    args = ("--tree", tree, "--html", tmp_path / "page.html")
    result = patchgen("report", CAMPAIGN, *args, "--result", tmp_path / "result.json")
    assert result.code == 2 and reason in result.err and str(tmp_path / "result.json") in result.err
    assert not (tmp_path / "page.html").exists()


def test_two_results_of_a_kind_are_refused(patchgen, tree, tmp_path):
    path = write_result(tmp_path, {**VERIFIED, "commits": []})
    args = ("--tree", tree, "--result", path, "--result", path)
    result = patchgen("report", CAMPAIGN, *args)
    assert result.code == 2 and "both have results of `patchgen verify`" in result.err


def test_recorded_tests_are_shown_until_the_patches_change(patchgen, tree, git):
    args = ("--tree", tree, "--skip", "checkpatch", "--skip", "build", "--skip", "sections")
    assert patchgen("verify", CAMPAIGN, *args, "--record").code == 1
    recorded = record_testing(tree)
    verify = report(patchgen, tree, CAMPAIGN)["results"][0]
    assert (verify["state"], verify["text"]) == ("passed", recorded)
    git(tree, "switch", "-q", CAMPAIGN)
    (tree / "net/a.c").write_text("int other;\n")
    git(tree, "commit", "-q", "-a", "--amend", "--no-edit")
    verify = report(patchgen, tree)["results"][0]
    assert verify["state"] == "not run" and verify["text"].endswith(recorded)


def record_testing(tree: Path) -> str:
    """Record that checkpatch passed, as `verify --record` does; return the text."""
    from patchgen.series import read_branch
    from patchgen.verify.record_testing import record_testing

    with closing(Repository(tree)) as repository, Quarantine(repository) as quarantine:
        name, tip = repository.resolve_branch(CAMPAIGN)
        series = read_branch(repository, quarantine, name, tip)
        return record_testing(repository, series, ["checkpatch"], [])


def test_the_range_diff_is_from_the_last_version_that_was_sent(patchgen, tree, git):
    document = report(patchgen, tree, CAMPAIGN)
    assert (document["compared_with"], document["range_diff"]) == (None, None)
    args = ("--tree", tree, "--series", CAMPAIGN, "--json")
    imported = patchgen("import", tree / "outgoing/rename-v1", *args)
    tag = json.loads(imported.out)["tag"]
    document = report(patchgen, tree, CAMPAIGN)
    assert (document["compared_with"], document["range_diff"]) == (tag, None)
    git(tree, "switch", "-q", CAMPAIGN)
    (tree / "net/a.c").write_text("int other;\n")
    git(tree, "commit", "-q", "-a", "--amend", "--no-edit")
    document = report(patchgen, tree)
    assert document["compared_with"] == tag and "+int other;" in document["range_diff"]


def test_the_recipients_are_those_of_send(patchgen, pvops):
    recipients = report(patchgen, pvops, V4)["recipients"]
    mails = json.loads(patchgen("send", V4, "--tree", pvops, "--dry-run", "--json").out)["mails"]
    for number, mail in enumerate(mails):
        groups = [group for group in recipients if number in group["mails"]]
        for header in ("To", "Cc"):
            people = [person for g in groups if g["header"] == header for person in g["people"]]
            assert sorted(people) == sorted(mail[header.lower()])


def test_a_branch_without_a_cover_letter_is_refused(patchgen, toy, git):
    git(toy, "switch", "-q", "-c", "plain")
    git(toy, "commit", "-q", "--allow-empty", "-m", "a commit")
    result = patchgen("report", "plain", "--tree", toy)
    assert result.code == 1 and "plain has no cover letter" in result.err
