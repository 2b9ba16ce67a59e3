"""Webhooks as forges send them, made from the shapes that they document, and what is to be read from them."""

from __future__ import annotations

from tests.webhooks import bitbucket, generic, gitea, github, gitlab
from tests.webhooks.sample import NOW, SECRET, Sample, signed

SAMPLES: tuple[Sample, ...] = (
    *github.SAMPLES,
    *gitlab.SAMPLES,
    *gitea.SAMPLES,
    *bitbucket.SAMPLES,
    *generic.SAMPLES,
)

__all__ = ["NOW", "SAMPLES", "SECRET", "Sample", "signed"]
