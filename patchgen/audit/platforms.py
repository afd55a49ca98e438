# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the platforms on which a condition holds: `cc_platform_has(...)`, `cc_vendor == ...`.

The terms of a condition are looked up in tables.toml, which cites their sources. A call of a
function that only returns an expression is replaced by that expression, and a parameter by the
constant passed for it. If an identifier in a term, or in the function that it calls, concerns the
platform and the term is not in the table, the answer is "unknown", never a guess. All other terms
may hold on any platform.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from enum import Enum

from patchgen.audit.c_text import CALLED, IDENTIFIER
from patchgen.audit.facts import Guard
from patchgen.audit.linked_code import LinkedCode
from patchgen.audit.nodes import Node
from patchgen.audit.result import Doubt, Platform, TreeLocation
from patchgen.audit.tables import Tables

Env = tuple[tuple[str, bool], ...]
_DEPTH = 4
_SPACE = re.compile(r"\s+")
_CALL = re.compile(r"([A-Za-z_]\w*)\((.*)\)")
_PARENTHESIZED = re.compile(r"(?<!\w)\((\w+)\)")
_PASSED_ON = re.compile(r"(?:likely|unlikely|WARN_ON\w*|READ_ONCE|static_branch_\w+)\((.*)\)")
# Macros that read a variable.
_READ = re.compile(r"\b(?:RIP_REL_REF|READ_ONCE|rip_rel_ptr)\(&?(\w+)\)")
_CONSTANTS = {"1": True, "true": True, "0": False, "false": False, "NULL": False}
_OPTION = re.compile(r"IS_(?:ENABLED|BUILTIN|MODULE|REACHABLE)\(CONFIG_\w+\)")


class Answer(Enum):
    """Whether a condition holds on a platform. EITHER: it does not depend on the platform."""

    YES = "yes"
    NO = "no"
    EITHER = "either"
    UNKNOWN = "unknown"


class PlatformTests:
    """Evaluates conditions of the linked code."""

    def __init__(self, code: LinkedCode, tables: Tables):
        self._code = code
        self._tests = tables.platform_tests
        self._platform_names = tables.platform_words
        self._ignored = tables.platform_ignored
        self._answers: dict[tuple[str, str, Env, Platform], Answer] = {}
        self._terms: dict[tuple[str, str], bool] = {}
        self._conditions: dict[tuple[str, str], bool] = {}

    def find_doubts(
        self, node: Node, under: Sequence[int], env: Env, platform: Platform
    ) -> tuple[Doubt, ...] | None:
        """Return the unknown conditions among those that a statement runs under.

        Returns None if the statement does not run on the platform.
        """
        if not under:
            return ()
        doubts = []
        for number in under:
            guard = node.guards[number]
            if not self._can_exclude(guard.text, node, env):
                continue
            answer = self._judge(node, guard, env, platform)
            if answer is Answer.NO:
                return None
            if answer is Answer.UNKNOWN:
                doubts.append(
                    Doubt(platform, TreeLocation(node.path, guard.line), guard.text, guard.holds)
                )
        return tuple(doubts)

    def _can_exclude(self, text: str, node: Node, env: Env) -> bool:
        """Return whether a condition can exclude a platform; others need no evaluation."""
        key = (text, node.path)
        if key not in self._conditions:
            plain = _READ.sub(r"\1", _SPACE.sub("", text))
            listed = any(row.test.search(plain) for row in self._tests)
            self._conditions[key] = (
                not text or listed or self._mentions_platform(plain, node.path, 2)
            )
        return self._conditions[key] or any(name in text for name, _ in env)

    def _judge(self, node: Node, guard: Guard, env: Env, platform: Platform) -> Answer:
        answer = self.holds(guard.text, node, env, platform)
        if not guard.holds:
            answer = _invert(answer)
        # A jump to the code may have bypassed the test.
        return Answer.UNKNOWN if answer is Answer.NO and not guard.sure else answer

    def holds(
        self, text: str, node: Node, env: Env, platform: Platform, depth: int = _DEPTH
    ) -> Answer:
        """Return whether a C expression in a function is true."""
        if not text:
            return Answer.UNKNOWN
        key = (text, node.path, env, platform)
        if key not in self._answers:
            plain = _READ.sub(r"\1", _SPACE.sub("", text))
            self._answers[key] = self._evaluate(plain, node, env, platform, depth)
        return self._answers[key]

    def bind(self, arguments: Sequence[str], env: Env, target: Node) -> Env:
        """Return the parameters of a called function that are known to be true or false."""
        values = []
        for name, argument in zip(target.parameters, arguments, strict=False):
            value = _read_constant(_SPACE.sub("", argument), dict(env))
            if name and value is not None:
                values.append((name, value))
        return tuple(values)

    # --- expressions ------------------------------------------------------------------------------

    def _evaluate(self, text: str, node: Node, env: Env, platform: Platform, depth: int) -> Answer:
        text = _PARENTHESIZED.sub(r"\1", _strip(text))
        for operator, combine in (("||", _combine_any), ("&&", _combine_all)):
            parts = _split(text, operator)
            if len(parts) > 1:
                return combine([self._evaluate(part, node, env, platform, depth) for part in parts])
        if text.startswith("!") and not text.startswith("!="):
            return _invert(self._evaluate(text[1:], node, env, platform, depth))
        if passed := _PASSED_ON.fullmatch(text):
            return self._evaluate(_split(passed[1], ",")[0], node, env, platform, depth)
        constant = _read_constant(text, dict(env))
        if constant is not None:
            return Answer.YES if constant else Answer.NO
        if _OPTION.fullmatch(text):
            return Answer.EITHER
        return self._evaluate_term(text, node, env, platform, depth)

    def _evaluate_term(
        self, text: str, node: Node, env: Env, platform: Platform, depth: int
    ) -> Answer:
        answer = self._look_up(text, platform)
        if answer is None and "!=" in text:
            answer = self._look_up(text.replace("!=", "=="), platform)
            answer = None if answer is None else _invert(answer)
        if answer is not None:
            return answer
        if called := _CALL.fullmatch(text):
            return self._evaluate_call(called[1], called[2], node, env, platform, depth)
        return Answer.UNKNOWN if self._concerns_platform(text, node) else Answer.EITHER

    def _look_up(self, text: str, platform: Platform) -> Answer | None:
        for row in self._tests:
            if row.test.fullmatch(text):
                if platform in row.true:
                    return Answer.YES
                return Answer.EITHER if platform in row.some else Answer.NO
        return None

    def _evaluate_call(
        self, name: str, inner: str, node: Node, env: Env, platform: Platform, depth: int
    ) -> Answer:
        """Return the result of a call, by the expression that the function returns."""
        targets = self._code.find_functions(node.path, name, node.line)
        # A stub for a function that is not built returns a constant.
        real = [t for t in targets if t.returns not in _CONSTANTS] or targets
        if not real or not depth or not all(function.returns for function in real):
            concerned = self._concerns_platform(f"{name}({inner})", node)
            return Answer.UNKNOWN if concerned else Answer.EITHER
        answers = set()
        for function in real:
            inner_env = self.bind(_split(inner, ","), env, function)
            answers.add(self.holds(function.returns, function, inner_env, platform, depth - 1))
        if len(answers) == 1:
            return answers.pop()
        return Answer.UNKNOWN if Answer.UNKNOWN in answers else Answer.EITHER

    def _concerns_platform(self, text: str, node: Node) -> bool:
        """Return whether a term concerns the platform, by its names or those in its callees."""
        key = (text, node.path)
        if key not in self._terms:
            self._terms[key] = self._mentions_platform(text, node.path, 2)
        return self._terms[key]

    def _mentions_platform(self, text: str, path: str, depth: int) -> bool:
        names = set(IDENTIFIER.findall(text))
        if any(map(self._ignored.fullmatch, names)):
            return False
        if any(map(self._platform_names.search, names)):
            return True
        if not depth:
            return False
        for name in set(CALLED.findall(text)):
            for target in self._code.resolve(path, name):
                texts = [target.returns, *(guard.text for guard in target.guards)]
                if any(
                    self._mentions_platform(source, target.path, depth - 1)
                    for source in texts
                    if source
                ):
                    return True
        return False


def find_surest(paths: Iterable[tuple[Doubt, ...]]) -> tuple[Doubt, ...] | None:
    """Return the doubts of the path with the fewest of them, None without a path.

    Two paths that differ only in whether one condition holds leave no doubt: one of them runs.
    """
    unique = list(dict.fromkeys(paths))
    single = {doubts[0] for doubts in unique if len(doubts) == 1}
    if any(replace(doubt, holds=not doubt.holds) in single for doubt in single):
        return ()
    return min(unique, key=len, default=None)


def _invert(answer: Answer) -> Answer:
    return {Answer.YES: Answer.NO, Answer.NO: Answer.YES}.get(answer, answer)


def _combine_all(answers: Sequence[Answer]) -> Answer:
    for answer in (Answer.NO, Answer.UNKNOWN, Answer.EITHER):
        if answer in answers:
            return answer
    return Answer.YES


def _combine_any(answers: Sequence[Answer]) -> Answer:
    return _invert(_combine_all([_invert(answer) for answer in answers]))


def _read_constant(text: str, env: dict[str, bool]) -> bool | None:
    if text.startswith("!"):
        value = _read_constant(_strip(text[1:]), env)
        return None if value is None else not value
    return env.get(text, _CONSTANTS.get(text))


def _strip(text: str) -> str:
    """Remove parentheses that enclose the whole expression."""
    while text.startswith("(") and text.endswith(")") and _closes_at_end(text):
        text = text[1:-1]
    return text


def _closes_at_end(text: str) -> bool:
    depth = 0
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return at == len(text) - 1
    return False


def _split(text: str, operator: str) -> list[str]:
    """Split at an operator outside of parentheses."""
    return list(_find_parts(text, operator)) if operator in text else [text]


def _find_parts(text: str, operator: str) -> Iterator[str]:
    depth = start = at = 0
    while at < len(text):
        letter = text[at]
        depth += (letter in "([{") - (letter in ")]}")
        if depth == 0 and text.startswith(operator, at):
            yield text[start:at]
            at += len(operator)
            start = at
        else:
            at += 1
    yield text[start:]
