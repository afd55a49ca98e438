# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules of a semantic patch, as far as patchgen has to understand them.

This reads headers, metavariable sections and bodies (Coccinelle manual, "The SmPL grammar"). It
does not validate them: spatch's error for a text that is not understood here is better than ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain

from patchgen.coccinelle.lexing import LineNumbers, make_plain
from patchgen.coccinelle.metavariables import Declaration, split_declarations
from patchgen.errors import SpecError
from patchgen.model.smpl import SemanticPatch

_HEADER = re.compile(r"^@(?P<header>[^@]*)@", re.MULTILINE)
_BEGIN = re.compile(r"^@", re.MULTILINE)
_SCRIPT = re.compile(r"\s*(?P<kind>script|initialize|finalize)\s*:\s*(?P<language>\w*)")
_NAME = re.compile(r"\s*(?P<name>[A-Za-z_]\w*)")
# A word that may follow a dependency ends it.
_DEPENDENCY = re.compile(
    r"\bdepends\s+on\b(?P<condition>(?:\s*(?:&&|\|\||[!()]|"
    r"\b(?!(?:exists|forall|disable|using|extends|expression|identifier|type)\b)\w+\b))*)"
)
# `p << r.p;` and, in OCaml, `(p,e) << r.p;`
_READ = re.compile(r"(?:\b(\w+)[\s)]*)?<<\s*(\w+)\s*\.")
_VIRTUAL = re.compile(r"\bvirtual\s*\.\s*(\w+)")
# `?-` and `!-`: lines that may occur never or exactly once.
_CHANGE = re.compile(r"^[?!]*[-+*]", re.MULTILINE)
_EDIT = re.compile(r"^[?!]*[-+]", re.MULTILINE)
# Words that may begin a header without a name: `@exists@`, `@depends on r@`, `@expression@`.
_KEYWORDS = frozenset(
    {"depends", "disable", "exists", "expression", "extends"}
    | {"forall", "identifier", "type", "using"}
)


@dataclass(frozen=True)
class Rule:
    """One rule. Lines count from 1; `end` is the line after its last one.

    `name` is None for `@@` and scripts. `kind` is "rule", "script", "initialize" or "finalize",
    `language` that of a script. `begin` is the offset of the header's `@`, `name_line` the line of
    the header's closing `@`, and `body` that after the metavariables. `lines` are its lines as they
    are written. `header`, `declared` and `pattern` are the text between the header's `@`, the
    metavariables and the body, with spaces in place of comments and literals; `declarations` have
    their literals.
    """

    name: str | None
    kind: str
    language: str
    begin: int
    start: int
    name_line: int
    body: int
    end: int
    lines: tuple[str, ...]
    header: str
    declared: str
    pattern: str
    declarations: tuple[Declaration, ...]

    @property
    def is_script(self) -> bool:
        """Whether it has code in another language instead of a pattern."""
        return self.kind != "rule"

    @property
    def label(self) -> str:
        """Its name in reports: that of a rule without a name is "line N", of its header."""
        return self.name or f"line {self.start}"

    @property
    def traced_name(self) -> str:
        """Its name in spatch's output."""
        return self.name or f"rule starting on line {self.name_line}"

    @property
    def head_lines(self) -> tuple[str, ...]:
        """The lines of its header and its metavariables, as they are written."""
        return self.lines[: self.body - self.start]

    @property
    def body_lines(self) -> tuple[str, ...]:
        """The lines of its body, as they are written."""
        return self.lines[self.body - self.start :]

    @property
    def script(self) -> str:
        """The code of a script; comments of SmPL may follow it."""
        return "\n".join("" if line.startswith("//") else line for line in self.body_lines)

    @cached_property
    def modifies(self) -> bool:
        """Whether it has `-` or `+` lines, or `*`."""
        return not self.is_script and bool(_CHANGE.search(self.pattern))

    @property
    def edits(self) -> bool:
        """Whether it has `-` or `+` lines, so that it can change a file."""
        return not self.is_script and bool(_EDIT.search(self.pattern))

    @property
    def only_marks(self) -> bool:
        """Whether it has `*` lines, which spatch prints as a diff that marks lines."""
        return self.modifies and not self.edits

    @cached_property
    def matched(self) -> str:
        """Its context and minus lines."""
        return "\n".join(line for line in self.pattern.split("\n") if not line.startswith("+"))

    @property
    def words(self) -> frozenset[str]:
        """The identifiers in its metavariables, context and minus lines."""
        return frozenset(re.findall(r"[A-Za-z_]\w*", f"{self.declared} {self.matched}"))

    @cached_property
    def positions(self) -> tuple[str, ...]:
        """The position metavariables that it declares itself and attaches to its match."""
        return tuple(
            name
            for declaration in self.declarations
            for name in declaration.own_positions
            if re.search(rf"@{name}\b", self.matched)
        )

    @property
    def virtual_identifiers(self) -> tuple[str, ...]:
        """The virtual identifiers that it uses."""
        names = (_VIRTUAL.findall(declaration.code) for declaration in self.declarations)
        return tuple(dict.fromkeys(chain.from_iterable(names)))

    @cached_property
    def dependency(self) -> re.Match[str] | None:
        """Its dependency in the header, with the group `condition`; None if it has none."""
        return _DEPENDENCY.search(self.header)

    @property
    def depends(self) -> frozenset[str]:
        """The rules and virtual rules of its dependency."""
        condition = self.dependency["condition"] if self.dependency else ""
        return frozenset(re.findall(r"\w+", condition))

    @property
    def extends(self) -> bool:
        """Whether it extends another rule."""
        return not self.is_script and bool(re.search(r"\bextends\b", self.header))

    @property
    def reads(self) -> tuple[tuple[str, str], ...]:
        """The variables of a script, each with the rule that its value comes from."""
        return tuple(_READ.findall(self.declared))

    def may_run(self, virtuals: Mapping[str, bool]) -> bool:
        """Return whether its dependency can hold; True if that cannot be parsed.

        `virtuals` maps virtual rules to whether they are defined. The values of others are unknown.
        """
        return self.dependency is None or _may_hold(self.dependency["condition"], virtuals)


@lru_cache(maxsize=256)
def read_rules(text: str) -> tuple[Rule, ...]:
    """Return the rules of a semantic patch in order."""
    code = make_plain(text)
    plain = code.plain
    written = text.split("\n")
    lines = LineNumbers(plain)
    rules: list[Rule] = []
    at = 0
    while (header := _HEADER.search(plain, at)) is not None:
        opened = header.end()
        closed = plain.find("@@", opened)
        if closed < 0:
            break
        following = _BEGIN.search(plain, closed + 2)
        at = following.start() if following else len(plain)
        start = lines.find(header.start())
        end = lines.find(at) if following else len(written) + 1
        script = _SCRIPT.match(header["header"])
        declared = plain[opened:closed], code.uncommented[opened:closed]
        rules.append(
            Rule(
                name=None if script else _rule_name(header["header"]),
                kind=script["kind"] if script else "rule",
                language=script["language"] if script else "",
                begin=header.start(),
                start=start,
                name_line=lines.find(opened - 1),
                body=lines.find(closed) + 1,
                end=end,
                lines=tuple(written[start - 1 : end - 1]),
                header=header["header"],
                declared=declared[0],
                pattern=plain[closed + 2 : at],
                declarations=() if script else split_declarations(*declared),
            )
        )
    return tuple(rules)


def refuse_without_change(patch: SemanticPatch) -> None:
    """Raise SpecError for a semantic patch that can change no file: it only matches or reports.

    A text without rules is left to spatch.
    """
    rules = read_rules(patch.text)
    if not rules or any(rule.edits for rule in rules):
        return
    marking = next((rule for rule in rules if rule.modifies), None)
    raise SpecError(
        "has no `-` or `+` line, so it changes no file"
        if marking is None
        else "only marks lines with `*`, so it changes no file",
        code="changes-nothing",
        place=patch.file_place if marking is None else patch.place(marking.start),
        hint="add `-` and `+` lines; `patchgen run` prints what it marks or reports",
    )


def _rule_name(header: str) -> str | None:
    match = _NAME.match(header)
    return match["name"] if match and match["name"] not in _KEYWORDS else None


# Parentheses nested deeper than this are not read.
_MAX_DEPTH = 64
_INNERMOST = re.compile(r"\(([^()]*)\)")
_TERM = re.compile(r"\s*((?:!\s*)*+)([012])\s*")


def _may_hold(condition: str, values: Mapping[str, bool]) -> bool:
    """Return whether `a && !(b || c)` can hold; True if it cannot be parsed.

    Words become digits: 0 for false, 1 for unknown, 2 for true. So a conjunction has the minimum
    of its terms, an alternative the maximum.
    """
    digit_of = {True: "2", False: "0", None: "1"}
    digits = re.sub(r"\w+", lambda word: digit_of[values.get(word[0])], condition)
    try:
        for _ in range(_MAX_DEPTH):
            digits, count = _INNERMOST.subn(lambda part: str(_evaluate(part[1])), digits)
            if not count:
                return _evaluate(digits) > 0
    except ValueError:
        pass
    return True


def _evaluate(digits: str) -> int:
    """Return the value of a condition without parentheses. Raises ValueError if it is not one."""
    return max(min(map(_negate, part.split("&&"))) for part in digits.split("||"))


def _negate(text: str) -> int:
    term = _TERM.fullmatch(text)
    if term is None:
        raise ValueError(f"{text!r} is not a term")
    value = int(term[2])
    return 2 - value if term[1].count("!") % 2 else value
