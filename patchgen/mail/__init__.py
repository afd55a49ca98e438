"""From a series to mails in a folder."""

from patchgen.mail.folder import StagedFolder, check_folder
from patchgen.mail.format import Outgoing, address_mails, format_mails, format_patches
from patchgen.mail.recipients import SeriesRecipients, address_patches, edit_recipients

__all__ = [
    "Outgoing",
    "SeriesRecipients",
    "StagedFolder",
    "address_mails",
    "address_patches",
    "check_folder",
    "edit_recipients",
    "format_mails",
    "format_patches",
]
