# SPDX-License-Identifier: GPL-2.0-or-later
"""Colour a diff as `git diff` does, with the colours that the user has configured for git."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import click

from patchgen.controls import escape_controls

# The lines of a diff outside of hunks that `git diff` prints in bold.
_META = re.compile(
    r"diff |index |--- |\+\+\+ |(old|new|deleted file|new file) mode |"
    r"(similarity|dissimilarity) index |(rename|copy) (from|to) "
)
_HUNK = re.compile(r"(?P<range>@@ -\d+(?:,(?P<old>\d+))? \+\d+(?:,(?P<new>\d+))? @@)(?P<rest>.*)")
# The kinds of lines and their colours (git-config(1), color.diff.<slot>).
_DEFAULTS = {
    "meta": "\x1b[1m",
    "frag": "\x1b[36m",
    "func": "",
    "context": "",
    "old": "\x1b[31m",
    "new": "\x1b[32m",
}
_RESET = "\x1b[0m"


def color_diff(text: str) -> Iterator[str]:
    """Yield the lines of a diff in colour, with their control characters as escapes.

    The hunk's header has the number of its lines, so a removed "-- x" differs from a file's name.
    """
    colors = _find_colors()
    old = new = 0
    for line in text.splitlines(keepends=True):
        content = line.rstrip("\n")
        end = line[len(content) :]
        if old > 0 or new > 0:
            kind = line[:1]
            old -= kind not in "+\\"
            new -= kind not in "-\\"
            slot = {"+": "new", "-": "old"}.get(kind, "context")
            yield _paint(content, colors[slot]) + end
        elif hunk := _HUNK.fullmatch(content):
            old, new = (int(hunk[name] or 1) for name in ("old", "new"))
            header = _paint(hunk["range"], colors["frag"])
            yield header + _paint(hunk["rest"], colors["func"]) + end
        else:
            yield _paint(content, colors["meta"] if _META.match(line) else "") + end


def _paint(text: str, color: str) -> str:
    shown = escape_controls(text, allow="\t")
    return f"{color}{shown}{_RESET}" if color and shown else shown


def _find_colors() -> Mapping[str, str]:
    """Return the colours of this run. A run may print thousands of diffs, so they are read once."""
    ctx = click.get_current_context(silent=True)
    if ctx is None:
        return _DEFAULTS
    if __name__ not in ctx.meta:
        ctx.meta[__name__] = {**_DEFAULTS, **_read_colors()}
    colors: Mapping[str, str] = ctx.meta[__name__]
    return colors


def _read_colors() -> Mapping[str, str]:
    """Return the escape sequences of the colours that the user has configured."""
    from patchgen.git_environment import program_environment
    from patchgen.process import run

    env = program_environment()
    argv = ["git", "config", "--null", "--name-only", "--get-regexp", r"^color\.diff\."]
    names = run(argv, env=env, ok=None).stdout.decode().split("\0")
    slots = {name.removeprefix("color.diff.") for name in names} & _DEFAULTS.keys()
    colors = {}
    for slot in slots:
        # git refuses a value that is not a colour; the diff then has the default.
        sequence = run(["git", "config", "--get-color", f"color.diff.{slot}"], env=env, ok=None)
        if sequence.returncode == 0:
            colors[slot] = sequence.stdout.decode()
    return colors
