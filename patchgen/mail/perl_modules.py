# SPDX-License-Identifier: GPL-2.0-or-later
"""The Perl modules that git send-email loads, and the error for one that is not installed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from patchgen.errors import ToolError


@dataclass(frozen=True, slots=True)
class PerlModule:
    """A Perl module that git send-email loads: for which mails, and its package on Debian."""

    name: str
    use: str
    package: str


# Debian recommends these with git-email, and so does not install them with
# --no-install-recommends. Without the first, its git send-email sends nothing.
PERL_MODULES = (
    PerlModule("Mail::Address", "sending the mails", "libmailtools-perl"),
    PerlModule("IO::Socket::SSL", "sending the mails with TLS", "libio-socket-ssl-perl"),
    PerlModule("Authen::SASL", "sending the mails with a login", "libauthen-sasl-perl"),
)
# Git/LoadCPAN.pm, and perl itself (perldiag(1)).
_MISSING = re.compile(r"The '([\w:]+)' module is not here|you may need to install the ([\w:]+) mod")


def explain_missing_module(errors: str) -> ToolError | None:
    """Return the error for the Perl module that git send-email lacks, None if it lacks none."""
    found = _MISSING.search(errors)
    if found is None:
        return None
    name = found[1] or found[2]
    packages = [module.package for module in PERL_MODULES if module.name == name]
    return ToolError(
        f"git send-email needs the Perl module {name}, which is not installed",
        code="program-missing",
        hint=f"on Debian: apt-get install {packages[0]}" if packages else None,
    )
