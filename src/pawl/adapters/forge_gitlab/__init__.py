"""GitLab: its webhooks and commit statuses."""

from __future__ import annotations

from pawl.adapters.forge_gitlab.forge import GitLabForge

__all__ = ["GitLabForge"]
