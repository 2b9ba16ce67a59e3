"""Ids are types, so that one cannot be given where another is meant."""

from __future__ import annotations

from typing import NewType

JobKey = NewType("JobKey", str)
"""The key of a job as written under `jobs:`, before its matrix is expanded."""

JobId = NewType("JobId", str)
"""One job of a run after expansion: the key itself, or `key#3` for the fourth combination (from 0)."""

StepId = NewType("StepId", str)
"""The id of a step inside its job: as written, or made up when the file gives none."""

RunNumber = NewType("RunNumber", int)
"""Counts the runs of one repository from 1."""

RunId = NewType("RunId", int)
"""One run of a server, counted from 1 over all its repositories; never used twice."""

WorkerId = NewType("WorkerId", str)
"""A worker as the server knows it: made by the server, bound to the worker's token and name."""

Epoch = NewType("Epoch", int)
"""The fencing number of a lease: grows with every lease of an attempt, from 1."""
