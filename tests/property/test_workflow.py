"""Any text gives a tree or findings, in bounds; what is read twice is the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pawl.core.diagnostics import Position
from pawl.core.diagnostics.catalogue import CATALOGUE
from pawl.core.workflow.action import parse_action
from pawl.core.workflow.compose import compose
from pawl.core.workflow.container_options import parse_container_options
from pawl.core.workflow.cron import Cron, CronProblem, parse_cron
from pawl.core.workflow.images import image_problem
from pawl.core.workflow.nodes import Mapping, Node, Scalar, to_json
from pawl.core.workflow.parse import parse_workflow
from pawl.core.workflow.scalars import resolve

EXAMPLES = sorted((Path(__file__).parents[1] / "golden" / "parse").glob("*.yml"))
TEXTS = [path.read_text(encoding="utf-8") for path in EXAMPLES]
WORDS = "on|jobs|steps|run|needs|matrix|if|!!int |1|true|~|ä"
SIGNS = "${{|}}|- |: |\n|  |{|}|[|]|&a |*a|<<|'|>|#|\t|\0|\u2028|? |"
TOKENS = st.sampled_from((*WORDS.split("|"), *SIGNS.split("|"), "|", '"'))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text("abcxyz", max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abcxyz", min_size=1), inner, max_size=3)
    ),
    max_leaves=12,
)


def check_workflow_text(text: str | bytes) -> None:
    """Parse as both kinds of file; the only results are values."""
    for found in (*parse_workflow(text).diagnostics, *parse_action(text).diagnostics):
        assert found.code in CATALOGUE
        assert found.span.start >= Position(1, 1)
        assert len(found.message) < 1000


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_findings_and_no_exception(data: bytes) -> None:
    check_workflow_text(data)


@settings(max_examples=200, deadline=None)
@given(st.lists(TOKENS, max_size=40).map("".join))
def test_any_mixture_of_tokens_gives_findings_and_no_exception(text: str) -> None:
    check_workflow_text(text)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(TEXTS),
    st.integers(0, 3000),
    st.integers(0, 40),
    st.lists(TOKENS, max_size=3).map("".join),
)
def test_any_damage_to_a_real_file_gives_findings_and_no_exception(
    text: str, at: int, length: int, instead: str
) -> None:
    at %= len(text)
    check_workflow_text(text[:at] + instead + text[at + length :])


@settings(max_examples=100, deadline=None)
@given(PLAIN)
def test_plain_data_in_the_place_of_a_workflow_gives_findings_and_no_exception(data: object) -> None:
    check_workflow_text(f"on: push\njobs: {data!r}\n".replace("None", "null"))


@settings(max_examples=150, deadline=None)
@given(PLAIN)
def test_data_written_as_json_is_read_back(data: object) -> None:
    text = repr(data).replace("None", "null").replace("True", "true").replace("False", "false")
    assert to_json(compose(text).root) == data


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(TEXTS), st.integers(0, 3000))
def test_every_scalar_lies_where_it_says(text: str, at: int) -> None:
    """The text from a plain scalar's start is the scalar."""
    lines = text.split("\n")
    root = compose(text).root
    for node in _scalars(root) if root is not None else ():
        if (
            node.style == "plain"
            and node.text
            and "\n" not in node.text
            and node.span.start.line == node.span.end.line
        ):
            start = node.span.start
            assert lines[start.line - 1][start.column - 1 :].startswith(node.text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_small_texts_never_raise(text: str) -> None:
    assert isinstance(parse_cron(text), Cron | CronProblem)
    parse_container_options(text)
    image_problem(text)
    assert isinstance(resolve(text), bool | int | float | str | None)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 59), st.integers(0, 23), st.integers(1, 31), st.integers(1, 12), st.integers(0, 6))
def test_a_cron_line_of_one_time_fires_then(
    minute: int, hour: int, day: int, month: int, weekday: int
) -> None:
    cron = parse_cron(f"{minute} {hour} {day} {month} *")
    assert isinstance(cron, Cron)
    assert cron.matches(minute, hour, day, month, weekday)
    assert not cron.matches((minute + 1) % 60, hour, day, month, weekday)


@pytest.mark.parametrize("text", TEXTS, ids=[path.stem for path in EXAMPLES])
def test_parsing_is_repeatable(text: str) -> None:
    assert parse_workflow(text) == parse_workflow(text)


def _scalars(node: Node) -> list[Scalar]:
    if isinstance(node, Scalar):
        return [node]
    children = (
        [value for entry in node.entries for value in entry] if isinstance(node, Mapping) else node.items
    )
    return [scalar for child in children for scalar in _scalars(child)]
