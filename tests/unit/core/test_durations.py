from __future__ import annotations

import pytest

from pawl.core.model.durations import in_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (86_400, "24 hours"),
        (3600.0, "1 hour"),
        (5400, "90 minutes"),
        (300, "5 minutes"),
        (60, "1 minute"),
        (90, "90 seconds"),
        (1, "1 second"),
        (0.5, "0.5 seconds"),
        (0.002 * 3600, "7.2 seconds"),
        (0.1 * 3600, "6 minutes"),
    ],
)
def test_a_length_of_time_is_said_in_the_largest_unit_that_is_exact(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
