# SPDX-License-Identifier: GPL-2.0-or-later
"""A program that matches untrusted regular expressions within limits.

It is run by its path, in a separate process (section_match.py), and does not import patchgen.
Standard input and output are JSON:

    {"seconds": 2.0, "total": 10.0, "bytes": 2147483648,
     "subjects": {NAME: {NUMBER: [TEXT, ...], ...}},
     "jobs": [{"regex": "...", "subjects": NAME, "numbers": [NUMBER, ...]}, ...]}
    [[NUMBER, ...] or "why it was not matched", ...]

A subject matches if any of its texts does. The input's numbers are those of the subjects to try,
the output's those of the subjects that match. The limits are CPU seconds, for one job and for all,
so that a busy machine makes no difference.
"""

from __future__ import annotations

import contextlib
import json
import re
import resource
import signal
import sys
import time
import warnings
from types import FrameType


class _OutOfTimeError(Exception):
    pass


def _stop(number: int, frame: FrameType | None) -> None:
    raise _OutOfTimeError


def _match(job: dict[str, object], subjects: dict[str, list[str]], seconds: float) -> object:
    numbers = job["numbers"]
    assert isinstance(numbers, list)
    try:
        # While it matches, `re` checks for signals every few thousand steps (_sre.c).
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        try:
            search = re.compile(str(job["regex"])).search
            return [n for n in numbers if any(map(search, subjects[str(n)]))]
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    except _OutOfTimeError:
        return f"it takes more than {seconds:g} s"
    except MemoryError:
        return "it takes too much memory"
    except (re.error, RecursionError, OverflowError) as err:
        return str(err)


def main() -> None:
    """Run the jobs on standard input."""
    request = json.load(sys.stdin)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (request["bytes"], request["bytes"]))
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGVTALRM, _stop)
    results: list[object] = []
    for job in request["jobs"]:
        remaining_s = request["total"] - time.process_time()
        if remaining_s <= 0:
            results.append(f"the others used up the limit of {request['total']:g} s for all")
        else:
            seconds = min(request["seconds"], remaining_s)
            results.append(_match(job, request["subjects"][job["subjects"]], seconds))
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
