"""Where a deployment can be seen: only an address of the web is told, and none with a secret in it."""

from __future__ import annotations

import pytest

from pawl.core.expressions import ObjectValue
from pawl.core.model.errors import UsageError
from pawl.core.model.plan import Json
from pawl.core.steps.masking import SecretSet
from pawl.engine.execution.deployment import MAX_URL, deployed_to
from pawl.engine.execution.steps.evaluation import Evaluator

STEP = ObjectValue({"outputs": ObjectValue({"url": "https://pr-7.example.org/?a=b"})})
EVALUATOR = Evaluator(contexts={"steps": ObjectValue({"deploy": STEP})}, functions={})
SECRETS = SecretSet(["hunter2hunter2"])


def told(environment: Json) -> str:
    return deployed_to(environment, EVALUATOR, SECRETS)


def test_an_address_comes_from_what_the_steps_made() -> None:
    written: Json = {"name": "live", "url": " ${{ steps.deploy.outputs.url }} "}
    assert told(written) == "https://pr-7.example.org/?a=b"


@pytest.mark.parametrize(
    "environment", [None, "live", {"name": "live"}, {"name": "live", "url": "${{ steps.none.outputs.url }}"}]
)
def test_there_may_be_none(environment: Json) -> None:
    assert told(environment) == ""


def test_a_secret_is_never_part_of_it() -> None:
    assert told({"name": "live", "url": "https://hunter2hunter2@example.org"}) == ""


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "example.org",
        "https://",
        "https://[::1",
        "https://example.org/a b",
        "https://example.org/\x1b[2J",
        "https://example.org/" + "a" * MAX_URL,
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="no address of the web"):
        told({"name": "live", "url": url})
