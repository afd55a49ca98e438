"""Git's object database: read trees, write commits aside, publish them by one ref update."""

from patchgen.odb.quarantine import Quarantine
from patchgen.odb.repository import Repository, find_git_subcommand, git_version
from patchgen.odb.tree import GitTree

__all__ = ["GitTree", "Quarantine", "Repository", "find_git_subcommand", "git_version"]
