"""Which worker can take which job: labels, compared without regard to case."""

from __future__ import annotations

from collections.abc import Iterable

from pawl.core.model.plan import Json

MOST_LABELS = 50
"""Labels of one job, and of one worker."""


def required_labels(runs_on: Json) -> tuple[str, ...]:
    """Return the labels that a worker must have for a rendered `runs-on`, sorted, in lower case.

    The name of an image (it has a `:`, `/` or `@`) is no label: any worker can take that job. What is no
    `runs-on` at all asks for nothing, so that a worker takes the job and says what is wrong.
    """
    labels = {label.strip().lower() for label in _labels(runs_on)}
    return tuple(sorted(label for label in labels if label and not any(char in label for char in ":/@$")))[
        :MOST_LABELS
    ]


def _labels(runs_on: Json) -> Iterable[str]:
    match runs_on:
        case str():
            return [runs_on]
        case list():
            return [label for label in runs_on if isinstance(label, str)]
        case dict():
            return _labels(runs_on.get("labels"))
        case _:
            return []


def offered_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Return a worker's labels as they are compared: sorted, in lower case, each once."""
    return tuple(sorted({label.strip().lower() for label in labels} - {""}))
