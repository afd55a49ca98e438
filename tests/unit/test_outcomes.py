# SPDX-License-Identifier: GPL-2.0-or-later
"""The outcomes and the edits of a sweep, which are compressed in memory."""

from __future__ import annotations

import tracemalloc
from pathlib import PurePosixPath

import pytest

from patchgen.model.outcome import FileResult, ReportedPlace, RuleHits, UnparsedFunction
from patchgen.model.series import FileEdit
from patchgen.sweep.outcomes import CompressedEdits, Outcomes

PATH, HEADER = PurePosixPath("net/a.c"), PurePosixPath("net/a.h")
OUTCOMES = {
    "changed": FileResult(PATH, b"int a;\xff\r\n", (RuleHits("r", 2),)),
    "marked": FileResult(PATH, rules=(RuleHits("r", 2, counts_marks=True),)),
    "made empty": FileResult(PATH, b"", (RuleHits("r", 1),)),
    "with headers": FileResult(PATH, rules=(RuleHits("r", 1),), headers=((HEADER, b"x\n"),)),
    "not parsed": FileResult(PATH, unparsed=(UnparsedFunction(PATH, 3, "f", 9),)),
    "reported": FileResult(
        PATH, printed="net/a.c:1: \udcff", marks=(ReportedPlace(PATH, 4, None, "x", end_line=5),)
    ),
}


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
def test_an_outcome_is_the_same_after_it_was_compressed(outcome):
    outcomes = Outcomes()
    outcomes[PATH] = outcome
    cached = Outcomes()
    cached.add_packed(PATH, outcomes.find_packed(PATH))
    for each in (outcomes, cached):
        assert each[PATH] == outcome
        assert each.changed == ({PATH} if outcome.after is not None else set())
        assert each.with_headers == ({PATH} if outcome.headers else set())
        summary = each.summaries[PATH]
        assert (summary.rules, summary.unparsed) == (outcome.rules, outcome.unparsed)
        assert (summary.after, summary.headers) == (None, ())


def test_nothing_of_an_outcome_remains_when_it_is_replaced_or_removed():
    outcomes = Outcomes()
    outcomes[PATH] = OUTCOMES["changed"]
    outcomes[PATH] = OUTCOMES["with headers"]
    assert (outcomes.changed, outcomes.with_headers) == (set(), {PATH})
    assert outcomes.pop(PATH) == OUTCOMES["with headers"]
    assert not (outcomes or outcomes.summaries or outcomes.with_headers or outcomes.changed)
    assert outcomes.find_packed(PATH) == b""


def test_edits_are_the_same_after_they_were_compressed():
    edits = [FileEdit(PATH, "100755", b"a\xff", b"b"), FileEdit(HEADER, "100644", b"x", b"")]
    compressed = CompressedEdits(iter(edits))
    assert (list(compressed), compressed[1], compressed[-2:]) == (edits, edits[1], edits)
    assert compressed == CompressedEdits(edits) and compressed != CompressedEdits(edits[:1])
    assert len({compressed, CompressedEdits(edits)}) == 1
    assert bool(compressed) and not CompressedEdits([])


def test_the_texts_of_a_large_sweep_take_little_memory():
    paths = [PurePosixPath(f"{number}.c") for number in range(100)]
    text = b"".join(b"\tdel_timer(&dev->timers[%d]);\n" % number for number in range(1000))
    outcomes = Outcomes()
    tracemalloc.start()
    try:
        for path in paths:
            outcomes[path] = FileResult(path, text + str(path).encode())
        edits = CompressedEdits(
            FileEdit(path, "100644", text, outcome.after or b"")
            for path, outcome in outcomes.items()
        )
        assert tracemalloc.get_traced_memory()[0] < len(text) * len(edits) // 2
    finally:
        tracemalloc.stop()
