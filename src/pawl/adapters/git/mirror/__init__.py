"""Mirrors: bare copies of repositories, fetched incrementally, and workspaces made from them."""

from __future__ import annotations

from pawl.adapters.git.mirror.limits import MirrorLimits
from pawl.adapters.git.mirror.mirrors import GitMirrors
from pawl.adapters.git.mirror.origins import Access
from pawl.adapters.git.mirror.source import MirrorSource

__all__ = ["Access", "GitMirrors", "MirrorLimits", "MirrorSource"]
