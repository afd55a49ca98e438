# SPDX-License-Identifier: GPL-2.0-or-later
"""Format a series as mails in a folder, and read mails."""

from patchgen.mail.aliases import find_aliases
from patchgen.mail.box import parse_mail, read_header, read_message_id, read_subject
from patchgen.mail.containers import read_mails, read_stream
from patchgen.mail.decoding import decode_words, has_garbled_name
from patchgen.mail.folder import (
    Existing,
    StagedFolder,
    check_folder,
    find_mails_of,
    find_own_mails,
    name_folder,
    read_change_id,
)
from patchgen.mail.format import MailSpec, address_mails, format_mails, name_commits
from patchgen.mail.headers import encode_address, format_person, replace_sender
from patchgen.mail.posted import PostedSeries, choose_series
from patchgen.mail.reading import ReadableMail, UnreadableMail, read_mail, split_readable
from patchgen.mail.recipients import (
    SeriesRecipients,
    add_recipients,
    address_patches,
    edit_recipients,
    follow_cover,
    include_people,
    join_list,
    list_recipients,
    map_recipients,
    redirect_mail,
    split_people,
)
from patchgen.mail.senders import parse_sender
from patchgen.mail.subjects import Subject, parse_subject

__all__ = [
    "Existing",
    "MailSpec",
    "PostedSeries",
    "ReadableMail",
    "SeriesRecipients",
    "StagedFolder",
    "Subject",
    "UnreadableMail",
    "add_recipients",
    "address_mails",
    "address_patches",
    "check_folder",
    "choose_series",
    "decode_words",
    "edit_recipients",
    "encode_address",
    "find_aliases",
    "find_mails_of",
    "find_own_mails",
    "follow_cover",
    "format_mails",
    "format_person",
    "has_garbled_name",
    "include_people",
    "join_list",
    "list_recipients",
    "map_recipients",
    "name_commits",
    "name_folder",
    "parse_mail",
    "parse_sender",
    "parse_subject",
    "read_change_id",
    "read_header",
    "read_mail",
    "read_mails",
    "read_message_id",
    "read_stream",
    "read_subject",
    "redirect_mail",
    "replace_sender",
    "split_people",
    "split_readable",
]
