"""Workflow and action files with the typed tree and the findings they give."""

from __future__ import annotations

from pathlib import Path

import pytest

from pawl.core.workflow.action import parse_action
from pawl.core.workflow.parse import parse_workflow
from tests.golden.conftest import Compare
from tests.golden.drawing import draw_findings, draw_tree

FOLDER = Path(__file__).parent / "parse"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yml")), ids=lambda path: path.stem)
def test_a_file_means_what_its_golden_tree_says(path: Path, compare: Compare) -> None:
    text = path.read_text(encoding="utf-8")
    if path.stem.startswith("action"):
        action = parse_action(text, path.name)
        tree, findings = action.action, action.diagnostics
        drawn = draw_tree(tree) if tree else "nothing\n"
    else:
        parsed = parse_workflow(text, path.name)
        drawn = draw_tree(parsed.workflow) if parsed.workflow else "nothing\n"
        findings = parsed.diagnostics
    compare(path.with_suffix(".out"), drawn + draw_findings(findings))
