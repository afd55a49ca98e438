# SPDX-License-Identifier: GPL-2.0-or-later
"""The environment of every git that patchgen starts: one rule for each kind of use.

Three kinds of input can make git do something else than asked, and each is closed here:

- variables `GIT_*` lead it to another repository (a hook or an alias that calls patchgen leaves
  GIT_DIR set), or change what it prints (GIT_DIFF_OPTS, GIT_ICASE_PATHSPECS);
- the repository's configuration names programs (git-config(1)): hooks, a file system monitor,
  editors, pagers, signature checkers, commands that open a connection. Drivers that attributes
  choose (`diff.NAME.textconv`, `filter.NAME.clean`) have no name that is known here; the commands
  that would run them get --no-textconv and --no-ext-diff, or do not look at a work tree that has
  filters;
- replacements (git-replace(1)) and grafts put other objects in the place of those that are named.

Git's own check of who owns a repository (safe.directory in git-config(1)) stays as it is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from patchgen.errors import UsageError

# The user's own variables: who commits, where a search for a repository ends, their configuration,
# which git it is, and what it logs.
_KEPT = (
    "GIT_AUTHOR_",
    "GIT_COMMITTER_",
    "GIT_CONFIG_",
    "GIT_CEILING_",
    "GIT_DISCOVERY_",
    "GIT_EXEC_PATH",
    "GIT_TRACE",
)
# How the user wants to be asked for passwords, and how to reach a remote.
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
# Git advises against grafts wherever it can open the file.
_NO_FILE = os.devnull + "/none"
# Git 2.39.4, 2.45 and later know GIT_NO_LAZY_FETCH. Others start `git fetch` for an object that a
# partial clone lacks; with no protocol allowed (git(1), GIT_ALLOW_PROTOCOL), that one ends before
# it connects: no upload-pack, ssh, proxy, remote helper or credential helper is run. A repository
# chooses its protocols: `url = NAME::x` and `vcs = NAME` run `git remote-NAME`, which may be an
# alias. So the only one that is allowed has a name that nobody can guess.
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
    # An empty value removes the helpers that were named before (gitcredentials(7)).
    "credential.helper": "",
    "log.showSignature": "false",
    # What git prints, and what it writes into commits, is read and written as UTF-8 here.
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
    env = {**_clean(_KEPT), **_NO_FETCH, "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
    return add_config(env, _NO_PROGRAMS)


def scratch_environment() -> dict[str, str]:
    """Return the environment for a repository of patchgen's own: no configuration of the user's."""
    kept = {name: value for name, value in _clean(_KEPT).items() if not _is_config(name)}
    env = {
        **kept,
        **_NO_FETCH,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
    }
    return add_config(env, {**_NO_PROGRAMS, "core.attributesFile": os.devnull})


def mailing_environment(*, may_ask: bool = False) -> dict[str, str]:
    """Return the environment for `git send-email` and `git credential`.

    They run what the user has configured for mails: a validate hook, a sendmail command, helpers
    for passwords. With `may_ask`, git asks on the terminal, as the user has it.
    """
    kept = (*_KEPT, *_CONNECTIONS[:2]) if may_ask else _KEPT
    ask = {"GIT_TERMINAL_PROMPT": "1" if may_ask else "0"}
    env = {**ask, **_clean(kept), "GIT_OPTIONAL_LOCKS": "0"}
    return add_config(env, _NO_FILE_SYSTEM_MONITOR)


def fetching_environment() -> dict[str, str]:
    """Return the environment in which git fetches because the user said so.

    Connections and passwords are the user's matter; hooks and maintenance do not run.
    """
    config = {
        **_NO_FILE_SYSTEM_MONITOR,
        **_NO_HOOKS,
        "maintenance.auto": "false",
        "gc.auto": "0",
        # git sets this, too, when it fetches missing objects: the remote is not told what is there.
        "fetch.negotiationAlgorithm": "noop",
    }
    return add_config(_clean((*_KEPT, *_CONNECTIONS)), config)


def program_environment() -> dict[str, str]:
    """Return the environment for a program that may run git where it is started, as make does."""
    return _clean(_KEPT)


def add_config(env: Mapping[str, str], config: Mapping[str, str]) -> dict[str, str]:
    """Return an environment with more configuration, which overrides files (git-config(1)).

    Raises UsageError for a GIT_CONFIG_COUNT that is not a number.
    """
    count = env.get("GIT_CONFIG_COUNT") or "0"
    if not (count.isascii() and count.isdecimal()):
        raise UsageError(f"GIT_CONFIG_COUNT is {count!r}: expected a number")
    added = dict(env)
    for number, (key, value) in enumerate(config.items(), int(count)):
        added[f"GIT_CONFIG_KEY_{number}"] = key
        added[f"GIT_CONFIG_VALUE_{number}"] = value
    return {**added, "GIT_CONFIG_COUNT": str(int(count) + len(config))}


def _clean(kept: tuple[str, ...]) -> dict[str, str]:
    """Return the environment without git's variables but these, with messages in English."""
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith(kept)
    }
    return {**env, "LC_ALL": "C", "GIT_NO_REPLACE_OBJECTS": "1", "GIT_GRAFT_FILE": _NO_FILE}


def _is_config(name: str) -> bool:
    return name.startswith("GIT_CONFIG_")
