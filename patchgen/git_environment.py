# SPDX-License-Identifier: GPL-2.0-or-later
"""The environment of every git that patchgen starts: one rule for each kind of use.

Three kinds of input can make git do something else than patchgen asked. Each is closed here:

- `GIT_*` variables point git to another repository (a hook or an alias that calls patchgen leaves
  GIT_DIR set), or change its output (GIT_DIFF_OPTS, GIT_ICASE_PATHSPECS);
- the repository's configuration names programs (git-config(1)): hooks, a file system monitor,
  editors, pagers, signature checkers, commands that open a connection. Drivers that attributes
  choose (`diff.NAME.textconv`, `filter.NAME.clean`) have arbitrary names, so the commands that
  would run them get --no-textconv and --no-ext-diff, or do not look at a work tree that has
  filters;
- replacements (git-replace(1)) and grafts substitute other objects for the named ones.

Git's own check of a repository's owner (safe.directory in git-config(1)) stays enabled.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from patchgen.errors import UsageError

# Variables that stay the user's: the committer, where the search for a repository ends, the
# configuration, which git is run, and what it logs.
_USER_VARIABLES = (
    "GIT_AUTHOR_",
    "GIT_COMMITTER_",
    "GIT_CONFIG_",
    "GIT_CEILING_",
    "GIT_DISCOVERY_",
    "GIT_EXEC_PATH",
    "GIT_TRACE",
)
# How git asks the user for passwords, and how it reaches a remote.
_CONNECTIONS = (
    "GIT_ASKPASS",
    "GIT_TERMINAL_PROMPT",
    "GIT_SSH",
    "GIT_PROXY_COMMAND",
    "GIT_SSL_",
    "GIT_HTTP_",
    "GIT_ALLOW_PROTOCOL",
    "GIT_PROTOCOL_FROM_USER",
)
# Git prints advice against grafts if it can open the file.
_NO_FILE = os.devnull + "/none"
# Git 2.39.4, and 2.45 and later, know GIT_NO_LAZY_FETCH. Other versions start `git fetch` for an
# object that a partial clone lacks. With no protocol allowed (git(1), GIT_ALLOW_PROTOCOL), that
# fetch ends before it connects: it runs no upload-pack, ssh, proxy, remote helper or credential
# helper. A repository chooses its protocols: `url = NAME::x` and `vcs = NAME` run `git
# remote-NAME`, which may be an alias. So the only allowed protocol has a random name.
_NO_FETCH = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none-" + os.urandom(16).hex()}
_NO_FILE_SYSTEM_MONITOR = {"core.fsmonitor": "false"}
_NO_HOOKS = {"core.hooksPath": os.devnull}
_NO_PROGRAMS = {
    **_NO_FILE_SYSTEM_MONITOR,
    **_NO_HOOKS,
    "core.pager": "cat",
    "core.editor": "false",
    "sequence.editor": "false",
    "core.sshCommand": "false",
    "core.askPass": "false",
    "core.alternateRefsCommand": "false",
    # An empty value removes the helpers configured before (gitcredentials(7)).
    "credential.helper": "",
    "log.showSignature": "false",
    # patchgen reads git's output, and writes commits, as UTF-8.
    "i18n.logOutputEncoding": "UTF-8",
    "i18n.commitEncoding": "UTF-8",
    "commit.gpgSign": "false",
    "tag.gpgSign": "false",
    "submodule.recurse": "false",
    "maintenance.auto": "false",
    "gc.auto": "0",
}


def reading_environment() -> dict[str, str]:
    """Return the environment in which git reads the user's repository and writes its refs.

    Raises UsageError for a GIT_CONFIG_COUNT that is not a number.
    """
    env = {
        **_clean(_USER_VARIABLES),
        **_NO_FETCH,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
    }
    return add_config(env, _NO_PROGRAMS)


def scratch_environment() -> dict[str, str]:
    """Return the environment for patchgen's own repositories: without the user's configuration."""
    inherited = {
        name: value for name, value in _clean(_USER_VARIABLES).items() if not _is_config(name)
    }
    env = {
        **inherited,
        **_NO_FETCH,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
    }
    return add_config(env, {**_NO_PROGRAMS, "core.attributesFile": os.devnull})


def mailing_environment(*, may_ask: bool = False) -> dict[str, str]:
    """Return the environment for `git send-email` and `git credential`.

    They run what the user has configured for mail: a validate hook, a sendmail command, password
    helpers. With `may_ask`, git asks on the terminal, as the user has configured it.
    """
    prefixes = (*_USER_VARIABLES, *_CONNECTIONS[:2]) if may_ask else _USER_VARIABLES
    ask = {"GIT_TERMINAL_PROMPT": "1" if may_ask else "0"}
    env = {**ask, **_clean(prefixes), "GIT_OPTIONAL_LOCKS": "0"}
    return add_config(env, _NO_FILE_SYSTEM_MONITOR)


def fetching_environment() -> dict[str, str]:
    """Return the environment in which git fetches at the user's request.

    The user's settings for connections and passwords apply; hooks and maintenance do not run.
    """
    config = {
        **_NO_FILE_SYSTEM_MONITOR,
        **_NO_HOOKS,
        "maintenance.auto": "false",
        "gc.auto": "0",
        # As in git's own lazy fetches: do not send the remote a list of what is here already.
        "fetch.negotiationAlgorithm": "noop",
    }
    return add_config(_clean((*_USER_VARIABLES, *_CONNECTIONS)), config)


def program_environment() -> dict[str, str]:
    """Return the environment for a program that may itself run git, as make does."""
    return _clean(_USER_VARIABLES)


def add_config(env: Mapping[str, str], config: Mapping[str, str]) -> dict[str, str]:
    """Return an environment with added configuration, which overrides files (git-config(1)).

    Raises UsageError for a GIT_CONFIG_COUNT that is not a number.
    """
    count = env.get("GIT_CONFIG_COUNT") or "0"
    if not (count.isascii() and count.isdecimal()):
        raise UsageError(
            f"GIT_CONFIG_COUNT is {count!r}: expected a number", code="environment-variable"
        )
    added = dict(env)
    for number, (key, value) in enumerate(config.items(), int(count)):
        added[f"GIT_CONFIG_KEY_{number}"] = key
        added[f"GIT_CONFIG_VALUE_{number}"] = value
    return {**added, "GIT_CONFIG_COUNT": str(int(count) + len(config))}


def _clean(prefixes: tuple[str, ...]) -> dict[str, str]:
    """Return the environment with these of git's variables only, and messages in English."""
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith(prefixes)
    }
    return {**env, "LC_ALL": "C", "GIT_NO_REPLACE_OBJECTS": "1", "GIT_GRAFT_FILE": _NO_FILE}


def _is_config(name: str) -> bool:
    return name.startswith("GIT_CONFIG_")
