# SPDX-License-Identifier: GPL-2.0-or-later
"""Tags in doubt: what the text says about several tags, numbers of other versions, HTML."""

from __future__ import annotations

import pytest

from tests.unit.test_replies import (
    BEA,
    TAG,
    applied,
    collect,
    mail,
    reasons,
)

ACK = f"Acked-by: {BEA}"
TO_PATCH = {"In_Reply_To": "<v4-2@example.org>"}
TO_COVER = {"In_Reply_To": "<v4-0@example.org>"}


@pytest.mark.parametrize(
    "body",
    [
        "Once that is renamed:\nReviewed-by: Bea Bärtsch\n  <bea@example.org>\n{}\n",
        "Once that is renamed:\n\nReviewed-by: Bea Bärtsch\n  <bea@example.org>\n\n{}\n",
        "Once that is renamed:\n{}\nThanks!\n{}\n",
        "With the comment fixed:\n\n{}\n(for drm)\nThanks\n{}\n",
        "{}\nThanks!\n{}\nprovided that it boots\n",
        "{}\n[for drm]\n{}\nif it boots.\n",
    ],
)
def test_a_condition_is_about_all_tags_of_a_block(body):
    reply = mail(body.format(f"Tested-by: {BEA}", ACK), **TO_PATCH)
    assert applied(reply) == []
    assert len(reasons(reply)) == 2 and all("has a condition" in why for why in reasons(reply))


def test_a_condition_ends_at_an_empty_line_below_other_text():
    body = f"With the comment fixed:\n{TAG}\n\nI booted it.\nTested-by: {BEA}\n"
    assert applied(mail(body, **TO_PATCH)) == [(2, f"Tested-by: {BEA}")]


def test_a_scope_is_about_all_tags_of_a_block_without_another():
    body = f"For patch 1:\n{TAG}\nThanks!\n{ACK}\nFor patch 2:\nTested-by: {BEA}\n"
    listed = collect(mail(body, **TO_COVER)).not_applied
    assert [(tag.trailer.key, tag.targets) for tag in listed] == [
        ("Reviewed-by", (1,)),
        ("Acked-by", (1,)),
        ("Tested-by", (2,)),
    ]
