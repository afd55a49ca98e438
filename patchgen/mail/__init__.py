"""From a series to mails in a folder."""

from patchgen.mail.folder import StagedFolder, check_folder
from patchgen.mail.format import address_mails, format_mails

__all__ = ["StagedFolder", "address_mails", "check_folder", "format_mails"]
