# SPDX-License-Identifier: GPL-2.0-or-later
"""Sweeps as SARIF and as the document of --json."""

from __future__ import annotations

import base64
import json
from pathlib import PurePosixPath
from typing import Any

import sarif_pydantic
from hypothesis import given, strategies as st

from patchgen.coccinelle.header import Header
from patchgen.model.base import Base, Oid
from patchgen.model.outcome import Failure, ReportedPlace, UnparsedFunction
from patchgen.model.series import FileEdit
from patchgen.model.smpl import Mode
from patchgen.model.sweep import Counts, RuleCount, Sweep
from patchgen.sweep.document import describe_sweep
from patchgen.sweep.hunks import LineHunk, find_hunks
from patchgen.sweep.sarif import make_sarif

BASE = Base(Oid("1" * 40), Oid("2" * 40), "v6.1", "6.1.0")
PATH = PurePosixPath("fs/a b:c.c")
BEFORE = b"one\ntwo\nthree\nfour\n"
AFTER = b"one\n2\n2.5\nthree\nfour\nfive\n"
REPORTS = (
    ReportedPlace(PATH, 3, 2, "WARNING: no", rule="r", end_line=3, end_column=5),
    ReportedPlace(PATH, 7, None, "a statement", end_line=9),
    ReportedPlace(PATH, 12, 1, "a statement"),
)
FOUND = Sweep(
    "free/kfree.cocci",
    BASE,
    Mode.REPORT,
    (RuleCount("r", 3, 1),),
    reports=REPORTS,
    unparsed=(UnparsedFunction(PATH, 4, "f"), UnparsedFunction(PATH, 5)),
    unfinished={PATH: Failure("it took too long")},
    counts=Counts(10, 4, 3, 1),
    notes=("spatch gets whole files",),
    seconds=1.23456,
)
CHANGED = Sweep(
    "api/x.cocci", BASE, Mode.PATCH, (), edits=(FileEdit(PATH, "100644", BEFORE, AFTER),)
)
HEADER = Header(
    purpose="Find a use\nafter free.\n\nMore.", comments="False hits.", confidence="Moderate"
)


def one_run(*sweeps: tuple[Sweep, Header], **more: str) -> dict[str, Any]:
    log = make_sarif(sweeps, **more)
    json.dumps(log)
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    return dict(run)


def test_is_valid_by_the_models_of_the_format():
    log = make_sarif(
        [(FOUND, HEADER), (CHANGED, Header())], spatch_version="1.1.1", repository_uri="https://x/y"
    )
    read = sarif_pydantic.Sarif.model_validate(log)
    [run] = read.runs
    assert len(run.results) == len(REPORTS) + 1
    assert run.results[0].locations[0].physical_location.region.start_column == 2


def test_a_report_is_a_result_with_file_line_column_and_rule():
    run = one_run((CHANGED, Header()), (FOUND, HEADER))
    result = run["results"][1]
    assert result["properties"] == {"rule": "r"}
    assert (result["ruleId"], result["ruleIndex"]) == ("free/kfree.cocci", 1)
    assert run["tool"]["driver"]["rules"][1]["id"] == "free/kfree.cocci"
    assert (result["message"], result["level"]) == ({"text": "WARNING: no"}, "warning")
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "fs/a%20b%3Ac.c", "uriBaseId": "SRCROOT"}
    assert place["region"] == {"startLine": 3, "startColumn": 2, "endLine": 3, "endColumn": 5}
    assert "SRCROOT" in run["originalUriBaseIds"]


def test_a_report_of_whole_lines_ends_with_the_last_of_them():
    result = one_run((FOUND, HEADER))["results"][1]
    region = result["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 7, "endLine": 8}
    assert "level" not in result


def test_equal_texts_in_a_file_have_fingerprints_of_their_own():
    results = one_run((FOUND, HEADER))["results"]
    known = [result["partialFingerprints"]["patchgenText/v1"] for result in results]
    assert len(set(known)) == 3
    moved = Sweep(FOUND.semantic_patch, BASE, Mode.REPORT, (), reports=(REPORTS[1],))
    again = one_run((moved, HEADER))["results"][0]
    assert again["partialFingerprints"]["patchgenText/v1"] == known[1]


def test_a_rule_has_the_metadata_of_the_header():
    rule = one_run((FOUND, HEADER))["tool"]["driver"]["rules"][0]
    assert rule["name"] == "kfree"
    assert rule["shortDescription"] == {"text": "Find a use after free."}
    assert rule["fullDescription"] == {"text": HEADER.purpose}
    assert rule["help"] == {"text": "False hits."}
    assert rule["defaultConfiguration"] == {"level": "warning", "rank": 50.0}
    assert "helpUri" not in rule
    bare = one_run((FOUND, Header(confidence="who knows")))["tool"]["driver"]["rules"][0]
    assert bare["properties"] == {"confidence": "who knows"}
    assert "defaultConfiguration" not in bare


def test_unchecked_code_is_a_notification():
    run = one_run((FOUND, HEADER), spatch_version="1.1.1")
    [invocation] = run["invocations"]
    assert not invocation["executionSuccessful"]
    notifications = invocation["toolExecutionNotifications"]
    assert [(each["descriptor"]["id"], each["level"]) for each in notifications] == [
        ("unparsed", "warning"),
        ("unparsed", "warning"),
        ("unfinished", "error"),
        ("note", "note"),
    ]
    assert notifications[0]["message"]["text"] == "spatch could not parse f()"
    assert notifications[0]["locations"][0]["physicalLocation"]["region"] == {"startLine": 4}
    known = {each["id"] for each in run["tool"]["driver"]["notifications"]}
    assert {each["descriptor"]["id"] for each in notifications} <= known
    assert run["tool"]["extensions"] == [{"name": "Coccinelle", "version": "1.1.1"}]
    assert one_run((CHANGED, HEADER))["invocations"][0]["executionSuccessful"]


def test_the_revision_is_named():
    run = one_run((FOUND, HEADER), repository_uri="https://x/linux")
    assert run["versionControlProvenance"] == [
        {
            "repositoryUri": "https://x/linux",
            "revisionId": BASE.oid,
            "mappedTo": {"uriBaseId": "SRCROOT"},
        }
    ]
    run = one_run((FOUND, HEADER))
    assert "versionControlProvenance" not in run
    assert run["properties"] == {"revision": BASE.oid, "revisionName": "v6.1"}


def fix_all(before: bytes, results: list[dict[str, Any]]) -> bytes:
    """Apply the fixes as a reader of the format would: by lines and columns, last one first."""
    lines = [line + b"\n" for line in before.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    for result in reversed(results):
        [change] = result["fixes"][0]["artifactChanges"]
        for replacement in reversed(change["replacements"]):
            replace_in(lines, replacement)
    return b"".join(lines)


def replace_in(lines: list[bytes], replacement: dict[str, Any]) -> None:
    region = replacement["deletedRegion"]
    content = replacement.get("insertedContent", {"text": ""})
    new = content["text"].encode() if "text" in content else base64.b64decode(content["binary"])
    first, last = region["startLine"] - 1, region["endLine"] - 1
    assert region["startColumn"] == 1
    tail = lines[last].decode("utf-8", "replace")[region["endColumn"] - 1 :]
    unchanged = lines[last] if region["endColumn"] == 1 else tail.encode()
    lines[first : last + 1] = [new + unchanged]


LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"}\n", b"\xff\n", b"\r\n"]), max_size=9)


@given(LINES, LINES, st.sampled_from([b"", b"x", b"\xc3\xa9"]), st.sampled_from([b"", b"x"]))
def test_fixes_make_the_file_that_spatch_made(old, new, old_end, new_end):
    before, after = b"".join(old) + old_end, b"".join(new) + new_end
    edit = FileEdit(PATH, "100644", before, after)
    run = one_run((Sweep("x.cocci", BASE, Mode.PATCH, (), edits=(edit,)), Header()))
    assert fix_all(before, run["results"]) == after


def test_all_hunks_of_a_function_are_one_result_with_one_fix():
    """Each of them alone may be wrong: memset() goes only where kzalloc() comes."""
    [result] = one_run((CHANGED, Header()))["results"]
    assert result["message"]["text"] == "-two\n+2\n+2.5\n+five"
    region = result["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 2, "startColumn": 1, "endLine": 2}
    assert result["fixes"][0]["artifactChanges"][0]["replacements"][1] == {
        "deletedRegion": {"startLine": 5, "startColumn": 1, "endLine": 5, "endColumn": 1},
        "insertedContent": {"text": "five\n"},
    }


def test_hunks_of_two_functions_are_two_results():
    text = b"int f(void)\n{\n\told();\n}\n\nint g(void)\n{\n\told();\n}\n"
    edit = FileEdit(PATH, "100644", text, text.replace(b"old", b"new"))
    results = one_run((Sweep("x", BASE, Mode.PATCH, (), edits=(edit,)), Header()))["results"]
    regions = [each["locations"][0]["physicalLocation"]["region"] for each in results]
    assert regions == [{"startLine": n, "startColumn": 2, "endLine": n} for n in (3, 8)]


def test_hunks_are_found_in_a_long_file_that_changes_at_both_ends():
    lines = [b"\tx = %d;\n}\n" % number for number in range(20_000)]
    before = b"".join(lines)
    after = b"// new\n" + before.replace(b"\tx = 49;\n", b"\ty();\n", 1) + b"// end\n"
    hunks = list(find_hunks(before, after))
    assert hunks == [
        LineHunk(1, (), (b"// new\n",)),
        LineHunk(99, (b"\tx = 49;\n",), (b"\ty();\n",)),
        LineHunk(40_001, (), (b"// end\n",)),
    ]


def test_the_document_has_all_of_a_sweep():
    document = describe_sweep(FOUND, HEADER)
    assert json.loads(json.dumps(document)) == document
    assert document["base"] == {"commit": BASE.oid, "name": "v6.1", "version": "6.1.0"}
    assert document["purpose"] == HEADER.purpose
    assert document["reports"][0] == {
        "path": str(PATH),
        "line": 3,
        "column": 2,
        "end_line": 3,
        "end_column": 5,
        "rule": "r",
        "text": "WARNING: no",
    }
    assert document["unparsed"][1] == {"path": str(PATH), "line": 5, "function": None}
    assert document["unfinished"] == [{"path": str(PATH), "reason": "it took too long"}]
    assert document["files"] == {"in_question": 10, "candidates": 4, "cached": 3, "run": 1}
    assert document["seconds"] == 1.235
    [edit] = describe_sweep(CHANGED)["edits"]
    diff = edit.pop("diff")
    assert edit == {"path": str(PATH), "insertions": 3, "deletions": 1, "lines": [2, 5]}
    # As in git, a tab ends a name that contains a space.
    assert diff.startswith(f"diff --git a/{PATH} b/{PATH}\n--- a/{PATH}\t\n")
