"""Senders that are no forge we know, and sign as Pawl documents it."""

from __future__ import annotations

from pawl.adapters.forge_generic.forge import GenericForge, sign

__all__ = ["GenericForge", "sign"]
