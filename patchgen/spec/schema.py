# SPDX-License-Identifier: GPL-2.0-or-later
"""JSON schemas of the TOML files that people write, made from the models that read these files.

Editors with a TOML language server (taplo, Even Better TOML) complete and check a file by its
schema, which the comment `#:schema PATH` in its first lines names. The dialect is draft 7 of JSON
Schema, which these servers implement.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from patchgen.spec.config import Config
from patchgen.spec.manifest import BackendManifest, VariantManifest

# The files that people write, and their models. The package has the schemas in patchgen/schemas.
SCHEMAS: dict[str, type[BaseModel]] = {
    "manifest": VariantManifest,
    "backend": BackendManifest,
    "config": Config,
}

_DIALECT = "http://json-schema.org/draft-07/schema#"


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of a TOML file that a model reads."""
    schema = model.model_json_schema(ref_template="#/definitions/{model}")
    definitions = schema.pop("$defs", {})
    return {"$schema": _DIALECT, **_simplify(schema), "definitions": _simplify(definitions)}


def format_schema(model: type[BaseModel]) -> str:
    """Return the schema as the text of a file."""
    return json.dumps(schema_of(model), indent=1) + "\n"


def _simplify(schema: Any) -> Any:
    """Return a schema without null, which TOML does not have, and without derived titles."""
    if isinstance(schema, list):
        return [_simplify(member) for member in schema if member != {"type": "null"}]
    if not isinstance(schema, dict):
        return schema
    result: dict[str, Any] = {
        key: {name: _simplify(member) for name, member in value.items()}
        if key in ("properties", "patternProperties")
        else _simplify(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str)) and (key, value) != ("default", None)
    }
    if isinstance(description := result.get("description"), str):
        result["description"] = " ".join(description.split())
    if "patternProperties" in result:
        # pydantic refuses the keys that match no pattern.
        result.setdefault("additionalProperties", False)
    choices = result.get("anyOf")
    if choices is not None and len(choices) == 1:
        del result["anyOf"]
        result.update(choices[0])
    return result


def write_schemas(folder: Path) -> None:
    """Write the schema of each file into a folder, as NAME.schema.json (`make schemas`)."""
    for name, model in SCHEMAS.items():
        (folder / f"{name}.schema.json").write_text(format_schema(model), encoding="utf-8")


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))
