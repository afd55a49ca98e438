# SPDX-License-Identifier: GPL-2.0-or-later
"""A new variant of one patch that runs one semantic patch, with comments that explain the files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from patchgen.coccinelle import read_rules, refill
from patchgen.model.base import escape_glob
from patchgen.newvariant.draft import (
    COVER_END,
    PROVENANCE,
    VariantDraft,
    clean_message,
    format_manifest_head,
    quote,
    quote_list,
)
from patchgen.newvariant.replacements import escape_prose

DEFAULT_FILES = ("**/*.c",)
_WIDTH = 75
_POSITION = re.compile(r"\bposition\b")
# Not in the semantic patch, which the cover letter quotes.
_EXPLANATION = """\
# In this file, a line with - is removed, one with + is added, and others have to match.
# `...` stands for any arguments. The position p lets patchgen count the places.
# `patchgen help first-treewide-change` has the traps of SmPL; `patchgen test` runs the
# golden cases next to it.
"""
_BODY = """\
EDITME: describe the problem, and why this is the right change. Write in
the imperative mood, as Documentation/process/submitting-patches.rst
asks."""


@dataclass(frozen=True, slots=True)
class SemanticPatchDraft:
    """The semantic patch of a new variant.

    `title` is the subject of the commit, `body` the text below it; the cover letter has `comments`,
    too. `on` are its files; each match needs one of the words `containing`, if there are any.
    `needs` are files of the base, and the tokens that each must have. `must_fire` are the rules
    that have to match. `cases` are golden cases and their results, by path; `without_cases` is why
    there are none. `remarks` are sentences on what the variant lacks. `explanation` are comments of
    the manifest about the text.
    """

    text: str
    title: str
    body: str = _BODY
    comments: str = ""
    on: Sequence[str] = DEFAULT_FILES
    containing: Sequence[str] = ()
    needs: Sequence[tuple[str, str]] = ()
    must_fire: Sequence[str] = ()
    cases: Mapping[str, str | bytes] = field(default_factory=dict)
    without_cases: str = ""
    remarks: Sequence[str] = ()
    explanation: str = ""


def draft_rename(name: str, old: str, new: str, title: str) -> SemanticPatchDraft:
    """Return a semantic patch that replaces the calls of a function, with its golden cases."""
    rule = f"rename_{old}"
    text = f"""\
// SPDX-License-Identifier: GPL-2.0-only
/// Call {new}() instead of {old}().

@{rule}@
position p;
@@
-{old}@p
+{new}
 (...)
"""
    before = f"int f(void *p)\n{{\n\treturn {old}(p, 1);\n}}\n"
    other = f"int g(void)\n{{\n\treturn not_{old}();\n}}\n"
    cases: dict[str, str | bytes] = {
        f"{name}.c": before,
        f"{name}.res": before.replace(f"{old}(", f"{new}("),
        f"ok/{name}.c": other,
    }
    return SemanticPatchDraft(
        text,
        title,
        containing=(old,),
        must_fire=(rule,),
        cases=cases,
        explanation=_EXPLANATION,
    )


def draft_from_cocci(text: str, title: str, body: str, comments: str) -> SemanticPatchDraft:
    """Return the draft for an existing semantic patch, with the texts of the series."""
    rules = read_rules(text)
    # Of several rules, not all need to match in each base.
    must_fire = [rule.name for rule in rules if rule.name and _POSITION.search(rule.declared)]
    return SemanticPatchDraft(
        text,
        title,
        clean_message(_fill(body.rstrip())) or _BODY,
        clean_message(refill(comments.strip())),
        must_fire=must_fire if len(rules) == 1 else (),
    )


def _fill(text: str) -> str:
    """Fill the paragraphs that have a long line of prose; the others keep their lines."""
    return "\n\n".join(
        refill(paragraph)
        if any(len(line) > _WIDTH and not line[:1].isspace() for line in paragraph.split("\n"))
        else paragraph
        for paragraph in text.split("\n\n")
    )


def draft_variant(name: str, patch: SemanticPatchDraft) -> VariantDraft:
    """Return a variant with one patch, which runs this semantic patch."""
    tables = [format_manifest_head(name, patch.title)]
    tables += [_format_need(file, tokens) for file, tokens in patch.needs]
    tables.append(_format_patch(name, patch))
    subject, body, comments = map(escape_prose, (patch.title, patch.body, patch.comments))
    cover = "\n\n".join(filter(None, (subject, body, comments, COVER_END)))
    return VariantDraft(
        name,
        {
            "manifest.toml": "".join(tables),
            f"{name}.cocci": patch.text,
            **patch.cases,
            "message.txt.j2": f"{subject}\n\n{body}\n\n{PROVENANCE}",
            "cover.txt.j2": cover,
        },
    )


def _format_need(file: str, tokens: str) -> str:
    return f"""
# What the base must have: `// Needs:` of the semantic patch.
[[needs]]
file = {quote(file)}
tokens = {quote(tokens)}
reason = "the semantic patch needs it"
"""


def _format_patch(name: str, patch: SemanticPatchDraft) -> str:
    fired = ", ".join(f'{rule} = ">=1"' for rule in patch.must_fire)
    must_fire = (
        "# How often each rule must match in all files: a number, or at least a number.\n"
        f"must_fire = {{ {fired} }}\n"
        if fired
        else '# `must_fire = { NAME = ">=1" }` fails if the rule of this name matches nowhere. To\n'
        "# require a number of places, declare `position p;` in the rule, and put @p at a\n"
        "# token: without it, each part of the code that a match changes is counted.\n"
    )
    return f"""
# One commit. Further [[patch]] tables follow it in the series.
[[patch]]
name = {quote(name)}
# The template of the commit's message; its first line is the subject.
message = "message.txt.j2"
# Tokens by which patchgen recognises a base that already has the change:
# probe = {{ file = "lib/example.c", tokens = "new_function(" }}

[[patch.rules]]
{patch.explanation}file = {quote(f"{name}.cocci")}
# A path, a glob, or a list of them. ** stands for any folders.
on = {quote_list(patch.on)}
{_format_containing(patch)}{must_fire}"""


def _format_containing(patch: SemanticPatchDraft) -> str:
    # spatch runs on few files anyway if `on` names each.
    if not patch.containing or all(escape_glob(each) == each for each in patch.on):
        return ""
    return f"""\
# Only files of `on` with one of these tokens: each match needs one. Check the list
# when you add a rule.
containing = {quote_list(patch.containing)}
"""
