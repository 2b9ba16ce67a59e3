"""The JSON Schema for editors."""

from __future__ import annotations

import json
from pathlib import Path

from pawl.core.workflow.json_schema import json_schema
from tests.golden.conftest import Compare

FOLDER = Path(__file__).parent / "schema"


def test_the_schema_is_the_one_that_editors_have(compare: Compare) -> None:
    compare(FOLDER / "workflow.schema.json", json.dumps(json_schema(), indent=1) + "\n")
