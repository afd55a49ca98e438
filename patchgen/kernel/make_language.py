# SPDX-License-Identifier: GPL-2.0-or-later
"""Evaluate the part of make's language that kbuild's makefiles use, without running make.

GNU make manual, chapters 3 (makefiles), 6 (variables), 7 (conditionals) and 8 (functions). Rules
and recipes are skipped, and `$(shell ...)` expands to nothing: kbuild assigns files to objects by
variables only. A makefile of any tree can be evaluated, and no program is executed.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from patchgen.errors import RefusedError
from patchgen.kernel.make_syntax import (
    CLOSES,
    FUNCTIONS,
    estimate_work,
    find_closing,
    join_lines,
    read_assignment,
    read_define,
    split_arguments,
    strip_comment,
    substitute_suffix,
)

# Returns the content of the makefile at a path in the tree, None if the file does not exist.
Read = Callable[[str], str | None]

_CONDITIONS = ("ifeq", "ifneq", "ifdef", "ifndef")
_MODIFIERS = ("export", "override", "unexport", "private")
_MAX_DEPTH = 60
# All makefiles of a kernel need ten thousand expansions, with lists of some hundred kilobytes.
_MAX_EXPANSIONS = 300_000
_MAX_LENGTH = 10_000_000


@dataclass(frozen=True, slots=True)
class _Variable:
    text: str
    is_simple: bool


class Make:
    """The variables of make, and the evaluation of makefiles that set them.

    `$(wildcard ...)` searches `paths`. `exported` are the names of variables for sub-makes.
    """

    def __init__(self, read: Read, paths: Sequence[str] = (), root: str = "."):
        self._read = read
        self._paths = paths
        self._root = root
        self._values: dict[str, _Variable] = {}
        self._depth = 0
        # The number of remaining expansions, shared by all copies.
        self._remaining = [_MAX_EXPANSIONS]
        # Variables that are being expanded: one that refers to itself would recurse endlessly.
        self._open: set[str] = set()
        self._included: set[str] = set()
        self.exported: set[str] = set()

    def set(self, values: Mapping[str, str]) -> None:
        """Set variables to texts that are not expanded again."""
        for name, text in values.items():
            self._values[name] = _Variable(text, True)

    def copy(self) -> Make:
        """Return a copy with the same variables."""
        other = Make(self._read, self._paths, self._root)
        other._remaining = self._remaining
        other._values = dict(self._values)
        return other

    def copy_exported(self, more: Sequence[str]) -> Make:
        """Return a copy with only the exported variables, and those of these names."""
        other = Make(self._read, self._paths, self._root)
        other._remaining = self._remaining
        for name in {*self.exported, *more} & self._values.keys():
            other._values[name] = _Variable(self.get(name), True)
        return other

    def get(self, name: str) -> str:
        """Return the expanded value of a variable, "" if it has none."""
        value = self._values.get(name)
        if value is None or name in self._open:
            return ""
        if value.is_simple:
            return value.text
        self._open.add(name)
        text = self.expand(value.text)
        self._open.discard(name)
        return text

    def words(self, name: str) -> list[str]:
        """Return the words of a variable."""
        return self.get(name).split()

    def names(self) -> list[str]:
        """Return the names of all variables."""
        return list(self._values)

    # --- makefiles ---

    def include(self, path: str) -> bool:
        """Evaluate a makefile; return False if it is missing or being included already."""
        path = posixpath.normpath(path)
        text = self._read(path)
        if text is None or path in self._included:
            return False
        self._included.add(path)
        self.evaluate(text)
        self._included.discard(path)
        return True

    def evaluate(self, text: str) -> None:
        """Evaluate the lines of a makefile."""
        # For each open conditional: whether its current branch, it or an earlier branch, and the
        # code around it are active.
        conditions: list[tuple[bool, bool, bool]] = []
        active = True
        in_rule = False
        lines = join_lines(text)
        for text_line in lines:
            if in_rule and text_line.startswith("\t"):
                continue
            line = strip_comment(text_line).strip()
            keyword = re.match(r"[\w-]*", line)[0]  # type: ignore[index]
            argument = line[len(keyword) :].strip()
            if keyword in _CONDITIONS and (
                argument != line[len(keyword) :] or argument.startswith(("(", '"'))
            ):
                holds = active and self._holds(keyword, argument)
                conditions.append((holds, holds, active))
                active = holds
            elif keyword == "else" and conditions:
                active = self._else(conditions, argument)
            elif keyword == "endif" and conditions:
                active = conditions.pop()[2]
            elif keyword == "define":
                body = list(read_define(lines))
                if active:
                    self._define(argument, body)
            elif active and line:
                in_rule = self._statement(line, keyword, argument)

    def _else(self, conditions: list[tuple[bool, bool, bool]], argument: str) -> bool:
        _, was_active, outer = conditions.pop()
        holds = outer and not was_active
        if argument and holds:
            keyword, _, condition = argument.replace("(", " (", 1).partition(" ")
            holds = self._holds(keyword, condition.strip())
        conditions.append((holds, was_active or holds, outer))
        return holds

    def _holds(self, keyword: str, argument: str) -> bool:
        if keyword in ("ifdef", "ifndef"):
            value = self._values.get(self.expand(argument).strip())
            return (value is not None and value.text != "") == (keyword == "ifdef")
        if argument.startswith("("):
            inner = argument[1 : find_closing(argument, 0)]
            left, right = ([*split_arguments(inner), ""])[:2]
        else:
            quoted = re.findall(r"\"([^\"]*)\"|'([^']*)'", argument)
            left, right = ["".join(part) for part in [*quoted, ("", ""), ("", "")]][:2]
        same = self.expand(left.strip()).strip() == self.expand(right.strip()).strip()
        return same == (keyword == "ifeq")

    def _define(self, head: str, body: list[str]) -> None:
        name, operator, _ = read_assignment(head) or (head, "=", "")
        self._assign(name, operator, "\n".join(body))

    def _statement(self, line: str, keyword: str, argument: str) -> bool:
        """Evaluate a line that is not a conditional; return whether recipe lines may follow."""
        if keyword in ("include", "sinclude") or line.startswith("-include"):
            words = line.split(None, 1)
            for path in self.expand(words[1] if len(words) > 1 else "").split():
                self.include(path)
            return False
        if keyword in _MODIFIERS and argument[:1] not in ("=", ":"):
            assigned = read_assignment(argument)
            names = [assigned[0]] if assigned else self.expand(argument).split()
            if keyword == "export":
                self.exported.update(self.expand(name) for name in names)
            return self._statement(argument, "", argument) if assigned else False
        assigned = read_assignment(line)
        if assigned is None:
            # A rule, or a line of functions, which may set variables by $(eval ...).
            self.expand(line)
            return True
        self._assign(*assigned)
        return False

    def _assign(self, name: str, operator: str, text: str) -> None:
        name = self.expand(name).strip()
        old = self._values.get(name)
        if operator == "?=" and old is not None:
            return
        if operator == "+=" and old is not None:
            more = self.expand(text) if old.is_simple else text
            self._values[name] = _Variable(f"{old.text} {more}".strip(), old.is_simple)
        elif operator in (":=", "::="):
            self._values[name] = _Variable(self.expand(text), True)
        else:
            self._values[name] = _Variable("" if operator == "!=" else text, False)

    # --- expansion ---

    def expand(self, text: str) -> str:
        """Return a text with its references to variables and functions expanded.

        Raises RefusedError if the makefiles exceed the limits on expansions and lengths.
        """
        if "$" not in text:
            return text
        if self._depth > _MAX_DEPTH:
            return ""
        self._spend(1, len(text))
        self._depth += 1
        parts = []
        at = 0
        while (dollar := text.find("$", at)) >= 0:
            parts.append(text[at:dollar])
            character = text[dollar + 1 : dollar + 2]
            if character in CLOSES:
                end = find_closing(text, dollar + 1)
                parts.append(self._reference(text[dollar + 2 : end]))
                at = end + 1
            else:
                parts.append("$" if character == "$" else self.get(character))
                at = dollar + 2
        self._depth -= 1
        # A long result costs more: one expansion for each 10,000 characters.
        length = sum(map(len, parts))
        self._spend(length // 10_000, length)
        return "".join(parts) + text[at:]

    def _spend(self, expansions: int, length: int) -> None:
        """Count expansions, and check the length of a text before it is built."""
        self._remaining[0] -= expansions
        if self._remaining[0] < 0 or length > _MAX_LENGTH:
            raise RefusedError(
                "expanding the tree's makefiles takes too many steps or too much memory",
                code="makefiles-too-large",
            )

    def _reference(self, inner: str) -> str:
        called = re.match(r"([a-z-]+)[ \t]+", inner)
        if called is not None and called[1] in _SPECIAL:
            return _SPECIAL[called[1]](self, split_arguments(inner[called.end() :]))
        if called is not None and called[1] in FUNCTIONS:
            return self._apply(called[1], split_arguments(inner[called.end() :]))
        name = self.expand(inner)
        replaced = re.match(r"([^:=\s]+):([^=]*)=(.*)$", name)
        if replaced is not None:
            self._spend(
                *estimate_work("patsubst", (replaced[2], replaced[3], self.get(replaced[1])))
            )
            return substitute_suffix(self.get(replaced[1]), replaced[2], replaced[3])
        return self.get(name)

    def _apply(self, name: str, arguments: list[str]) -> str:
        count, function = FUNCTIONS[name]
        head, tail = arguments[: count - 1], ",".join(arguments[count - 1 :])
        texts = [self.expand(argument) for argument in (*head, tail)]
        texts += [""] * (count - len(texts))
        self._spend(*estimate_work(name, texts))
        return function(*texts)

    def _call(self, arguments: list[str]) -> str:
        name, *values = [self.expand(argument) for argument in arguments]
        inner = self.copy()
        inner._depth, inner._open = self._depth, self._open
        inner.set({str(number): value for number, value in enumerate(values, 1)})
        return inner.get(name.strip())

    def _foreach(self, arguments: list[str]) -> str:
        name, words, body = [*arguments, "", ""][:3]
        name = self.expand(name).strip()
        before = self._values.get(name)
        expanded = []
        length = 0
        for word in self.expand(words).split():
            self._values[name] = _Variable(word, True)
            expanded.append(self.expand(body))
            length += len(expanded[-1])
            self._spend(0, length)
        if before is None:
            self._values.pop(name, None)
        else:
            self._values[name] = before
        return " ".join(expanded)

    def _if(self, arguments: list[str]) -> str:
        condition, yes, no = [*arguments, "", ""][:3]
        return self.expand(yes if self.expand(condition.strip()).strip() else no)

    def _or(self, arguments: list[str]) -> str:
        values = (self.expand(argument.strip()) for argument in arguments)
        return next((value for value in values if value), "")

    def _and(self, arguments: list[str]) -> str:
        value = ""
        for argument in arguments:
            value = self.expand(argument.strip())
            if not value:
                break
        return value

    def _eval(self, arguments: list[str]) -> str:
        self.evaluate(self.expand(",".join(arguments)))
        return ""

    def _wildcard(self, arguments: list[str]) -> str:
        matches: list[str] = []
        for word in self.expand(",".join(arguments)).split():
            self._spend(len(self._paths) // 10_000, 0)
            pattern = posixpath.normpath(word)
            matches += [path for path in self._paths if fnmatchcase(path, pattern)]
        return " ".join(matches)

    def _origin(self, arguments: list[str]) -> str:
        return "file" if self.expand(arguments[0]).strip() in self._values else "undefined"


# Functions that set variables, or do not expand all of their arguments.
_SPECIAL: dict[str, Callable[[Make, list[str]], str]] = {
    "and": Make._and,
    "call": Make._call,
    "eval": Make._eval,
    "foreach": Make._foreach,
    "if": Make._if,
    "or": Make._or,
    "origin": Make._origin,
    "wildcard": Make._wildcard,
}
