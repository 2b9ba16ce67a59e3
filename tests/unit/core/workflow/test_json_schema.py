from __future__ import annotations

import jsonschema
import pytest

from pawl.core.workflow.compose import compose
from pawl.core.workflow.grammar.action import ACTION_GRAMMAR
from pawl.core.workflow.json_schema import json_schema
from pawl.core.workflow.nodes import to_json

VALIDATOR = jsonschema.Draft7Validator(json_schema())


def is_valid(text: str) -> bool:
    return bool(VALIDATOR.is_valid(to_json(compose(text).root)))


def test_the_schemas_are_schemas() -> None:
    jsonschema.Draft7Validator.check_schema(json_schema())
    jsonschema.Draft7Validator.check_schema(json_schema(ACTION_GRAMMAR, "action"))


@pytest.mark.parametrize(
    "jobs",
    [
        "{a: {runs-on: x, steps: [{run: a}]}}",
        "{a: {runs-on: x, steps: [{command: a}], timeout: 10m, environment: {A: b}}}",
        "{a: {runs-on: '${{ matrix.os }}', strategy: '${{ fromJSON(x) }}', timeout-minutes: '${{ 1 }}'}}",
        "{a: {runs-on: x, env: {'${{ insert }}': '${{ x }}'}, concurrency: {'${{ insert }}': '${{ x }}'}}}",
        "{a: {uses: ./x.yml, secrets: inherit}}",
        "{a: {runs-on: x, steps: [{parallel: [{run: a}]}, {wait-all: }]}}",
    ],
)
def test_what_the_parser_accepts_the_schema_accepts(jobs: str) -> None:
    assert is_valid(f"on: push\njobs: {jobs}\n")


def test_a_file_in_our_own_spellings_needs_no_on() -> None:
    assert is_valid("jobs: {a: {runs-on: x, steps: [{command: a}]}}\n")


@pytest.mark.parametrize(
    "jobs",
    [
        "{a: {steps: [{run: a}]}}",
        "{a: {runs-on: x, foo: 1}}",
        "{a: {runs-on: x, steps: [{name: a}]}}",
        "{a: {runs-on: x, timeout-minutes: '5'}}",
        "{a: {runs-on: x, permissions: all}}",
        "{a: {runs-on: x, steps: '${{ x }}'}}",
        "{a: {runs-on: x, concurrency: {cancel-in-progress: true}}}",
    ],
)
def test_what_is_structurally_wrong_the_schema_refuses(jobs: str) -> None:
    assert not is_valid(f"on: push\njobs: {jobs}\n")
