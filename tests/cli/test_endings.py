# SPDX-License-Identifier: GPL-2.0-or-later
"""How a command ends if the machine is at fault, not the user: with a message, never as a bug."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from patchgen.commands.compare import CompareRequest, compare_variants
from patchgen.errors import PatchgenError
from tests.support import TOP
from tests.support.kernels import commit_all
from tests.support.small_kernel import FILES, write_files

CODE = "static void NAME(void)\n{\n\told_call();\n}\n"
RULE = "@change@\n@@\n- old_call();\n+ new_call();\n"
APPLY = ["apply", "--variant", "pvops", "--backend", "sev", "--signoff"]


@pytest.fixture
def small(tmp_path):
    tree = tmp_path / "small"
    write_files(tree, {**FILES, "f.c": CODE})
    commit_all(tree, "start")
    (tmp_path / "x.cocci").write_text(RULE)
    return tree


def shell(script: str, *args: str | Path, **variables: str) -> tuple[int, str, str]:
    """Run patchgen as "$@" of a shell script; return exit code, output and errors."""
    run = ["bash", "-c", script, "bash", sys.executable, "-m", "patchgen", *map(str, args)]
    env = {**os.environ, "PYTHONPATH": str(TOP), **variables}
    result = subprocess.run(run, capture_output=True, env=env, check=False)
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def is_message(err: str) -> bool:
    """Tell whether errors are one message of at most two lines."""
    lines = err.splitlines()
    return 1 <= len(lines) <= 2 and lines[0].startswith("patchgen: ") and "bug" not in err


COMMANDS = {
    "variants": ["variants"],
    "show": ["show", "pvops"],
    "doctor": ["doctor"],
    "completion": ["completion", "bash"],
    "help": ["--help"],
    "version": ["--version"],
    "audit": ["audit", "--tree", "TREE"],
    "audit --json": ["audit", "--tree", "TREE", "--json"],
    "audit --dot": ["audit", "--tree", "TREE", "--dot"],
    "run": ["run", "RULE", "--tree", "TREE", "--quiet"],
    "run --json": ["run", "RULE", "--tree", "TREE", "--json"],
}


def args_of(name: str, small: Path) -> list[str]:
    paths = {"TREE": str(small), "RULE": str(small.parent / "x.cocci")}
    return [paths.get(arg, arg) for arg in COMMANDS[name]]


def expected_output(name: str, small: Path) -> str:
    """Return what a command prints without any limit; the tree is the same in all tests."""
    if name not in _PRINTED:
        code, _PRINTED[name], err = shell('"$@"', *args_of(name, small))
        assert code == 0, err
    return _PRINTED[name]


_PRINTED: dict[str, str] = {}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk_on_standard_output_is_reported(small, name):
    code, _, err = shell('"$@" >/dev/full', *args_of(name, small))
    assert code == 1 and is_message(err) and "No space left on device" in err


def test_a_branch_that_cannot_be_reported_is_named_in_the_error(toy, git):
    # Others have the base, so there is no warning.
    git(toy, "tag", "v5.15")
    code, _, err = shell('"$@" >/dev/full', *APPLY, "--tree", toy, "--branch", "made")
    assert code == 1 and is_message(err)
    assert err == (
        "patchgen: standard output cannot be written: No space left on device; "
        "the branch made and its mails were written before [output-unwritable]\n"
    )
    assert git(toy, "rev-parse", "--verify", "refs/heads/made")
    code, _, err = shell('"$@" >&-', *APPLY, "--tree", toy, "--branch", "again", "-o", toy / "x")
    assert (code, err) == (
        1,
        "patchgen: standard output is closed; the branch again and its mails were written before "
        "[output-unwritable]\n",
    )


@pytest.mark.parametrize("how", ["2>/dev/full", "2>&-", ">&- 2>&- <&-", ">/dev/full 2>/dev/full"])
def test_the_exit_code_is_right_where_errors_cannot_be_written(small, how):
    code, _, err = shell(f'"$@" {how}', "run", "nosuch", "--tree", small)
    assert (code, err) == (2, "")


def test_a_closed_pipe_is_not_a_failure(small):
    reader, writer = os.pipe()
    os.close(reader)
    for stream in ("stdout", "stderr"):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: writer}
        run = [sys.executable, "-m", "patchgen", "run", small.parent / "x.cocci", "--tree", small]
        # Unbuffered, Python has nothing left to write when it ends.
        env = {**os.environ, "PYTHONPATH": str(TOP), "PYTHONUNBUFFERED": ""}
        result = subprocess.run(run, env=env, check=False, **pipes)
        assert (result.returncode, result.stderr or b"") == (0, b"")
    os.close(writer)


@pytest.mark.parametrize("limit", ["-n 12", "-n 20", "-f 0", "-f 1", "-f 8", "-v 60000"])
@pytest.mark.parametrize("name", ["run", "audit"])
def test_a_limit_ends_in_the_result_or_in_a_message(small, name, limit):
    args = args_of(name, small)
    code, limited, err = shell(f'ulimit {limit}; "$@"', *args)
    if code:
        assert (code, limited) == (1, "") and is_message(err)
    else:
        assert limited == expected_output(name, small)


@pytest.mark.parametrize("limit", ["-n 12", "-f 0", "-f 1", "-f 8", "-f 40"])
def test_apply_under_a_limit_makes_all_or_nothing(toy, git, limit):
    code, _, err = shell(f'ulimit {limit}; "$@"', *APPLY, "--tree", toy, "--branch", "made")
    exists = git(toy, "branch", "--list", "made") != ""
    assert (code, exists) == (0, True) or ((code, exists) == (1, False) and is_message(err))


@pytest.mark.parametrize(
    "change",
    [
        {"HOME": "/proc/nonexistent"},
        {"XDG_CACHE_HOME": "/etc/passwd"},
        {"XDG_CACHE_HOME": "/proc"},
        {"TMPDIR": "/nonexistent"},
        {"TMPDIR": "/etc/passwd"},
        {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["run", "audit"])
def test_an_odd_environment_changes_no_result(small, name, change):
    args = args_of(name, small)
    code, out, err = shell('"$@"', *args, **change)
    assert (code, out) == (0, expected_output(name, small)), err
    assert "Traceback" not in err and len(err.splitlines()) <= 1


def test_without_a_home_the_user_list_names_one(small):
    code, out, err = shell('unset HOME; "$@"', *args_of("run", small))
    assert code == 0 and "new_call" in out, err


def test_names_that_a_terminal_cannot_show_are_escaped(small, git):
    (small / "\u00fc.c").write_text(CODE)
    git(small, "add", "-A")
    git(small, "commit", "-qm", "more")
    rule = small.parent / "x.cocci"
    rule.write_text("@ r @\nposition p;\n@@\n* old_call@p();\n")
    args = ("run", rule, "--tree", small, "--json")
    code, out, _ = shell('"$@"', *args, PYTHONIOENCODING="ascii")
    assert code == 0 and "\u00fc.c" in out


def test_a_removed_working_directory_is_named(tmp_path):
    script = f'mkdir {tmp_path}/gone; cd {tmp_path}/gone; rmdir ../gone; "$@"'
    code, _, err = shell(script, "audit")
    assert code == 1 and is_message(err) and "working directory" in err


@pytest.mark.parametrize("kind", ["missing", "a folder", "without options", "binary"])
@pytest.mark.parametrize("command", ["run", "audit", "verify"])
def test_a_config_that_cannot_be_read_is_wrong_usage_everywhere(small, tmp_path, command, kind):
    config = tmp_path / "config"
    if kind == "a folder":
        config.mkdir()
    elif kind != "missing":
        config.write_bytes(b"hello\n" if kind == "without options" else b"\x7fELF\0\xff")
    args = {
        "run": ["run", tmp_path / "x.cocci", "--tree", small, "--only-built", config],
        "audit": ["audit", "--tree", small, "--config", config],
        "verify": ["verify", "HEAD", "--tree", small, "--config", config],
    }
    code, out, err = shell('"$@"', *args[command])
    assert (code, out) == (2, "") and str(config) in err and "bug" not in err


def test_compare_needs_no_identity(toy, monkeypatch):
    for role in ("AUTHOR", "COMMITTER"):
        for what in ("NAME", "EMAIL"):
            monkeypatch.delenv(f"GIT_{role}_{what}")
    # The variant applies to the toy tree, which cannot be compiled.
    with pytest.raises(PatchgenError) as refused:
        compare_variants(CompareRequest(("pvops",), toy))
    assert "who you are" not in str(refused.value) and "none of them" not in str(refused.value)


def test_a_failed_write_is_not_reported_as_a_moved_branch(toy, git):
    # A folder in place of the lock file fails each attempt, as a full disk does.
    lock = toy / ".git/refs/heads/made.lock"
    lock.mkdir()
    code, _, err = shell('"$@"', *APPLY, "--tree", toy, "--branch", "made")
    assert code == 1 and "cannot be written" in err and "moved" not in err
    assert git(toy, "branch", "--list", "made") == ""
