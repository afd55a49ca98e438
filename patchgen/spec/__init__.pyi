# SPDX-License-Identifier: GPL-2.0-or-later
from .backends import (
    select_units as select_units,
)
from .case_rules import render_case_rules as render_case_rules
from .check_variant import (
    find_variant_errors as find_variant_errors,
)
from .cited_calls import (
    find_cited_calls as find_cited_calls,
)
from .config import (
    People as People,
    SeriesConfig as SeriesConfig,
    TreeConfig as TreeConfig,
    config_entry as config_entry,
    list_values as list_values,
    read_tree_config as read_tree_config,
)
from .plan import (
    SeriesPlan as SeriesPlan,
    build_plan as build_plan,
    find_present_patches as find_present_patches,
)
from .recipes import (
    Recipe as Recipe,
    find_recipe as find_recipe,
    list_recipes as list_recipes,
)
from .settings import (
    KEYS as KEYS,
    PEOPLE as PEOPLE,
    Setting as Setting,
    Settings as Settings,
    SettingSource as SettingSource,
    git_key_of as git_key_of,
    normalize_key as normalize_key,
    settings_of as settings_of,
    variable_of as variable_of,
)
from .tree_paths import (
    MissingPath as MissingPath,
    find_missing_paths as find_missing_paths,
)
from .variables import (
    bind_variables as bind_variables,
)
from .variant import (
    Variant as Variant,
    describe_variables as describe_variables,
    find_variant as find_variant,
    find_variant_folder as find_variant_folder,
    list_sources as list_sources,
    load_variant as load_variant,
)
from .variant_folders import (
    NamedVariant as NamedVariant,
    find_variant_above as find_variant_above,
    list_named as list_named,
    list_names as list_names,
)
