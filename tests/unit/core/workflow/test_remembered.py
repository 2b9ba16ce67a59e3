"""What is read once for many places still knows the place of each."""

from __future__ import annotations

from pawl.core.workflow.parse import parse_workflow

_TEXT = """\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: echo ${{ github.nothing }}
      - run: echo again ${{ github.nothing }}
      - run: echo ${{ github.sha }}
  b:
    runs-on: ubuntu-latest
    concurrency: ${{ runner.os }}
    steps:
      - run: echo ${{ runner.os }} ${{ github.nothing == }}
        if: ${{ github.nothing }}
"""


def test_the_same_expression_is_reported_at_each_of_its_places() -> None:
    found = [(str(each.span.start), each.code) for each in parse_workflow(_TEXT).diagnostics]
    assert found == [
        ("6:30", "unknown-property"),
        ("7:36", "unknown-property"),
        ("11:22", "unknown-context"),
        ("13:57", "expression-syntax"),
        ("14:24", "unknown-property"),
    ]
