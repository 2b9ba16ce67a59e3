"""What git may do in somebody's working tree: read, with that person's own configuration."""

from __future__ import annotations

from pawl.adapters.git.calling import Rules

READING = Rules(own_configuration=True)
FETCHING = Rules(own_configuration=True, protocols="file")
"""From a repository on the same disk."""
