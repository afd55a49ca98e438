# SPDX-License-Identifier: GPL-2.0-or-later
"""How files are put into batches: each once, neighbours together, shared headers weighed once."""

from __future__ import annotations

from pathlib import PurePosixPath

from patchgen.coccinelle import Source
from patchgen.sweep.batches import make_batches
from patchgen.sweep.grouping import Grouping

KB = 1000


def source(number: int, size: int) -> Source:
    return Source(PurePosixPath(f"{number:03}.c"), b"x" * size)


def headers(**sizes: int) -> dict[PurePosixPath, bytes]:
    return {PurePosixPath(f"{name}.h"): b"y" * size for name, size in sizes.items()}


def paths(batches) -> list[list[str]]:
    return [[each.path.stem for each in batch.sources] for batch in batches]


def test_batches_grow_and_have_each_file_once_in_order():
    batches = list(make_batches([(source(n, 30 * KB), {}) for n in range(200)], cores=2))
    assert [name for part in paths(batches) for name in part] == [f"{n:03}" for n in range(200)]
    sizes = [batch.size for batch in batches]
    assert sizes[0] == 30 * KB and max(sizes) <= 1_600 * KB
    assert sizes[:-2] == sorted(sizes[:-2])


def test_a_header_that_neighbours_share_is_weighed_once():
    shared = headers(big=35 * KB)
    together = list(make_batches([(source(n, 2 * KB), shared) for n in range(7)]))
    assert [batch.size for batch in together] == [49 * KB] and len(together[0].headers) == 1
    apart = make_batches([(source(n, 2 * KB), headers(**{f"h{n}": 35 * KB})) for n in range(3)])
    assert paths(apart) == [["000"], ["001", "002"]]


def test_the_last_files_are_shared_out_to_the_cores_in_equal_parts():
    seen = [(source(0, 49 * KB), {})] + [(source(n, 10 * KB), {}) for n in range(1, 9)]
    assert paths(make_batches(seen, cores=2)) == [
        ["000"],
        ["001", "002", "003", "004"],
        ["005", "006", "007", "008"],
    ]
    # Less than a part's worth is not worth two.
    assert len(paths(make_batches([(source(n, KB), {}) for n in range(9)], cores=2))) == 1


def test_no_more_batches_are_left_at_the_end_than_there_are_cores():
    sizes = [49, 99, 55, 56, 1]
    seen = [(source(n, size * KB), {}) for n, size in enumerate(sizes)]
    parts = list(make_batches(seen, cores=2))[2:]
    assert [batch.size // KB for batch in parts] == [55, 57]


def test_a_batch_has_few_files_however_small_they_are():
    parts = paths(make_batches([(source(n, 10), {}) for n in range(100)]))
    assert [len(part) for part in parts] == [40, 40, 20]


def test_scripts_determine_which_files_share_a_batch():
    seen = [(source(n, 40 * KB), {}) for n in range(30)]
    assert [len(part) for part in paths(make_batches(seen, grouping=Grouping.TOGETHER))] == [30]
    assert {len(part) for part in paths(make_batches(seen, grouping=Grouping.APART))} == {1}
    assert list(make_batches([])) == []
