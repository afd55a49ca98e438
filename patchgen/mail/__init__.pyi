# SPDX-License-Identifier: GPL-2.0-or-later
from .authors import (
    find_name_before_list as find_name_before_list,
    restore_author as restore_author,
)
from .bodies import (
    read_footer as read_footer,
)
from .containers import (
    read_mails as read_mails,
    read_stream as read_stream,
)
from .decoding import (
    decode_words as decode_words,
    has_garbled_name as has_garbled_name,
)
from .folder import (
    Existing as Existing,
    StagedFolder as StagedFolder,
    check_folder as check_folder,
    find_mails_of as find_mails_of,
    find_own_mails as find_own_mails,
    name_folder as name_folder,
    read_change_id as read_change_id,
)
from .format import (
    address_mails as address_mails,
    format_mails as format_mails,
    name_commits as name_commits,
)
from .headers import (
    encode_address as encode_address,
    parse_mail as parse_mail,
    read_header as read_header,
    read_message_id as read_message_id,
    read_subject as read_subject,
    replace_sender as replace_sender,
)
from .perl_modules import (
    PERL_MODULES as PERL_MODULES,
    explain_missing_module as explain_missing_module,
)
from .posted import (
    PostedSeries as PostedSeries,
    choose_series as choose_series,
)
from .reading import (
    ReadableMail as ReadableMail,
    UnreadableMail as UnreadableMail,
    parse_sender as parse_sender,
    read_mail as read_mail,
    split_readable as split_readable,
)
from .recipient_groups import (
    RecipientGroup as RecipientGroup,
    group_recipients as group_recipients,
    name_mails as name_mails,
)
from .recipient_policy import (
    apply_policy as apply_policy,
    limit_recipients as limit_recipients,
)
from .recipients import (
    MaintainerRecipients as MaintainerRecipients,
    SeriesRecipients as SeriesRecipients,
    add_recipients as add_recipients,
    address_of as address_of,
    address_patches as address_patches,
    edit_recipients as edit_recipients,
    fill_to as fill_to,
    find_aliases as find_aliases,
    follow_cover as follow_cover,
    include_people as include_people,
    join_list as join_list,
    list_addresses as list_addresses,
    list_recipients as list_recipients,
    map_recipients as map_recipients,
    redirect_mail as redirect_mail,
    split_people as split_people,
)
from .subjects import (
    Subject as Subject,
    parse_subject as parse_subject,
)
