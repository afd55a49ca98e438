# SPDX-License-Identifier: GPL-2.0-or-later
"""Each pattern of docs/smpl-cookbook.md does what the page shows, with the real spatch.

A section of the page has a semantic patch, and code for it:

- a block of the language `diff` is a file before and after the run;
- a block `c` is a file that stays as it is, or, if a block `text` follows, one with these reports.

They become golden cases, which run as `patchgen test` runs them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

import pytest

from patchgen.commands.test import GoldenRequest, check_patches
from patchgen.errors import SpecError
from patchgen.model.smpl import Mode
from patchgen.sweep import CaseOutcome, GoldenRun
from tests.support import TOP
from tests.support.documents import Block, read_blocks


@dataclass(frozen=True)
class Pattern:
    """A section of the page. `cases` are files by name, `results` what they become or report."""

    name: str
    rule: str
    cases: dict[str, str]
    results: dict[str, str]
    mode: Mode | None
    definitions: tuple[str, ...]


def read_patterns() -> dict[str, Pattern]:
    """Return the patterns of the page by name."""
    page = (TOP / "docs/smpl-cookbook.md").read_text(encoding="utf-8")
    sections = re.split(r"^###? ", page, flags=re.MULTILINE)
    patterns = [read_pattern(text) for text in sections if ".cocci -->" in text]
    return {pattern.name: pattern for pattern in patterns}


def read_pattern(section: str) -> Pattern:
    """Read a section. Its text has the definitions, as options of `patchgen run`."""
    prose, *_ = section.partition("<!--")
    rule, *others = read_blocks(section)
    name = rule.markers["file"].removesuffix(".cocci")
    cases: dict[str, str] = {}
    results: dict[str, str] = {}
    mode = None
    for number, (block, following) in enumerate(zip_longest(others, others[1:])):
        case = f"{name}-{number}"
        if block.language == "diff":
            cases[f"{case}.c"], results[f"{case}.res"] = split_diff(block.text)
        elif following is not None and following.language == "text":
            # The page names the file as its reader would.
            cases[f"{case}.c"], mode = block.text, Mode.REPORT
            results[f"{case}.res"] = following.text.replace(f"{name}.c:", f"{case}.c:")
        elif block.language == "c":
            cases[f"ok/{_name_file(block, case)}"] = block.text
    definitions = tuple(re.findall(r"-D (\w+(?:=\w+)?)", prose))
    return Pattern(name, rule.text, cases, results, mode, definitions)


def _name_file(block: Block, case: str) -> str:
    return f"{case}{Path(block.markers.get('file', '.c')).suffix or '.c'}"


def split_diff(text: str) -> tuple[str, str]:
    """Return the file before and after a change that a diff shows as a whole."""
    lines = text.splitlines(keepends=True)
    assert all(line[0] in " +-" for line in lines), text
    before, after = (
        "".join(line[1:] for line in lines if line[0] != other) for other in ("+", "-")
    )
    return before, after


PATTERNS = read_patterns()


def run(pattern: Pattern, folder: Path, old: str = "", new: str = "") -> GoldenRun:
    """Run a pattern over its cases, with a part of its semantic patch replaced by another one."""
    assert old in pattern.rule
    (folder / "ok").mkdir()
    cocci = folder / f"{pattern.name}.cocci"
    cocci.write_text(pattern.rule.replace(old, new) if old else pattern.rule)
    for name, text in (pattern.cases | pattern.results).items():
        (folder / name).write_text(text)
    request = GoldenRequest(str(cocci), pattern.mode, pattern.definitions, trusted=True)
    [checked] = check_patches(request)
    assert checked.run is not None
    return checked.run


def describe(outcome: CaseOutcome) -> str:
    return f"{outcome.case.name} becomes, or reports:\n{outcome.actual.decode()}{outcome.failure}"


def test_the_page_has_thirty_patterns_or_more():
    assert len(PATTERNS) >= 30


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=lambda pattern: pattern.name)
def test_a_pattern_does_what_the_page_shows(pattern: Pattern, tmp_path):
    assert pattern.results, "no example"
    result = run(pattern, tmp_path)
    assert [describe(outcome) for outcome in result.outcomes if not outcome.passed] == []
    assert [outcome.unparsed for outcome in result.outcomes if outcome.unparsed] == []
    assert result.never_fired == ()


def test_an_example_with_another_word_fails(tmp_path):
    pattern = PATTERNS["rename-call"]
    [(name, text)] = pattern.results.items()
    wrong = {name: text.replace("led_device_put(panel", "led_device_get(panel")}
    changed = replace(pattern, results=wrong)
    assert wrong != pattern.results
    assert [outcome.passed for outcome in run(changed, tmp_path).outcomes] == [False]


# Parts of semantic patches, and what the page says of the semantic patch without them.
SILENT = {
    "missing-unlock": ("@exists@", "@@"),
    "local-type": ("@exists@", "@@"),
    "declarer": (", DEFINE_FOO_POOL_SIZED", ""),
    "devm": ("probefn", "probe"),
}
DIFFERENT = {
    "rename-call": ("-led_put(\n+led_device_put(\n ...)", "-led_put\n+led_device_put"),
    "expression-list": ("[3]", ""),
    "null-check": ("|\n-if (clk != NULL) {\n \tclk_put(clk);\n-}\n", ""),
    "join-statements": (" when != p", ""),
    "goto-error": (" when strict", ""),
    "insert-first": (" when != S", " when any"),
    "typed-expression": ("@disable ptr_to_array@", "@@"),
    "include-once": (" && !has", ""),
    "regexp": ("^", ""),
    "one-path": ("@r exists@", "@r@"),
    "exclude-position": ("position q != checked.p;", "position q;"),
    "not-in-headers": (' : script:python() { not p[0].file.endswith(".h") }', ""),
}


@pytest.mark.parametrize("name", SILENT)
def test_a_pattern_matches_nothing_without_the_part_that_the_page_names(name: str, tmp_path):
    pattern = PATTERNS[name]
    result = run(pattern, tmp_path, *SILENT[name])
    for outcome in result.outcomes:
        assert outcome.actual == outcome.case.file.read_bytes()


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_pattern_has_another_result_without_the_part_that_the_page_names(name: str, tmp_path):
    result = run(PATTERNS[name], tmp_path, *DIFFERENT[name])
    assert not all(outcome.passed for outcome in result.outcomes)


CALL = "of_get_property(np, name, NULL)"


@pytest.mark.parametrize(
    ("branch", "wrong"),
    [
        (f" {CALL} ?: other\n|\n", b'of_property_present(np, "foo,table") ?: foo_default_table'),
        (f" {CALL} ? {CALL} : other\n|\n", b'of_property_present(np, "foo,gamma") ?\n'),
    ],
)
def test_each_branch_without_a_change_keeps_a_value(branch: str, wrong: bytes, tmp_path):
    changed, unchanged = run(PATTERNS["tested-value"], tmp_path, branch).outcomes
    assert changed.passed and wrong in unchanged.actual, unchanged.actual


def test_a_loop_macro_that_is_not_declared_is_a_parse_error(tmp_path):
    with pytest.raises(SpecError, match="parse error"):
        run(PATTERNS["iterator"], tmp_path, ", for_each_foo_rcu", "")


# Code, and what the trap of a pattern makes of it.
TRAPS = {
    "rename-function": (
        """\
void f(void)
{
	int led_put = 1;

	g(led_put);
}
""",
        """\
	int led_put = 1;

	g(led_device_put);
""",
    ),
    "goto-error": (
        """\
int f(void)
{
	buf = foo_get_buffer(x);
	ret = foo_start(buf);
	if (ret)
		return ret;
	if (foo->x)
		return 0;
	foo->buf = buf;
	return 0;
}
""",
        """\
err_put:
		foo_put_buffer(buf);
		return ret;
	}
	foo->buf = buf;
	return 0;

err_put:
	foo_put_buffer(buf);
	return ret;
}
""",
    ),
    "unused-local": (
        """\
int f(void)
{
	int x __maybe_unused;

	return 0;
}
""",
        """\
int f(void)
{
	return 0;
}
""",
    ),
    "fresh": (
        """\
static void a_work_locked(struct work_struct *w)
{
	b();
}

static void a_work(struct work_struct *w)
{
	a_work_locked(w);
}
""",
        """\
}

static void a_work_locked(struct work_struct *w)
{
	a_work_locked(w);
}
""",
    ),
    "one-function": (
        """\
int a_probe(void)
{
	mdelay(1);
	return b();
}

int b(void)
{
	mdelay(2);
}
""",
        """\
	msleep(1);
	return b();
}

int b(void)
{
	mdelay(2);
""",
    ),
    "depends": (
        """\
int foo_probe(struct platform_device *pdev)
{
	return dma_alloc_coherent(pdev);
}

int g(void)
{
	return dma_set_mask_and_coherent(x);
}
""",
        """\
{
	return dma_alloc_coherent(pdev);
""",
    ),
}


def test_run_removes_the_braces_that_spatch_adds_if_a_rule_replaces_the_return(tmp_path):
    pattern = PATTERNS["return-call"]
    good = " return\n-led_print\n+led_emit\n (buf, ...);"
    bad = "-return led_print(buf,\n+return led_emit(buf,\n ...);"
    [outcome] = run(pattern, tmp_path, good, bad).outcomes
    assert outcome.passed


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_is_as_the_page_describes_it(name: str, tmp_path):
    before, expected = TRAPS[name]
    pattern = replace(PATTERNS[name], cases={f"{name}.c": before}, results={f"{name}.res": before})
    [outcome] = run(pattern, tmp_path).outcomes
    assert expected in outcome.actual.decode(), outcome.actual.decode()


def test_a_second_run_swaps_arguments_back(tmp_path):
    pattern = PATTERNS["swap-arguments"]
    [(case, before)], [(result, after)] = pattern.cases.items(), pattern.results.items()
    [outcome] = run(
        replace(pattern, cases={case: after}, results={result: before}), tmp_path
    ).outcomes
    assert outcome.passed


def branches(rule: str) -> Iterator[str]:
    yield from re.findall(r"^-foo_request.*\n\+.*\n", rule, re.MULTILINE)


def test_the_general_case_hides_the_special_one_if_it_is_first(tmp_path):
    special, general = branches(PATTERNS["disjunction"].rule)
    swapped = (f"{special}|\n{general}", f"{general}|\n{special}")
    [outcome] = run(PATTERNS["disjunction"], tmp_path, *swapped).outcomes
    assert outcome.actual.count(b"foo_request_named(") == 2
