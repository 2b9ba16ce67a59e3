"""GitHub: its webhooks, commit statuses, check runs, and tokens of GitHub Apps."""

from __future__ import annotations

from pawl.adapters.forge_github.forge import GitHubForge

__all__ = ["GitHubForge"]
