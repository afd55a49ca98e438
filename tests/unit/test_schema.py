# SPDX-License-Identifier: GPL-2.0-or-later
"""The JSON schemas accept what the models accept, and refuse wrong keys and values."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from patchgen.resources import read_schema
from patchgen.spec.schema import SCHEMAS, format_schema
from tests.support import TOP

MANIFESTS = sorted((TOP / "semantic-patches").rglob("manifest.toml"))
GOOD = {
    "schema": 1,
    "variant": {"name": "v", "title": "A variant", "cover": "cover.txt.j2"},
    "patch": [
        {
            "name": "one",
            "message": "one.txt.j2",
            "probe": {"files": ["a.c"], "tokens": "x"},
            "rules": [{"file": "a.cocci", "on": "a.c", "must_fire": {"r": ">=1", "s": 2}}],
        }
    ],
}


def validator(name: str) -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(json.loads(read_schema(name)))


def change(where: str, value: Any) -> dict[str, Any]:
    """Return the good manifest with one value set, at keys and indices joined by dots."""
    document = json.loads(json.dumps(GOOD))
    *parents, last = (int(part) if part.isdigit() else part for part in where.split("."))
    table = document
    for part in parents:
        table = table[part]
    table[last] = value
    return document


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_shipped_schema_is_that_of_the_models(name):
    assert read_schema(name) == format_schema(SCHEMAS[name]), "run `make schemas`"
    jsonschema.Draft7Validator.check_schema(json.loads(read_schema(name)))


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: str(path.parent.relative_to(TOP)))
def test_each_shipped_manifest_fits_its_schema(path):
    name = "backend" if "backends" in path.parts else "manifest"
    validator(name).validate(tomllib.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("patch.0.probe", [{"file": "a.c", "tokens": "x"}, {"files": "b.c", "tokens": "y"}]),
        ("patch.0.rules.0.on", ["a.c", "b/**.c"]),
        ("patch.0.when", "!fact"),
        ("variables", {"v": {"type": "boolean", "default": True, "help": "h"}}),
    ],
)
def test_one_value_or_a_list_of_them_fits(where, value):
    document = change(where, value)
    SCHEMAS["manifest"].model_validate(document)
    validator("manifest").validate(document)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("tile", "x"),
        ("variant.tile", "x"),
        ("variant.name", "two words"),
        ("patch.0.prob", {}),
        ("patch.0.probe", {"tokens": "x"}),
        ("patch.0.rules.0.on", []),
        ("patch.0.optional", "yes"),
        ("patch.0.rules.0.must_fire", {"r": "many"}),
        ("patch.0.rules.0.text", {"not a name": "x"}),
        ("variables", {"v": {"type": "number", "default": 1, "help": "h"}}),
        ("schema", 2),
    ],
)
def test_a_wrong_key_or_value_is_refused_as_by_the_models(where, value):
    document = change(where, value)
    with pytest.raises(ValidationError):
        SCHEMAS["manifest"].model_validate(document)
    assert not validator("manifest").is_valid(document)


@pytest.mark.parametrize(
    ("text", "is_valid"),
    [
        ('signoff = true\n[recipients]\nmax = 2\nto = ["a@example.org"]\n', True),
        ('split = "tree"\ncolor = "never"\nmacros = "none"\n', True),
        ("trust = true\n", False),
        ("jobs = 0\n", False),
        ('jobs = "3"\n', False),
        ('signoff = "yes"\n', False),
        ("signoff = 1\n", False),
        ('split = "trees"\n', False),
        ('[recipients]\nto = "a@example.org"\n', False),
    ],
)
def test_the_schema_of_the_configuration_accepts_what_the_model_accepts(text, is_valid):
    document = tomllib.loads(text)
    assert validator("config").is_valid(document) is is_valid
    if not is_valid:
        with pytest.raises(ValidationError):
            SCHEMAS["config"].model_validate(document)
