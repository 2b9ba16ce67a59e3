"""Laminar is in no package index: what was measured for the design on such a machine stands in its place."""

STATED = {
    "start": "20 ms as measured for the design, not here",
    "rate": "95 /s as measured for the design, not here",
    "container": "436 ms and 3.6 /s as measured for the design, not here",
}
"""By measure: what Laminar 1.3 took, and that it was not measured in this run."""
