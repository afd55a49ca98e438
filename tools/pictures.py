#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make the pictures of README.md from real runs: `tools/pictures.py [--tree LINUX] [FOLDER]`.

terminal.svg is a session on the toy tree, with the pauses of the run up to a second, and
campaign.png the page of a campaign on a small tree, in Chromium. With a kernel's git tree, such as
one of Debian's linux-source-6.1, audit.png is the page of its audit. Run it with the Python of the
virtual environment, after the output of a command or the style of a page has changed.
"""

from __future__ import annotations

import argparse
import io
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

TOP = Path(__file__).parents[1]
COLUMNS = 100
SESSION = (
    "patchgen apply --variant pvops --signoff",
    "patchgen list",
)
# After each command, a reader needs time. No other pause is longer than this.
PAUSE_S, LONGEST_S = 1.5, 1.0
# The folders of the campaign's tree, each with its maintainer.
SUBSYSTEMS = {
    "drivers/net/alpha": "Ada",
    "drivers/net/beta": "Bea",
    "drivers/usb": "Cy",
    "fs/delta": "Di",
    "net/epsilon": "Eve",
    "sound/zeta": "Fay",
}
CALLER = """\
void %s_set_name(struct device_name *n, const char *name)
{
	strlcpy(n->name, name, sizeof(n->name));
}
"""
_ROW = re.compile(r'clip-path="url\(#terminal-line-(\d+)\)"')
_FONT = re.compile(r"@font-face \{\{.*?\}\}\n", re.DOTALL)
# A viewer without animations shows the whole session.
_STYLE = """
    .terminal-matrix text { animation: appear 1ms backwards; }
    @keyframes appear { from { opacity: 0; } }
    @media (prefers-reduced-motion: reduce) { .terminal-matrix text { animation: none; } }
    </style>"""


def make_environment(**more: str) -> dict[str, str]:
    """Return an environment in which a run prints the same each time, whoever makes it."""
    people = {
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in (
            ("NAME", "Ada Example"),
            ("EMAIL", "ada@example.org"),
            ("DATE", "1796083200 +0000"),
        )
    }
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    plain = {"TERM": "dumb", "PAGER": "cat", "COLUMNS": str(COLUMNS), "LC_ALL": "C.UTF-8"}
    git = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    dated = {"SOURCE_DATE_EPOCH": "1796083200", "PATH": programs}
    return {**os.environ, **people, **plain, **git, **dated, **more}


def run(*args: str | Path, cwd: Path, stdin: str = "", **more: str) -> str:
    """Run a program, and return its output."""
    environment = make_environment(**more)
    return subprocess.run(
        args, cwd=cwd, env=environment, input=stdin, stdout=subprocess.PIPE, check=True, text=True
    ).stdout


# --- the terminal -------------------------------------------------------------------------------


def record(command: str, cwd: Path) -> Iterator[tuple[float, str]]:
    """Run a command in a terminal, and yield each line of its output with its time in seconds."""
    ours, theirs = pty.openpty()
    begin = time.monotonic()
    with subprocess.Popen(
        command, shell=True, cwd=cwd, env=make_environment(), stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        with io.FileIO(ours) as raw:
            yield from _read_lines(raw, begin)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)


def _read_lines(raw: io.FileIO, begin: float) -> Iterator[tuple[float, str]]:
    rest = b""
    while True:
        try:
            chunk = raw.read(4096)
        except OSError:
            # All programs of the terminal have ended.
            return
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield time.monotonic() - begin, line.decode().rstrip("\r")


def commit_tree(tree: Path) -> None:
    """Make a folder a git repository with one commit of all its files."""
    for args in (("init", "-q", "-b", "master"), ("add", "-A", "-f"), ("commit", "-qm", "Start")):
        run("git", *args, cwd=tree)
    for key, value in (("name", "Ada Example"), ("email", "ada@example.org")):
        run("git", "config", f"user.{key}", value, cwd=tree)


def record_session(folder: Path) -> list[tuple[float, str]]:
    """Run the session on a new toy tree, and return its lines with their times."""
    tree = folder / "linux"
    shutil.copytree(TOP / "tests/tree", tree)
    commit_tree(tree)
    lines: list[tuple[float, str]] = []
    now = 0.0
    for command in SESSION:
        lines.append((now, f"\x1b[1m$ {command}\x1b[0m"))
        before = 0.0
        for seconds, line in record(command, tree):
            now += min(seconds - before, LONGEST_S)
            before = seconds
            lines.append((now, line))
        now += PAUSE_S
    # The folder is not part of the picture.
    return [(seconds, line.replace(f"{tree}/", "")) for seconds, line in lines]


def draw_session(lines: Sequence[tuple[float, str]]) -> str:
    """Return the session as SVG; each row appears at its time."""
    console = Console(
        record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, legacy_windows=False
    )
    times: list[float] = []
    for seconds, line in lines:
        text = Text.from_ansi(line) if line else Text(" ")
        times += [seconds] * len(text.wrap(console, COLUMNS, overflow="fold"))
        console.print(text, overflow="fold", highlight=False)
    svg = console.export_svg(
        title="patchgen", unique_id="terminal", code_format=_FONT.sub("", CONSOLE_SVG_FORMAT)
    )

    def delay(row: re.Match[str]) -> str:
        return f'{row[0]} style="animation-delay:{times[int(row[1])]:.2f}s"'

    return _ROW.sub(delay, svg).replace("\n    </style>", _STYLE, 1)


# --- the pages ----------------------------------------------------------------------------------


def photograph(pages: Mapping[Path, Path]) -> None:
    """Open each page in Chromium, and write its upper part into a PNG file."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Chromium's sandbox does not start for root; the pages are our own.
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for page_file, picture in pages.items():
            page = browser.new_page(viewport={"width": 1000, "height": 760})
            page.goto(page_file.as_uri())
            page.screenshot(path=picture)
        browser.close()


def write_campaign_tree(tree: Path) -> None:
    """Write a tree in which the recipe strscpy has a place in each subsystem."""
    sections = []
    for folder, person in SUBSYSTEMS.items():
        name = folder.rpartition("/")[2]
        (tree / folder).mkdir(parents=True)
        (tree / folder / f"{name}.c").write_text(CALLER % name)
        sections.append(
            f"{name.upper()}\nM:\t{person} Example <{person.lower()}@example.org>\nS:\tMaintained\n"
            f"T:\tgit git://git.example.org/{name}.git\nF:\t{folder}/\n"
        )
    (tree / "MAINTAINERS").write_text("\n".join(sections))
    (tree / "include/linux").mkdir(parents=True)
    (tree / "include/linux/string.h").write_text("ssize_t strscpy(char *, const char *, size_t);\n")
    commit_tree(tree)


def make_campaign(tree: Path, page: Path) -> None:
    """Make a campaign: of its patches, one was acked, two were taken, and one conflicts."""
    write_campaign_tree(tree)
    mails, branch = page.parent / "mails", "patchgen/strscpy-v1"
    run("patchgen", "run", "strscpy", "--split", "tree", "--signoff", "-o", mails, cwd=tree)
    run("patchgen", "import", mails, "--series", branch, cwd=tree)
    replies = page.parent / "replies.mbox"
    replies.write_text(write_ack(mails, 4))
    run("patchgen", "trailers", branch, replies, "--yes", cwd=tree)
    run("git", "switch", "-q", "-c", "upstream", cwd=tree)
    run("git", "cherry-pick", f"{branch}~5", f"{branch}~1", cwd=tree)
    path = tree / "drivers/usb/usb.c"
    path.write_text(path.read_text().replace("strlcpy", "memcpy"))
    run("git", "commit", "-qam", "usb: Copy the name as a whole", cwd=tree)
    run("patchgen", "status", branch, "--onto", "upstream", "--html", page, cwd=tree)


def write_ack(mails: Path, number: int) -> str:
    """Return a reply to a patch, as an mbox."""
    [mail] = mails.glob(f"*{number:04}-*.patch")
    headers = dict(re.findall(r"^(Message-ID|Subject): (.*)$", mail.read_text(), re.MULTILINE))
    person = "Rea Reviewer <rea@example.org>"
    return (
        f"From reply Thu Jan  1 00:00:00 1970\nFrom: {person}\nMessage-ID: <{number}@example.org>\n"
        f"In-Reply-To: {headers['Message-ID']}\nSubject: Re: {headers['Subject']}\n"
        f"Date: Mon, 30 Nov 2026 10:00:00 +0000\n\nAcked-by: {person}\n"
    )


def main() -> None:
    """Make the pictures that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tree", type=Path, help="a kernel's git tree, for the pages")
    parser.add_argument("folder", type=Path, nargs="?", default=TOP / "docs/pictures")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="patchgen-pictures-") as name:
        work = Path(name)
        session = draw_session(record_session(work / "session"))
        (options.folder / "terminal.svg").write_text(session, encoding="utf-8")
        pages = {work / "campaign.html": options.folder / "campaign.png"}
        make_campaign(work / "tree", work / "campaign.html")
        if options.tree is not None:
            pages[work / "audit.html"] = options.folder / "audit.png"
            run("patchgen", "audit", "--html", work / "audit.html", cwd=options.tree)
        photograph(pages)


if __name__ == "__main__":
    main()
