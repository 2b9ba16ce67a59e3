"""Gitea and Forgejo: their webhooks and commit statuses."""

from __future__ import annotations

from pawl.adapters.forge_gitea.forge import GiteaForge

__all__ = ["GiteaForge"]
