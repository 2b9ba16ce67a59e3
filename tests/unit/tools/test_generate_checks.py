from __future__ import annotations

from pathlib import Path

from pawl.core.workflow.grammar import WORKFLOW_GRAMMAR
from pawl.core.workflow.grammar.spellings import SPELLINGS, own_keys
from tools.generate_checks import checks_page, main, spellings_page

ROOT = Path(__file__).resolve().parents[3]
REFERENCE = ROOT / "docs" / "reference"


def test_the_page_of_checks_is_current() -> None:
    assert (REFERENCE / "checks.md").read_text(encoding="utf-8") == checks_page()


def test_the_page_of_original_spellings_is_current() -> None:
    assert (REFERENCE / "original-spellings.md").read_text(encoding="utf-8") == spellings_page()


def test_every_key_of_pawls_own_is_documented() -> None:
    documented = {(name, spelling.key) for spelling in SPELLINGS for name in spelling.definitions}
    assert documented == own_keys(WORKFLOW_GRAMMAR)


def test_the_tool_writes_both_pages(tmp_path: Path) -> None:
    main(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"checks.md", "original-spellings.md"}
