# SPDX-License-Identifier: GPL-2.0-or-later
"""Check the committer's identity: git accepts any name and address, mails do not."""

from __future__ import annotations

from patchgen.addresses import AddressError, encode_address
from patchgen.controls import escape_controls, has_controls
from patchgen.errors import ToolError


def check_identity(name: str, email: str) -> None:
    """Raise ToolError for a name or an address that cannot be the sender of a mail."""
    if has_controls(name) or "\ufffd" in name:
        raise ToolError(
            f"your name has control characters, or is not UTF-8: {escape_controls(name)}",
            hint="git config user.name NAME",
        )
    try:
        encoded = encode_address(email)
    except AddressError as err:
        hint = "git config user.email ADDRESS"
        raise ToolError(f"your address cannot be used for mail: {err}", hint=hint) from None
    if encoded != email:
        raise ToolError(
            f"your address {email} has characters other than ASCII",
            hint=f"git config user.email {encoded}",
        )
