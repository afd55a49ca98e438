"""Variants: their manifests, their variables, and the plan for a base."""

from patchgen.spec.catalog import find_variant, list_names, list_variants
from patchgen.spec.cites import find_cited_calls
from patchgen.spec.config import People, load_people
from patchgen.spec.manifest import Variant, describe_variables
from patchgen.spec.plan import build_plan, select_units
from patchgen.spec.variables import bind_variables

__all__ = [
    "People",
    "Variant",
    "bind_variables",
    "build_plan",
    "describe_variables",
    "find_cited_calls",
    "find_variant",
    "list_names",
    "list_variants",
    "load_people",
    "select_units",
]
