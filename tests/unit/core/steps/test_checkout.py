"""The inputs of actions/checkout are read once, and a slip in them is told."""

from __future__ import annotations

import pytest

from pawl.core.steps.checkout import Checkout, CheckoutInputs, Submodules, read_checkout


def test_without_inputs_one_commit_and_no_credentials() -> None:
    wanted = Checkout(depth=1, submodules=Submodules.NONE, persist_credentials=False)
    assert read_checkout({}) == CheckoutInputs(wanted=wanted)
    assert read_checkout({"fetch-depth": "", "lfs": "", "submodules": " "}) == CheckoutInputs(
        wanted=Checkout()
    )


def test_all_inputs() -> None:
    inputs = {
        "fetch-depth": " 0 ",
        "fetch-tags": "true",
        "sparse-checkout": "src\n  docs/a b  \n\n",
        "sparse-checkout-cone-mode": "False",
        "submodules": "Recursive",
        "lfs": "TRUE",
        "persist-credentials": "true",
        "ref": "main",
        "path": "here",
    }
    wanted = Checkout(
        depth=0,
        tags=True,
        sparse=("src", "docs/a b"),
        cone=False,
        submodules=Submodules.RECURSIVE,
        lfs=True,
        persist_credentials=True,
    )
    assert read_checkout(inputs) == CheckoutInputs(wanted=wanted)
    assert read_checkout({"submodules": "true"}).wanted.submodules is Submodules.DIRECT


@pytest.mark.parametrize("text", ["-1", "all", "1.5", "٣"])
def test_a_depth_that_is_no_number_is_the_whole_history_and_told(text: str) -> None:
    read = read_checkout({"fetch-depth": text})
    assert read.wanted.depth == 0
    assert read.remarks == (f"`fetch-depth: {text}` is no number of commits: the whole history comes along",)


def test_a_huge_depth_is_what_git_can_count_to() -> None:
    assert read_checkout({"fetch-depth": "9" * 5000}).wanted.depth == 2**31 - 1


@pytest.mark.parametrize(
    "name", ["lfs", "submodules", "fetch-tags", "persist-credentials", "sparse-checkout-cone-mode"]
)
def test_what_is_not_true_counts_as_false_and_is_told(name: str) -> None:
    read = read_checkout({name: "Yes"})
    assert not read.wanted.lfs
    assert not read.wanted.tags
    assert read.wanted.submodules is Submodules.NONE
    assert read.wanted.cone is (name != "sparse-checkout-cone-mode")
    assert read.remarks == (f"`{name}: yes` counts as `false`: it is not `true`",)


def test_inputs_that_the_action_does_not_have_are_told() -> None:
    read = read_checkout({"ref": "x", "fetch-dept": "1", "path": "y"})
    assert read.remarks == ("actions/checkout has no input `fetch-dept`",)
