from __future__ import annotations

import pytest

from pawl.core.model.errors import UsageError
from pawl.core.model.plan import Json
from pawl.engine.execution.images import choose_image, foreign_system, runs_on_labels

IMAGES = {"ubuntu-latest": "big", "gpu": "cuda", "ubuntu-*": "some"}


@pytest.mark.parametrize(
    ("runs_on", "labels"),
    [
        (" ubuntu-latest ", ("ubuntu-latest",)),
        (["self-hosted", "gpu"], ("self-hosted", "gpu")),
        ({"group": "big", "labels": ["a", "b"]}, ("a", "b")),
        ({"group": "big"}, ("big",)),
    ],
)
def test_labels_come_in_three_shapes(runs_on: Json, labels: tuple[str, ...]) -> None:
    assert runs_on_labels(runs_on) == labels


@pytest.mark.parametrize("runs_on", ["", " ", None, [], [1], 5])
def test_anything_else_is_refused(runs_on: Json) -> None:
    with pytest.raises(UsageError, match="runs-on"):
        runs_on_labels(runs_on)


@pytest.mark.parametrize(
    ("labels", "image"),
    [
        (("ubuntu-latest",), "big"),
        (("Ubuntu-Latest",), "big"),
        (("self-hosted", "gpu"), "cuda"),
        (("ubuntu-22.04",), "some"),
        (("debian:12",), "debian:12"),
        (("ghcr.io/x/y",), "ghcr.io/x/y"),
        (("self-hosted", "linux"), "big"),
    ],
)
def test_the_first_label_that_says_something_wins(labels: tuple[str, ...], image: str) -> None:
    assert choose_image(labels, IMAGES) == image


@pytest.mark.parametrize(
    ("labels", "mend"),
    [(("tpu",), '`tpu = "IMAGE"`'), (("windows-2022",), "--executor host"), (("self-hosted", "x1"), "x1 =")],
)
def test_a_label_that_says_nothing_names_the_setting(labels: tuple[str, ...], mend: str) -> None:
    with pytest.raises(UsageError) as raised:
        choose_image(labels, IMAGES)

    assert mend in (raised.value.hint or "")


def test_other_systems_are_recognised() -> None:
    assert foreign_system(("self-hosted", "macOS-14")) == "macos"
    assert foreign_system(("ubuntu-latest",)) is None
