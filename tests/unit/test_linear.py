# SPDX-License-Identifier: GPL-2.0-or-later
"""No source and no semantic patch makes a reader take the square of its length, or recurse."""

from __future__ import annotations

import pytest

from patchgen.coccinelle.formula import parse_formula
from patchgen.coccinelle.live_rules import _is_attached
from patchgen.coccinelle.rules import read_rules
from tests.support.bounded import run_bounded

_READERS = {
    "patchgen.audit.conditions": "Conditions(None).holds(text)",
    "patchgen.audit.directives": "_COMMENT_OR_STRING.sub(b'', raw), _STRING.sub('', text)",
    "patchgen.audit.parse_c": "_HEAD.findall(raw), _LITERAL.sub(b'', raw)",
    "patchgen.coccinelle.live_rules": "_is_attached('p', text), _is_attached('p', '(' + text)",
    "patchgen.coccinelle.diagnose": "_NUMBERS.sub('', text)",
    "patchgen.coccinelle.header": "[(read_header(t), has_rules(t))"
    " for t in (text, 'virtual ' + text)]",
    "patchgen.coccinelle.metavariables": "[(d.names, d.is_typed, d.inherited, d.plain())"
    " for d in split_declarations(text, text)]",
    "patchgen.coccinelle.rules": "[(r.modifies, r.positions, r.words, r.reads, r.may_run({}))"
    " for r in read_rules(text) + read_rules('@r depends on ' + text + '@\\n@@\\n')]",
    "patchgen.kernel.make_syntax": "list(join_lines(text)), split_arguments(text)",
    "patchgen.kernel.machine_code": "_COMMENT.sub('', text)",
    "patchgen.sweep.bodies": "list(find_bodies(raw))",
    "patchgen.sweep.typedefs": "find_ambiguous_types(raw), find_type_declarers(raw, [], [], [])",
    "patchgen.sweep.words": "is_prose(raw, len(raw))",
    "patchgen.templating.environment": "split_marks(text)",
}
_PIECES = [
    '\\"',
    "/*",
    "/*\n",
    " ",
    "\t",
    "(",
    "*",
    "a ",
    "\n ",
    "\x01",
    "#\n",
    "f(void)\n{\n}\n\n",
    "(\n",
    "@\n@@\n",
]


@pytest.mark.parametrize("module", _READERS)
def test_a_long_text_is_read_in_linear_time(module):
    texts = [head + piece * (40_000 // len(piece)) for head in ('"', "x") for piece in _PIECES]
    program = (
        f"import ast, sys\nfrom {module} import *\nimport {module} as module\n"
        "globals().update({k: v for k, v in vars(module).items() if not k.startswith('__')})\n"
        f"for text in ast.literal_eval(sys.stdin.read()): raw = text.encode(); {_READERS[module]}"
    )
    run_bounded(program, texts)


def test_what_a_manifest_looks_for_is_found_in_linear_time():
    program = (
        "from patchgen.ctokens import find_sequence\n"
        "from patchgen.edit.lines import insert_lines\n"
        "from patchgen.model.base import Oid, TreeFile\n"
        "from patchgen.model.plan import InsertLines\n"
        "source = b'b c ' + b'a ' * 200_000\n"
        "assert find_sequence(source, [b'a'] * 150_000 + [b'b']) is None\n"
        "assert find_sequence(source, [b'c'] + [b'a'] * 150_000) == 1\n"
        "anchors = ('a ' * 500_000, 'c')\n"
        "edit = InsertLines(TreeFile('Kconfig', '100644', Oid('')), b'd', anchors, False)\n"
        "assert insert_lines(b'b\\n' * 20_000 + b'c\\n', edit).endswith(b'c\\nd\\n')\n"
    )
    run_bounded(program)


def test_deep_nesting_is_no_traceback():
    assert not _is_attached("p", "\\(" * 50_000 + "f@p" + "\\)" * 50_000)
    for condition, value in (
        ("(" * 50_000 + "a" + ")" * 50_000, True),
        ("!" * 50_001 + "a", False),
    ):
        [rule] = read_rules(f"@r depends on {condition}@\n@@\nf()\n")
        assert rule.may_run({"a": value})
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_formula("(" * 50_000 + "a" + ")" * 50_000)
