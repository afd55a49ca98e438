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
    """Return the error for the Perl module that git send-email lacks, None if it lacks none.

    perl also names modules that are optional, such as Email::Valid.
    """
    names = {name for match in _MISSING.finditer(errors) for name in match.groups()}
    missing = next((module for module in PERL_MODULES if module.name in names), None)
    if missing is None:
        return None
    return ToolError(
        f"git send-email needs the Perl module {missing.name}, which is not installed",
        code="program-missing",
        hint=f"on Debian: apt-get install {missing.package}",
    )
