# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen doctor`: which programs are installed, and how to install the missing ones."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.options import json_option
from patchgen.cli.printer import Printer, print_table
from patchgen.coccinelle import find_spatch
from patchgen.errors import PatchgenError, ToolError
from patchgen.kernel import BUILD_PROGRAMS
from patchgen.mail import PERL_MODULES
from patchgen.odb import find_git_subcommand, git_version
from patchgen.process import run
from patchgen.version import find_version


@dataclass(frozen=True, slots=True)
class ProgramStatus:
    """A program, with its version or path in `found`; if that is None, the problem and a remedy."""

    program: str
    purpose: str
    needed: bool
    found: str | None
    problem: str = ""
    remedy: str = ""


@click.command(
    "doctor",
    cls=ExplainedCommand,
    examples="""
    patchgen doctor
        List the programs, and how to install the missing ones.
    patchgen doctor --json
        Print the same for a script.
    """,
)
@json_option
def command(as_json: bool) -> None:
    """Show which programs are installed, and how to install the missing ones.

    Exit code 1 means that a program is missing that `patchgen apply` needs.
    """
    findings = examine()
    if as_json:
        Printer().document(list(map(asdict, findings)))
    else:
        print_table(
            ["program", "for", "found"],
            [[f.program, f.purpose, f.found or f"{f.problem}; {f.remedy}"] for f in findings],
        )
    if any(f.needed and f.found is None for f in findings):
        sys.exit(1)


def examine() -> list[ProgramStatus]:
    """Check for each program that patchgen uses."""
    return [
        ProgramStatus(
            "patchgen", "itself", True, f"{find_version()}, Python {platform.python_version()}"
        ),
        _probe("git", "reading trees, writing commits", git_version, "apt-get install git"),
        _probe(
            "spatch",
            "semantic patches",
            lambda: find_spatch().version,
            "apt-get install coccinelle",
        ),
        _path("perl", "checkpatch.pl", "apt-get install perl"),
        _git_subcommand("send-email", "sending the mails", "apt-get install git-email"),
        *(
            _module(module.name, module.use, f"apt-get install {module.package}")
            for module in PERL_MODULES
        ),
        _path("ocamlc", "semantic patches with OCaml scripts", "apt-get install ocaml-nox"),
        *(
            _path(program, "patchgen verify", f"apt-get install {package}")
            for program, package in {
                **BUILD_PROGRAMS,
                "sparse": "sparse",
                "qemu-system-x86_64": "qemu-system-x86",
            }.items()
        ),
    ]


def _probe(
    program: str, purpose: str, version: Callable[[], str], remedy: str, *, needed: bool = True
) -> ProgramStatus:
    try:
        return ProgramStatus(program, purpose, needed, version())
    except PatchgenError as err:
        return ProgramStatus(program, purpose, needed, None, err.message, remedy)


def _git_subcommand(name: str, purpose: str, remedy: str) -> ProgramStatus:
    """Check for a program of git, which may come in a separate package."""

    def find() -> str:
        path = find_git_subcommand(name)
        if path is None:
            raise ToolError("not installed", code="program-missing")
        return str(path)

    return _probe(f"git {name}", purpose, find, remedy, needed=False)


def _module(module: str, purpose: str, remedy: str) -> ProgramStatus:
    """Check for a Perl module that git send-email loads."""

    def load() -> str:
        run(["perl", f"-M{module}", "-e", "1"])
        return "installed"

    status = _probe(f"perl {module}", purpose, load, remedy, needed=False)
    return status if status.found else replace(status, problem="not installed")


def _path(program: str, purpose: str, remedy: str) -> ProgramStatus:
    path = shutil.which(program)
    return ProgramStatus(program, purpose, False, path, "" if path else "not installed", remedy)
