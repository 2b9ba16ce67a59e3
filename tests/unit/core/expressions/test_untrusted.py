"""Which properties outsiders control, from the text alone."""

from __future__ import annotations

import pytest

from pawl.core.expressions import UNTRUSTED_PATHS, parse_expression, possibly_untrusted


def paths(text: str) -> list[str]:
    expression, diagnostics = parse_expression(text)
    assert expression is not None, diagnostics
    return [found.path for found in possibly_untrusted(expression)]


@pytest.mark.parametrize("path", UNTRUSTED_PATHS)
def test_every_listed_path_is_found(path: str) -> None:
    assert paths(path.replace(".*", "[0]")) == [path]
    assert path in paths(path)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("github.event['issue']['Title']", ["github.event.issue.title"]),
        ("GITHUB.HEAD_REF || github.ref_name", ["github.head_ref"]),
        ("format('{0}', github.event.comment.body)", ["github.event.comment.body"]),
        ("join(github.event.commits.*.message, ' ')", ["github.event.commits.*.message"]),
        ("(github.event.commits.*.message)[0]", ["github.event.commits.*.message"]),
        ("toJSON(github.event.issue)", ["github.event.issue"]),
        ("toJSON(github)", ["github"]),
        ("fromJSON(toJSON(github.event)).issue.title", ["github.event"]),
        ("github.event_name == 'x' && github.head_ref || github.ref", ["github.head_ref"]),
        ("case(github.head_ref == 'x', 'a', github.head_ref)", ["github.head_ref"]),
        (
            "github.event[matrix.x].title",
            ["github.event.issue.title", "github.event.pull_request.title", "github.event.discussion.title"],
        ),
        ("foo(github.head_ref)", ["github.head_ref"]),
    ],
)
def test_found(text: str, found: list[str]) -> None:
    assert paths(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "github.sha",
        "github.event.issue.number",
        "github.event.issue",
        "contains(github.event.issue.title, 'x')",
        "github.head_ref == 'x'",
        "!github.head_ref",
        "github.head_ref && 'x'",
        "env[github.head_ref]",
        "matrix.head_ref",
        "github.event.issue.title.x",
        "hashFiles(github.head_ref)",
        "toJSON(matrix)",
    ],
)
def test_not_found(text: str) -> None:
    assert paths(text) == []


def test_the_place_is_that_of_the_property() -> None:
    expression, _ = parse_expression("format('x', github.head_ref)")
    assert expression is not None
    (found,) = possibly_untrusted(expression)
    assert (found.text, found.start, found.end) == ("github.head_ref", 12, 27)
