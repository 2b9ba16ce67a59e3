"""Bitbucket Cloud: its webhooks and the statuses of commits."""

from __future__ import annotations

from pawl.adapters.forge_bitbucket.forge import BitbucketForge

__all__ = ["BitbucketForge"]
