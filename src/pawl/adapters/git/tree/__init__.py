"""The working tree as a source: listed by git, copied with its history, never written to."""

from __future__ import annotations

from pawl.adapters.git.calling import GitError
from pawl.adapters.git.tree.commit import CommitFacts, Commits
from pawl.adapters.git.tree.tree import NO_COMMIT, WorkingTree, repository_name

__all__ = ["NO_COMMIT", "CommitFacts", "Commits", "GitError", "WorkingTree", "repository_name"]
