# SPDX-License-Identifier: GPL-2.0-or-later
"""The number of examples of a property test: a part by default, all in `make torture`."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

_ALL = 100
_PART = 30


def load_profile() -> None:
    """Let property tests try a part of their examples; --hypothesis-profile=all overrides it.

    A slow machine is not a failure. All other settings are the defaults of hypothesis; in CI the
    examples are the same in each run.
    """
    for name, count in (("all", _ALL), ("part", _PART)):
        settings.register_profile(name, parent=settings.default, deadline=None, max_examples=count)
    settings.load_profile("part")


def examples(count: int, *suppressed: HealthCheck, part: int | None = None) -> settings:
    """Return the settings of a test that tries `count` examples in `make torture`.

    Otherwise it tries `part` of them, or the usual part.
    """
    share = settings.default.max_examples
    chosen = part if part is not None and share < _ALL else max(1, count * share // _ALL)
    return settings(max_examples=chosen, suppress_health_check=suppressed)
