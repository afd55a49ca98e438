"""From a series to mails in a folder."""

from patchgen.mail.box import (
    Subject,
    is_patch,
    newest_version,
    order_patches,
    parse_mail,
    parse_subject,
    read_header,
    read_mails,
    read_message_id,
    read_subject,
    split_mbox,
)
from patchgen.mail.folder import StagedFolder, check_folder
from patchgen.mail.format import Outgoing, address_mails, format_mails, format_patches
from patchgen.mail.headers import encode_address, format_person, replace_sender
from patchgen.mail.recipients import (
    SeriesRecipients,
    add_recipients,
    address_patches,
    edit_recipients,
    follow_cover,
    join_list,
    list_recipients,
    map_recipients,
    redirect_mail,
    split_people,
)

__all__ = [
    "Outgoing",
    "SeriesRecipients",
    "StagedFolder",
    "Subject",
    "add_recipients",
    "address_mails",
    "address_patches",
    "check_folder",
    "edit_recipients",
    "encode_address",
    "follow_cover",
    "format_mails",
    "format_patches",
    "format_person",
    "is_patch",
    "join_list",
    "list_recipients",
    "map_recipients",
    "newest_version",
    "order_patches",
    "parse_mail",
    "parse_subject",
    "read_header",
    "read_mails",
    "read_message_id",
    "read_subject",
    "redirect_mail",
    "replace_sender",
    "split_mbox",
    "split_people",
]
