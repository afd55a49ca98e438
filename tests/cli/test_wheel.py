# SPDX-License-Identifier: GPL-2.0-or-later
"""A wheel in an empty environment has all that it needs, and runs from any folder."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.support import TOP


def test_a_wheel_in_an_empty_environment_makes_the_series(toy, tmp_path):
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, TOP],
        check=True,
        capture_output=True,
    )
    [wheel] = tmp_path.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
    subprocess.run(
        [tmp_path / "env/bin/pip", "install", "--quiet", "--disable-pip-version-check", wheel],
        check=True,
        capture_output=True,
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    result = subprocess.run(
        [tmp_path / "env/bin/patchgen", "apply", "--variant", "pvops", "--tree", toy, "--json"],
        cwd=elsewhere,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    assert len(document["patches"]) == 4
    assert len([mail for mail in document["mails"] if Path(mail).is_file()]) == 5
