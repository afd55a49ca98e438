# SPDX-License-Identifier: GPL-2.0-or-later
"""No source and no semantic patch makes a reader take the square of its length, or recurse."""

from __future__ import annotations

import subprocess
import sys

import pytest

from patchgen.coccinelle.dependency import may_hold
from patchgen.coccinelle.formula import parse_formula

_READERS = {
    "patchgen.audit.conditions": "Conditions(None).holds(text)",
    "patchgen.audit.directives": "_COMMENT_OR_STRING.sub(b'', raw), _STRING.sub('', text)",
    "patchgen.audit.parse": "_HEAD.findall(raw), _LITERAL.sub(b'', raw)",
    "patchgen.coccinelle.diagnose": "_NUMBERS.sub('', text)",
    "patchgen.coccinelle.metavariables": "list(read_declarations('@r@' + text + '@@\\n'))",
    "patchgen.coccinelle.structure": "read_rules(text)",
    "patchgen.kernel.machine_code": "_COMMENT.sub('', text)",
    "patchgen.sweep.bodies": "list(find_bodies(raw))",
    "patchgen.sweep.target": "_NO_CODE.sub('', text)",
    "patchgen.sweep.types": "find_doubtful(raw), find_tellers(raw, [], [], [])",
    "patchgen.sweep.words": "is_prose(raw, len(raw))",
    "patchgen.templating.lines": "split_marks(text)",
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
]


@pytest.mark.parametrize("module", _READERS)
def test_a_long_text_is_read_in_linear_time(module):
    texts = [head + piece * (40_000 // len(piece)) for head in ('"', "x") for piece in _PIECES]
    program = (
        f"import ast, sys\nfrom {module} import *\nimport {module} as module\n"
        "globals().update({k: v for k, v in vars(module).items() if not k.startswith('__')})\n"
        f"for text in ast.literal_eval(sys.stdin.read()): raw = text.encode(); {_READERS[module]}"
    )
    command = [sys.executable, "-c", program]
    subprocess.run(command, input=repr(texts), text=True, check=True, timeout=60)


def test_deep_nesting_is_no_traceback():
    assert may_hold("(" * 50_000 + "a" + ")" * 50_000, {})
    assert may_hold("!" * 50_000 + "a", {"a": False})
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_formula("(" * 50_000 + "a" + ")" * 50_000)
