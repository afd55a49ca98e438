# SPDX-License-Identifier: GPL-2.0-or-later
"""The report of a series whose names, texts, diffs and results are markup, or are not text."""

from __future__ import annotations

from pathlib import PurePosixPath

from patchgen.mail import RecipientGroup
from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.model.series import Cover
from patchgen.report.content import SeriesReport, report_patch
from patchgen.report.page import render_page
from patchgen.report.result_lines import describe_results
from patchgen.report.results import CheckResults, FindingDocument
from patchgen.series import MatchedCommit, Record, RecordedPatch, SeriesBranch, Tracking
from tests.support.hostile_status import MARKUP, PEOPLE

_BASE = Oid("b" * 40)
LONG = "x" * 100_000
RULES = f"@rename@\nexpression E;\n@@\n-old(E);\n+new(E);\n\n// {MARKUP}\n"
# A file that a rule changes, one with bytes that are not text, and one without lines.
DIFF = f"""\
diff --git a/drivers/{MARKUP}.c b/drivers/{MARKUP}.c
index 1111111..2222222 100644
--- a/drivers/{MARKUP}.c
+++ b/drivers/{MARKUP}.c
@@ -1,3 +1,4 @@ {MARKUP}
 int a; /* {MARKUP} */
-old(b);
+new(b);
+{LONG}
 int c;
diff --git a/odd.c b/odd.c
--- a/odd.c
+++ b/odd.c
@@ -7 +7 @@
-caf\udce9 \u202e \x1b[31m
\\ No newline at end of file
+caf\u00e9
diff --git a/logo.bin b/logo.bin
new file mode 100644
Binary files /dev/null and b/logo.bin differ
""".encode("utf-8", "surrogateescape")


def hostile_page(count: int = 3) -> str:
    """Return the page of the report."""
    return render_page(hostile_report(count))


def hostile_report(count: int = 3) -> SeriesReport:
    """Return the report of a campaign with so many patches."""
    recorded = RecordedPatch(
        name="0", subject="", message="", content="0", semantic_patches={f"{MARKUP}.cocci": RULES}
    )
    commits = tuple(_make_commit(number) for number in range(1, count + 1))
    patches = tuple(
        recorded.model_copy(update={"name": str(number)}) for number in range(1, count + 1)
    )
    record = Record(
        variant=f"{MARKUP}.cocci",
        revision=2,
        base=_BASE,
        describe="v6.12",
        split="tree",
        patches=patches,
    )
    series = SeriesBranch(
        f"patchgen/{MARKUP}",
        _BASE,
        commits[-1].oid,
        commits,
        Oid("c" * 40),
        Cover(f"treewide: {MARKUP}: Rename it", f"{MARKUP}\n"),
        Tracking("20261128-it-0123456789ab", 2),
        record,
    )
    finding = FindingDocument(check="checkpatch", failure=True, text=MARKUP, where=f"{MARKUP}.c")
    # A person edited the code of the second patch.
    digests = {commit.oid: str(int(number == 1)) for number, commit in enumerate(commits)}
    reports = tuple(
        report_patch(MatchedCommit(commit, patch), DIFF, record, digests, [finding])
        for commit, patch in zip(commits, patches, strict=True)
    )
    return SeriesReport(
        series=series,
        base_name="v6.12",
        patches=reports,
        results=describe_results(series, CheckResults(), {}),
        recipients=(RecipientGroup((0, 1), "To", (*PEOPLE, MARKUP)),),
        previous=f"sent/{MARKUP}",
        range_diff=f"1:  1111111 ! 1:  2222222 {MARKUP}\n    @@ a\n    -{MARKUP}\n    +b\n",
        warnings=(f"{MARKUP} is not a warning",),
    )


def _make_commit(number: int) -> Commit:
    message = f"net: {number}: {MARKUP}\n\n{MARKUP}\n\nAcked-by: Rea <rea{number}@example.org>\n"
    oid = Oid(f"{number:040x}")
    return Commit(oid, Oid("f" * 40), "A <a@b>", "A <a@b>", message, (PurePosixPath("odd.c"),))
