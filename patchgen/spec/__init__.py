# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants: load their manifests, bind their variables, and plan their patches for a base."""

from patchgen.spec.backends import select_units
from patchgen.spec.cited_calls import find_cited_calls
from patchgen.spec.config import (
    People,
    TreeConfig,
    config_entry,
    load_own_people,
    load_people,
    read_tree_config,
)
from patchgen.spec.plan import SeriesPlan, build_plan
from patchgen.spec.variables import bind_variables
from patchgen.spec.variant import (
    Variant,
    describe_variables,
    find_variant,
    list_names,
    list_sources,
    list_variants,
)

__all__ = [
    "People",
    "SeriesPlan",
    "TreeConfig",
    "Variant",
    "bind_variables",
    "build_plan",
    "config_entry",
    "describe_variables",
    "find_cited_calls",
    "find_variant",
    "list_names",
    "list_sources",
    "list_variants",
    "load_own_people",
    "load_people",
    "read_tree_config",
    "select_units",
]
