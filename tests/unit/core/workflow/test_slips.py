"""What people get wrong, and the mend that each finding offers."""

from __future__ import annotations

import pytest

from pawl.core.workflow.parse import parse_workflow

JOB = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n"


def told(text: str) -> list[tuple[str, str | None]]:
    return [(str(found.span.start), found.hint) for found in parse_workflow(text).diagnostics]


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("jobs:\n  a\n    runs-on: x\n", "3:12", "did you forget the `:` on line 2? `a:`"),
        ("on:push\njobs:\n", "2:5", "put a blank after the `:` on line 1: `on: push`"),
        (JOB + "    - name: A: b\n", "6:14", "the value of `name` holds a `: `: put it in quotes"),
        (
            JOB + "    - name: x\n       run: y\n",
            "7:11",
            "`run` is indented deeper than `name` on line 6: align them",
        ),
        (
            JOB + "    - name: 'x\n      run: y\n    - run: make 'x'\n",
            "8:18",
            "the quote `'` on line 6 is not closed there",
        ),
        (
            JOB + "    - name: 'x' y\n      run: y\n",
            "6:17",
            "text follows a closed quote: put the whole value in quotes of the other kind",
        ),
        (
            JOB + "    - run: |\n      make\n      make test\n",
            "8:7",
            "the text of `run` on line 6 must be indented deeper than the key itself",
        ),
        (JOB + "     -run: x\n     - run: x\n", "7:6", "put a blank after the `-` on line 6: `- run: x`"),
        (
            JOB + "      - run: x\n     - run: y\n",
            "7:6",
            "items of one list begin in the same column: on line 6 that is column 7",
        ),
        (
            JOB + "      uses: x\n      - run: y\n",
            "7:7",
            "this is an item of a list, and line 6 is not: begin both with `- `, or neither",
        ),
        ("on:\n\t- push\n", "2:1", "indent with spaces: a tab is not allowed there"),
        (
            "on: {push: {branches: [*main]}}\n",
            "1:24",
            "a text that begins with `*` stands in quotes: `'*main'`",
        ),
    ],
)
def test_yaml(text: str, place: str, hint: str) -> None:
    assert told(text) == [(place, hint)]


def test_yaml_that_is_only_read_otherwise() -> None:
    assert told(JOB + "    - {if: !cancelled(), run: x}\n") == [
        ("6:12", "a text that begins with `!` stands in quotes: `'!cancelled()'`")
    ]
    assert told(JOB.replace("runs-on: x", "runs-on: {{ x }}") + "    - run: x\n") == [
        ("4:15", "an expression begins with a dollar sign: `${{ }}`")
    ]


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("true: push" + JOB.removeprefix("on: push") + "    - run: x\n", "1:1", "did you mean `on`?"),
        (JOB + "    - script: make\n", "6:7", "did you mean `run`?"),
        (JOB + "    - run: x\n      uses: a/b@v1\n", "7:7", "`uses` cannot stand beside `run`"),
        (
            JOB + "    - uses: actions/cache@v4\n      key: x\n",
            "7:7",
            "what an action is given stands below `with`",
        ),
        (
            JOB + "    - run: x\nb:\n  runs-on: x\n  steps: []\n",
            "7:1",
            "a job stands below `jobs`, indented deeper",
        ),
        (JOB + "      run: x\n", "6:7", "each item begins with `- `"),
        (
            JOB + "    - run: [a, b]\n",
            "6:12",
            "several lines are one text: `run: |`, and the lines below, indented",
        ),
        (JOB + "    - run: x\n      env: [A=b]\n", "7:12", "write `key: value` lines, without `- `"),
        (
            JOB + "    - run: x\n      env: A=b\n",
            "7:12",
            "write a line below `env`, indented deeper: `A: b`",
        ),
        (JOB + "    - uses: actions/checkout\n", "6:13", "say which version: `actions/checkout@v1`"),
        (JOB + "    - uses: cache@v4\n", "6:13", "did you forget the owner? `actions/cache@v4`"),
        (JOB + "    - uses: https://github.com/a/b@v2\n", "6:13", "leave out the address: `a/b@v2`"),
        (JOB + "    - run: x\n      timeout-minutes: 1h\n", "7:24", "it counts minutes: `60`"),
        (JOB + "    - run: x\n      timeout-minutes: '5'\n", "7:24", "write `5`, without quotes"),
        (JOB + "    - run: x\n      continue-on-error: no\n", "7:26", "did you mean `false`?"),
        (JOB + "    - run: x\n    strategy: {matrix: {os: x}}\n", "7:29", "write `[x]`"),
        (JOB + "    - {run: x, if: not success()}\n", "6:24", "did you mean `!`?"),
        (JOB.replace("    steps:\n", "    steps: make\n"), "5:12", None),
        (JOB + "    - {run: x, if: github.sha and true}\n", "6:31", "did you mean `&&`?"),
        (
            JOB + "    - {run: x, if: github.ref == main}\n",
            "6:34",
            "a text stands in single quotes: `'main'`",
        ),
        (
            JOB + "    - {run: x, if: github.ref == success}\n",
            "6:34",
            "a function is called: `success()`; a text stands in quotes: `'success'`",
        ),
        (
            JOB + "    - run: x\n  b:\n    runs-on: x\n    steps: [{run: '${{ needs.a.result }}'}]\n",
            "9:24",
            "add `a` to the `needs` of this job",
        ),
    ],
)
def test_what_fits_no_key(text: str, place: str, hint: str) -> None:
    assert told(text) == [(place, hint)]
