# SPDX-License-Identifier: GPL-2.0-or-later
"""Generated semantic patches: none that is judged harmless makes spatch run its script.

Each is a rule and a script, with odd pieces between their tokens. PATCHGEN_TRUST_EXAMPLES sets how
many are tried; 20,000 take about ten minutes on one core.
"""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

from patchgen.coccinelle import find_code, find_spatch

EXAMPLES = int(os.environ.get("PATCHGEN_TRUST_EXAMPLES", "300"))
TOUCH = 'open("touched", "w").write("x")'
CALL = f"() {{ bool({TOUCH}) }};"
FILES = {
    "s.cocci": f"@script:python@\n@@\n{TOUCH}\n",
    "s.iso": f"Expression\n@ i @\nexpression X : script:python{CALL}\n@@\nX == 1 <=> 1 == X\n",
    "none": "",
    "a.c": "int f(void) { foo(1); return 0; }\n",
}
# Token by token; odd pieces go in between.
FRAMES = (
    ("@", "script", ":", "python", "@", "\n@@\n" + TOUCH + "\n"),
    ("@", "initialize", ":", "python", "@", "\n@@\n" + TOUCH + "\n@r@\n@@\n* foo(1);\n"),
    ("@r@\n", "expression", " e", ":", "script", ":", "python", CALL, "\n@@\n* foo(e);\n"),
    ("@r@\n", "@@\n", "* foo(1);\n", "@script:python@\n@@\n" + TOUCH + "\n"),
    ("@r@\n", "symbol s;", "\n@@\n* foo(1);\n", "@", "script:python@\n@@\n" + TOUCH + "\n"),
    ("virtual v\n", "#include", '"s.cocci"', "\n", "@r@\n@@\n* foo(1);\n"),
    ("virtual v\n", "using", '"s.iso"', "\n", "@r@\n@@\n* foo(1) == 1;\n"),
    ("@r ", "using", '"s.iso"', "@\n@@\n* foo(1) == 1;\n"),
)
GAPS = (
    *("", "", " ", "\n", "\t", "\v", "\f", "\r", "#spatch", "#spatch ", "# spatch", "#spatch\v"),
    *("//\n", "/**/", "/*'*/", '// "\n', "#! x\n", "\n#! '\n", "\n-", "\n+", "\\\n", "1", "0x1"),
)
PIECES = (
    *("//", "/*", "*/", '"', "'", "\\", "#", "##", "#!", "#if ", "#define X ", "#pragma a b "),
    *("#include <", "#include <a", "#include <a\n", ">", '#include "', "#includex", "---", "+++"),
    *("analysis", "\nanalysis(", "analysis(/* )z;\n", ") z;\n", "L", "u8", "$", "<a>", "::", "@"),
    *("script", "script:", ":", "\0", "\N{NO-BREAK SPACE}", "\N{LINE SEPARATOR}", "''", "'\"'"),
    *("\n// ", "\n/* ", "\n#spatch ", "\n#spatchx", '"\n"', '\n* f("a\n/*");\n', '\n+ x("\n'),
    *("x", ";", "\nidentifier i;\n", "\n* bar();\n", "// */\n", "\r//", "=~", "#error '"),
)


def generate(rng: random.Random) -> str:
    """Return a semantic patch that would run a script if its odd pieces let it."""
    text = ""
    frame = rng.choice(FRAMES)
    odd = rng.randrange(3)
    places = {rng.randrange(len(frame)) for _ in range(odd)}
    for at, token in enumerate(frame):
        text += rng.choice(GAPS) if rng.random() < 0.5 else ""
        if at in places:
            text += "".join(rng.choice((*PIECES, *GAPS)) for _ in range(rng.randrange(1, 4)))
        text += token
    return text + rng.choice(("", "", "//*/\n", '// "\n', "// >\n", "// '\n"))


def run_spatch(folder: Path, text: str) -> bool:
    """Run a semantic patch, and return whether its script ran."""
    (folder / "rule.cocci").write_bytes(text.encode())
    subprocess.run(
        # Without its own macros and isomorphisms, spatch starts in a third of the time.
        [
            *(find_spatch().path, "--no-includes", "--macro-file-builtins", "none"),
            *("--iso-file", "none", "--sp-file", "rule.cocci", "a.c"),
        ],
        cwd=folder,
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=30,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    return (folder / "touched").exists()


def test_no_generated_patch_that_is_judged_harmless_runs_a_script(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    rng = random.Random(int(os.environ.get("PATCHGEN_TRUST_SEED", "1")))
    harmless = 0
    while harmless < EXAMPLES:
        text = generate(rng)
        if find_code(text, FILES.get) == ():
            harmless += 1
            assert not run_spatch(tmp_path, text), f"runs a script: {text!r}"
