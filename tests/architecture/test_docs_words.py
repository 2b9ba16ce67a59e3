"""What the reference lists is what the code has: settings, variables, commands, options, capabilities."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pawl.adapters.executor_docker.hardening import CAPABILITIES
from pawl.cli.settings import DEFAULT_LABELS, SETTINGS, TABLES, Setting, Settings
from pawl.cli.settings_file import OTHER_VARIABLES
from pawl.core.expressions.functions import BUILTINS, EXTENSIONS
from pawl.core.expressions.text_rules import fold_case
from pawl.core.planning.unsupported import BUILT_IN_ACTIONS
from pawl.core.steps.commands import COMMANDS
from pawl.core.steps.env_files import EnvFileKind
from pawl.core.workflow.container_options import _OPTIONS
from pawl.core.workflow.files import WORKFLOW_PLACES
from pawl.core.workflow.grammar.spellings import SPELLINGS
from pawl.engine.execution.environment import GITHUB_VARIABLES

REFERENCE = Path(__file__).resolve().parents[2] / "docs/reference"


def _page(name: str) -> str:
    return (REFERENCE / name).read_text("utf-8")


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.key)
def test_every_setting_stands_on_the_configuration_page(setting: Setting) -> None:
    row = re.search(
        rf"^\| `{re.escape(setting.key)}` \| `{setting.variable}` \| (.+?) \| (.+?) \|$",
        _page("configuration.md"),
        re.MULTILINE,
    )
    assert row is not None
    default = getattr(Settings(), setting.name)
    if default is not None:
        assert row[1] == f"`{str(default).lower()}`"
    assert row[2] == setting.summary


def test_every_table_label_and_variable_stands_on_the_configuration_page() -> None:
    page = _page("configuration.md")
    assert [table for table in TABLES if f"\n## `[{table}]`\n" not in page] == []
    rows = [f"| `{label}` | `{image}` |" for label, image in DEFAULT_LABELS.items()]
    rows += [f"| `{name}` | {summary} |" for name, summary in OTHER_VARIABLES.items()]
    assert [row for row in rows if row not in page] == []


def test_no_setting_of_the_configuration_page_is_unknown() -> None:
    told = set(re.findall(r"^\| `((?:run|remote)\.\w+)` \|", _page("configuration.md"), re.MULTILINE))
    assert told == {setting.key for setting in SETTINGS}


def test_every_variable_of_a_step_stands_on_its_page() -> None:
    told = set(re.findall(r"`(GITHUB_\w+)`", _page("environment.md")))
    assert {f"GITHUB_{name.upper()}" for name in GITHUB_VARIABLES} - told == set()
    assert told - {f"GITHUB_{name.upper()}" for name in GITHUB_VARIABLES} == {"GITHUB_ACTIONS"}


def test_every_command_and_command_file_stands_on_its_page() -> None:
    page = _page("environment.md")
    section = page.partition("## Lines that a step prints")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)
    assert {name for cell in cells for name in cell.split("`")[1::2]} == COMMANDS
    assert [kind for kind in EnvFileKind if f"| `$GITHUB_{kind.name}` |" not in page] == []


def test_every_function_stands_on_the_page_of_expressions() -> None:
    section = _page("expressions.md").partition("## Functions")[2].partition("\n```")[0]
    told = {fold_case(name) for name in re.findall(r"`(\w+)\(", section)}
    assert told == {*BUILTINS, *EXTENSIONS}


def test_containers_may_do_what_the_page_says() -> None:
    told = re.search(r"^\| capabilities \| none but (.+?) \|$", _page("executors.md"), re.MULTILINE)
    assert told is not None
    assert told[1] == ", ".join(f"`{name}`" for name in CAPABILITIES)


def test_the_options_of_the_page_are_those_that_are_applied() -> None:
    section = _page("executors.md").partition("### Options")[2].partition("\n### ")[0]
    assert set(re.findall(r"`--([\w-]+)`", section)) == set(_OPTIONS)


def test_the_places_of_workflows_are_told() -> None:
    page = _page("workflow-syntax.md")
    places = {place for place in WORKFLOW_PLACES if place.endswith(".yml")}
    assert [place for place in places if f"`{place}`" not in page] == []


def test_the_actions_that_run_are_told_and_planning_knows_them() -> None:
    page = _page("workflow-syntax.md")
    assert [name for name in BUILT_IN_ACTIONS if f"`uses: {name}@…`" not in page] == []


def test_every_original_spelling_stands_on_its_page() -> None:
    page = _page("original-spellings.md")
    assert [spelling.key for spelling in SPELLINGS if f"| `{spelling.key}` |" not in page] == []
