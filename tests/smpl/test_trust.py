# SPDX-License-Identifier: GPL-2.0-or-later
"""What spatch would run, and that all of it is found: spatch itself is the judge."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from patchgen.coccinelle import find_code, find_spatch, refuse_code
from patchgen.errors import SpecError
from patchgen.model.smpl import SemanticPatch

TOUCH = 'open("touched", "w").write("x")'
END = f"@@\n{TOUCH}\n"
RULE = "@r@\n@@\n* foo(1);\n"
SCRIPT = "@script:python@\n" + END
CONSTRAINT = f"script:python() {{ bool({TOUCH}) }};"
FILES = {
    "script.cocci": SCRIPT,
    "script.txt": SCRIPT,
    "nested.cocci": '#include "script.cocci"\n@q@\n@@\n foo(1);\n',
    "at@.cocci": "@q@\n@@\n foo(1);\n",
    "at@.iso": "Expression\n@ isa @\nexpression X;\n@@\nX == 1 <=> 1 == X\n",
    "handler.ml": 'let _ = close_out (open_out "touched")\n',
    "a.c": "int f(void) { foo(1); return 0; }\n",
}


def header(text: str) -> str:
    return f"@{text}@\n{END}"


def declared(text: str) -> str:
    return f"@r@\n{text}\n@@\n* foo(e);\n"


def after(body: str, close: str = "") -> str:
    """A script after a body in which comments or literals seem to be open."""
    return f"@r@\n@@\n{body}\n{SCRIPT}{close}\n"


# Each of these is run by spatch 1.1.1.
RUN = {
    "plain": header("script:python"),
    "blanks": header(" script : python "),
    "tabs": header("\tscript\t:\tpython\t"),
    "line ends": header("\nscript\n:\npython\n"),
    "carriage returns": header("\rscript\r:\rpython\r"),
    "form feed, vertical tab": header("\f\vscript\f:\vpython"),
    "comments": header("/* a */script/* : */:/* ' */python/**/"),
    "line comments": header("// \"\nscript // '\n: // @\npython"),
    "comment lines of spatch": header("\n#spatch --debug\nscript\n#! :\n:python"),
    "name": header("script:python some_name"),
    "Windows": header("script:python").replace("\n", "\r\n"),
    "initialize": header("initialize:python") + RULE,
    "finalize": header("finalize /**/ : python") + RULE,
    "constraint": declared("expression e : " + CONSTRAINT),
    "constraint over lines": declared(
        "expression e\n:\nscript\n// a\n: /* b */\n" + CONSTRAINT[7:]
    ),
    "negated constraint": declared("expression e : !" + CONSTRAINT),
    "constraint after a string of two lines": declared(
        'identifier a !~ "f\n// "; expression e : ' + CONSTRAINT
    ),
    "constraint after a string with a comment": declared(
        'identifier a !~ "f\n/* "; expression e : ' + CONSTRAINT
    ),
    "seed": "@r@\nexpression e;\nfresh identifier q = "
    f"script:python() {{ str({TOUCH}) }};\n@@\n- foo(e)\n+ q(e)\n",
    "after a pragma with a quote": after('#pragma X "', '//"'),
    "after a pragma with a comment": after("#pragma X /*", "//*/"),
    "after #! with a comment": "#! /*\n" + SCRIPT + "//*/\n",
    "after a quote in quotes": after("* foo('\"');"),
    "after an odd character": after("* foo(''/*');", "// */"),
    "after a character of two lines": after("* foo('\n/*');", "// */"),
    "after an escaped quote": after('* foo("\\"/*");', "// */"),
    "after an escaped backslash": after('* foo("\\\\"); /*"*/'),
    "after a string of two lines": after('* foo("\n/* ");', "// */"),
    "after an included name": after("#include <a/*b>", "// */"),
    "after an included name of two lines": after('#include "a\n/*b"', "// */"),
    "after a comment's comment": "//*\n" + SCRIPT + "//*/\n",
    "after an apostrophe": after("// it's\n* foo(1);", "// it's"),
    "after #spatch": header("#spatchscript:python"),
    "after #spatch and a tab": header(" #\tspatchscript:python"),
    "after #spatch and a vertical tab": header("#spatch\vscript:python"),
    "#spatch before the colon": header("script\v#spatch:python"),
    "#spatch around the colon": header("script#spatch:#spatchpython"),
    "#spatch in an initialize rule": header("\f#spatchinitialize:python") + RULE,
    "#spatch in a finalize rule": header("#spatchfinalize#spatch:python") + RULE,
    "after an included name of two lines, in brackets": after("#include <a\n/*b>", "// */"),
    "after an analysis": "@r@\nanalysis(/* ) a;\n@@\n* foo(1);\n" + SCRIPT + "//*/\n",
    "included": '#include "script.cocci"\n' + RULE,
    "included by another": '#include "nested.cocci"\n' + RULE,
    "included under another name": '#include"script.txt"\n' + RULE,
    "included after a name with @": '#include "at@.cocci"\n#include "script.cocci"\n' + RULE,
    "included after using with @": 'using "at@.iso"\n#include "script.cocci"\n' + RULE,
    "included after a comment with @": '// @\n#include "script.cocci"\n' + RULE,
    "included after #! with @": '#! @\n#include "script.cocci"\n' + RULE,
    "included after virtual": 'virtual a #include "script.cocci"\n' + RULE,
    "output": "#spatch -o touched\n@@\n@@\n- foo(1);\n",
    "output in a comment": "/*\n #\tspatch --debug\t-o touched\n*/\n@@\n@@\n- foo(1);\n",
    "output in a string": '@@\n@@\n- foo(1);\n+ foo("\n#spatch -o touched\n");\n',
    "output in a script": f"@script:python@\n@@\n# spatch -o touched\n{TOUCH}\n@@\n@@\n- foo(1);\n",
    "handler": "#spatch --parse-handler handler.ml\n" + RULE,
    "handler, old spelling": "#spatch -parse_handler handler.ml\n" + RULE,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("name", RUN)
def test_finds_what_spatch_runs(folder, name):
    text = RUN[name]
    (folder / "rule.cocci").write_bytes(text.encode())
    subprocess.run(
        [find_spatch().path, "--no-includes", "--sp-file", "rule.cocci", "a.c"],
        cwd=folder,
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=20,
        env={**os.environ, "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    if name not in ("handler", "handler, old spelling", "negated constraint"):
        assert (folder / "touched").exists(), "spatch does not run it: the test proves nothing"
    found = find_code(text, FILES.get)
    assert found
    assert found[0].text in text.split("\n") or "\r" in text
    with pytest.raises(SpecError):
        refuse_code(SemanticPatch("evil.cocci", text))


@pytest.mark.parametrize(
    "text",
    [
        "// This script: finds\n/// initialize: it\n/* finalize:\n * script:python */\n" + RULE,
        "@r@\nidentifier script = { script, finalize };\n@@\n* script(finalize);\n",
        '@r@\n@@\n* f("script:python", \'"\'); // script:python\n',
        "@r@\n@@\n#define X script // script:python\n* f();\n",
        'virtual patch\nusing "at@.iso"\nusing <standard.iso>\n#include "at@.cocci"\n' + RULE,
        "#spatch --c++ -D a --indent 4 -no_includes --disable-iso drop_cast\n" + RULE,
        "// Options: --no-includes --include-headers --no-loops\n" + RULE,
        "@r depends on script@\n@@\n#include <script.h>\n* f();\n",
    ],
)
def test_harmless_text_is_not_reported_as_code(text):
    assert find_code(text, FILES.get) == ()


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("#spatch --python /bin/sh", "--python"),
        ("#spatch --no-includes --in-place", "--in-place"),
        ("#spatch --python=/bin/sh", "--python=/bin/sh"),
        ("#spatch -D script.cocci", "-D"),
        ("#spatch -D --python x", "-D"),
        ("#spatch -D", "-D"),
        ("#spatch --indent -o", "--indent"),
        ("#spatch script.cocci", "script.cocci"),
        ("#spatch '-o' x", "'-o'"),
        ("#spatch --use-glimpse", "--use-glimpse"),
        ("#spatch --iso-file x.iso", "--iso-file"),
        ("//# Options: --no-includes --out-place", "--out-place"),
        ("int x; /* Options: $(touch x) */", "$(touch"),
    ],
)
def test_options_not_known_to_be_harmless_are_named(line, word):
    [found] = find_code(f"virtual a\n{line}\n{RULE}")
    assert (found.line, found.text) == (2, line)
    assert f" {word}," in found.why


def test_a_file_that_cannot_be_read_is_treated_as_code():
    texts = {"self.cocci": '#include "self.cocci"\n' + RULE}
    [found] = find_code('\n#include "gone.cocci"\n' + RULE)
    assert (found.line, found.text) == (2, '#include "gone.cocci"')
    [found] = find_code('#include "self.cocci"\n' + RULE, texts.get)
    assert "self.cocci includes itself" in found.why
    assert find_code("using <../../tmp/x.iso>\n" + RULE)
    assert find_code('@r using "x.iso"@\n@@\n f();\n')


def test_code_in_an_included_file_is_reported_with_its_place():
    [found] = find_code('#include "nested.cocci"\n' + RULE, FILES.get)
    assert found.why == "nested.cocci:1: script.cocci:1: a script runs code"


def test_every_script_is_found_in_the_order_of_lines():
    text = header("initialize:python") + RULE + SCRIPT + header("finalize:ocaml")
    assert [(each.line, each.why) for each in find_code(text)] == [
        (1, "an initialize rule runs code"),
        (7, "a script runs code"),
        (10, "a finalize rule runs code"),
    ]


def test_a_long_file_is_read_in_linear_time():
    text = "@script /* */" + "/* x */ " * 20_000 + "\n" + '"' * 20_001 + "#" * 20_000
    assert find_code(text + "using " * 20_000) == ()
