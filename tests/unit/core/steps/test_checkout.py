"""The inputs of actions/checkout are read once, and a slip in them is told."""

from __future__ import annotations

import pytest

from pawl.core.model.errors import UsageError
from pawl.core.steps.checkout import Checkout, Submodules, read_checkout, unknown_inputs


def test_without_inputs_one_commit_and_no_credentials() -> None:
    assert read_checkout({}) == Checkout(depth=1, submodules=Submodules.NONE, persist_credentials=False)
    assert read_checkout({"fetch-depth": "", "lfs": "", "submodules": " "}) == Checkout()


def test_all_inputs() -> None:
    inputs = {
        "fetch-depth": " 0 ",
        "fetch-tags": "true",
        "sparse-checkout": "src\n  docs/a b  \n\n",
        "sparse-checkout-cone-mode": "False",
        "submodules": "Recursive",
        "lfs": "TRUE",
        "persist-credentials": "true",
    }
    assert read_checkout(inputs) == Checkout(
        depth=0,
        tags=True,
        sparse=("src", "docs/a b"),
        cone=False,
        submodules=Submodules.RECURSIVE,
        lfs=True,
        persist_credentials=True,
    )
    assert read_checkout({"submodules": "true"}).submodules is Submodules.DIRECT
    assert read_checkout({"fetch-depth": "9" * 15}).depth == 2**31 - 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("fetch-depth", "-1"),
        ("fetch-depth", "all"),
        ("fetch-depth", "1.5"),
        ("fetch-depth", "٣"),
        ("fetch-depth", "9" * 5000),
        ("lfs", "yes"),
        ("submodules", "all"),
        ("persist-credentials", "1"),
        ("sparse-checkout-cone-mode", "no"),
    ],
)
def test_a_value_that_cannot_be_meant_is_told(name: str, text: str) -> None:
    with pytest.raises(UsageError, match=name):
        read_checkout({name: text})


def test_inputs_that_the_action_does_not_have() -> None:
    assert unknown_inputs({"ref": "x", "fetch-dept": "1", "path": "y"}) == ("fetch-dept",)
