# SPDX-License-Identifier: GPL-2.0-or-later
"""The error for a Perl module that git send-email loads, and that is not installed."""

from __future__ import annotations

import pytest

from patchgen.mail import explain_missing_module

DEBIAN = """BUG: The 'Mail::Address' module is not here, but NO_PERL_CPAN_FALLBACKS was set!

Git needs this Perl module from the CPAN, and will by default ship
with a copy of it.
"""
PERL = """Can't locate Authen/SASL.pm in @INC (you may need to install the Authen::SASL module)
(@INC contains: /etc/perl /usr/share/perl5) at /usr/lib/git-core/git-send-email line 1.
"""
OPTIONAL = "Can't locate Email/Valid.pm in @INC (you may need to install the Email::Valid module)"


@pytest.mark.parametrize(
    ("errors", "module", "hint"),
    [
        (DEBIAN, "Mail::Address", "on Debian: apt-get install libmailtools-perl"),
        (PERL, "Authen::SASL", "on Debian: apt-get install libauthen-sasl-perl"),
    ],
)
def test_a_missing_module_is_named_with_its_package(errors, module, hint):
    error = explain_missing_module(errors)
    assert error is not None and error.code == "program-missing"
    assert error.message == f"git send-email needs the Perl module {module}, which is not installed"
    assert error.hint == hint


@pytest.mark.parametrize("errors", [OPTIONAL, "fatal: the 'sendemail-validate' hook refuses it"])
def test_another_error_names_no_module(errors):
    assert explain_missing_module(errors) is None
