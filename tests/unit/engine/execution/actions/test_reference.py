from __future__ import annotations

import pytest

from pawl.core.model.errors import UsageError
from pawl.engine.execution.actions.image import input_variables, split_arguments
from pawl.engine.execution.actions.reference import (
    ActionReference,
    BuiltInAction,
    ImageAction,
    LocalAction,
    RemoteAction,
    parse_reference,
    unsupported_action,
)


@pytest.mark.parametrize(
    ("uses", "reference"),
    [
        ("./", LocalAction(".")),
        (".", LocalAction(".")),
        ("./a/b/", LocalAction("a/b")),
        (".\\a\\b", LocalAction("a/b")),
        ("$/tools/x", LocalAction("tools/x", from_repository=True)),
        ("docker://alpine:3", ImageAction("alpine:3")),
        ("Actions/Checkout@v4", BuiltInAction("actions/checkout", "v4")),
        ("actions/setup-go@v5", RemoteAction("actions/setup-go", "v5")),
        ("o/r/sub/folder@abc", RemoteAction("o/r/sub/folder", "abc")),
    ],
)
def test_every_form_of_uses(uses: str, reference: ActionReference) -> None:
    assert parse_reference(uses) == reference


@pytest.mark.parametrize("uses", ["", "checkout", "actions/checkout", "actions/checkout@", "name@v1"])
def test_what_is_no_action_is_refused(uses: str) -> None:
    with pytest.raises(UsageError, match="no action"):
        parse_reference(uses)
    assert "no action" in (unsupported_action(uses) or "")


def test_only_actions_of_other_repositories_do_not_run() -> None:
    assert unsupported_action("actions/checkout@v4") is None
    assert unsupported_action("./x") is None
    assert "another repository" in (unsupported_action("o/r@v1") or "")


def test_inputs_are_variables_in_capitals_with_hyphens_kept() -> None:
    """Language rule 45."""
    assert input_variables({"my input": "1", "fail-fast": "x"}) == {
        "INPUT_MY_INPUT": "1",
        "INPUT_FAIL-FAST": "x",
    }


def test_arguments_are_split_as_a_shell_would_but_nothing_is_expanded() -> None:
    assert split_arguments("""a 'b c' "d $E" f""") == ["a", "b c", "d $E", "f"]
    with pytest.raises(UsageError, match="taken apart"):
        split_arguments("'open")
