"""Steps for real, on the host: what they see, what they hand on, how they end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pawl.adapters.executor_host import HostExecutor
from pawl.core.model.events import Event
from pawl.core.model.run_events import Annotated
from pawl.core.model.status import Conclusion, FailureClass
from pawl.testing.builders import OWN_FILE, make_plan
from pawl.testing.scenarios import Finished, Scenario

Run = Callable[..., Awaitable[Finished]]
HEAD = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    async def run_text(
        text: str, *, path: str = OWN_FILE, event: Event | None = None, **request: Any
    ) -> Finished:
        files = request.pop("files", {})
        text = text if text.lstrip().startswith("on:") else HEAD + text
        scenario = Scenario(executor=HostExecutor(), root=tmp_path, files=files)
        return await scenario.run(make_plan(text, path=path, event=event), **request)

    return run_text


async def test_a_failing_step_stops_the_job_but_not_what_always_runs(run: Run) -> None:
    ended = await run(
        """
      - {id: fails, run: exit 3}
      - {id: never, run: echo never}
      - {id: cares, if: failure(), run: echo cares}
      - {id: always, if: always(), run: echo always}
"""
    )

    assert ended.conclusion is Conclusion.FAILURE
    assert {"fails": "failure", "never": "skipped", "cares": "success", "always": "success"}.items() <= (
        ended.told.steps("a").items()
    )
    job = ended.told.job("a")
    assert job.reason == "step `Run exit 3` failed: exit code 3"
    assert job.failure_class is FailureClass.USER


async def test_continue_on_error_keeps_the_outcome_and_changes_the_conclusion(run: Run) -> None:
    ended = await run(
        """
      - {id: fails, continue-on-error: true, run: exit 1}
      - run: test "${{ steps.fails.outcome }} ${{ steps.fails.conclusion }}" = "failure success"
"""
    )

    assert ended.conclusion is Conclusion.SUCCESS


async def test_values_are_handed_on_by_files(run: Run) -> None:
    ended = await run(
        r"""
      - id: one
        run: |
          echo "FOO=b r" >> "$GITHUB_ENV"
          printf 'TEXT<<END\na\nb\nEND\n' >> "$GITHUB_ENV"
          echo "out=put" >> "$GITHUB_OUTPUT"
          mkdir -p tools && printf '#!/bin/sh\necho from tool' > tools/mytool && chmod +x tools/mytool
          echo "$PWD/tools" >> "$GITHUB_PATH"
          echo "# Summary" >> "$GITHUB_STEP_SUMMARY"
          test -z "$FOO"
      - run: |
          test "$FOO" = "b r" && test "$TEXT" = "$(printf 'a\nb')"
          test "${{ env.FOO }}-${{ steps.one.outputs.out }}" = "b r-put"
          test "$(mytool)" = "from tool"
"""
    )

    assert ended.conclusion is Conclusion.SUCCESS, ended.log
    assert ended.told.job("a").summary == "# Summary\n"


async def test_a_malformed_file_fails_the_step(run: Run) -> None:
    ended = await run('      - run: echo "no equals sign" >> "$GITHUB_OUTPUT"\n')

    assert ended.conclusion is Conclusion.FAILURE
    assert "GITHUB_OUTPUT cannot be read: line 1" in ended.told.job("a").reason


async def test_a_link_in_place_of_an_output_file_is_not_followed(run: Run) -> None:
    """What a job puts in its folders is hostile (reliability.md 4.2)."""
    ended = await run(
        """
      - id: evil
        run: rm "$GITHUB_OUTPUT" && echo "leak=secret" > elsewhere && ln -s "$PWD/elsewhere" "$GITHUB_OUTPUT"
      - run: test -z "${{ steps.evil.outputs.leak }}"
"""
    )

    assert ended.conclusion is Conclusion.SUCCESS, ended.log


async def test_workflow_commands_do_what_they_say_and_are_not_shown(run: Run) -> None:
    ended = await run(
        """
      - id: talks
        run: |
          echo "::set-output name=old::way"
          echo "::add-mask::s3cr3t-word"
          echo "the s3cr3t-word is out"
          echo "::error file=a.py,line=3::broken"
          echo "::group::inner"
      - run: test "${{ steps.talks.outputs.old }}" = way
"""
    )

    log = ended.told.log("a", 1)
    assert ended.conclusion is Conclusion.SUCCESS, ended.log
    assert "the *** is out" in log
    assert "##[error]broken" in log
    assert log.count("s3cr3t-word") == 2, "only in the header's script, before it was masked"


async def test_secrets_are_masked_everywhere(run: Run) -> None:
    ended = await run(
        """
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    outputs: {leak: "${{ steps.s.outputs.leak }}", fine: "${{ steps.s.outputs.fine }}"}
    steps:
      - id: s
        name: uses ${{ secrets.TOKEN }}
        env: {TOKEN: "${{ secrets.TOKEN }}"}
        run: |
          echo "token $TOKEN"; echo "$TOKEN" | base64
          echo "leak=x$TOKEN" >> "$GITHUB_OUTPUT"; echo "fine=1" >> "$GITHUB_OUTPUT"
          echo "$TOKEN" >> "$GITHUB_STEP_SUMMARY"
          exit 1
""",
        secrets={"TOKEN": "hunter2-and-more"},
    )

    assert "hunter2-and-more" not in repr(ended.told.events) + repr(ended.outcome)
    assert "aHVudGVyMi1hbmQtbW9yZQ" not in ended.log
    assert dict(ended.told.job("a").outputs) == {"fine": "1"}


async def test_a_step_sees_the_variables_that_workflows_rely_on(run: Run) -> None:
    ended = await run(
        """
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    strategy: {matrix: {node-version: [20], os: [{name: deb}]}}
    steps:
      - run: |
          test "$CI $GITHUB_ACTIONS $GITHUB_JOB $GITHUB_RUN_NUMBER" = "true true a 1"
          test "$GITHUB_REF_NAME $MATRIX_NODE_VERSION $MATRIX_OS_NAME" = "main 20 deb"
          test "$GITHUB_WORKSPACE" = "$PWD" && test -d "$RUNNER_TEMP" && test -d "$HOME"
          test "$RUNNER_OS" = "${{ runner.os }}" && grep -q default_branch "$GITHUB_EVENT_PATH"
"""
    )

    assert ended.conclusion is Conclusion.SUCCESS, ended.log


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ("{run: echo, shell: nonsense}", "`shell: nonsense` is neither"),
        ("{run: echo, working-directory: nowhere}", "working directory"),
        ("{run: kill -9 $$}", "SIGKILL"),
        ('{if: "${{ fromJSON(github.ref) }}", run: echo}', "cannot be evaluated"),
        ('{env: {A: "${{ fromJSON(github.ref) }}"}, run: echo}', "`env` cannot be used"),
        ("{uses: ./nowhere}", "there is no action.yml"),
        ("{uses: actions/checkout@v4, with: {repository: other/one}}", "another repository"),
        ("{uses: actions/checkout@v4, with: {path: ../out}}", "not below the workspace"),
        ("{uses: actions/checkout@v4, with: {ref: v9}}", "not what the run's files stand at"),
    ],
)
async def test_a_step_that_cannot_run_says_why(run: Run, step: str, reason: str) -> None:
    ended = await run(f"      - {step}\n")

    assert ended.conclusion is Conclusion.FAILURE
    assert reason in ended.told.job("a").reason
    assert "##[error]" in ended.log


async def test_binary_output_and_a_flood_do_no_harm(run: Run) -> None:
    ended = await run(
        """
      - run: head -c 2000000 /dev/urandom; echo
      - run: yes 0123456789 | head -c 5000000
"""
    )

    assert ended.conclusion is Conclusion.SUCCESS
    assert ended.log.count("0123456789") > 400_000


async def test_the_workspace_is_empty_as_on_github_until_checkout(run: Run) -> None:
    text = """
      - run: test -z "$(ls)"
      - uses: actions/checkout@v4
      - run: test "$(cat hello.txt)" = hi
"""

    ended = await run(text, path=".github/workflows/ci.yml", files={"hello.txt": "hi"})

    assert ended.conclusion is Conclusion.SUCCESS, ended.log


async def test_a_file_of_our_own_finds_the_repository_in_its_workspace(run: Run) -> None:
    ended = await run('      - run: test "$(cat hello.txt)" = hi\n', files={"hello.txt": "hi"})

    assert ended.conclusion is Conclusion.SUCCESS, ended.log


async def test_bind_works_in_the_folder_itself(run: Run, tmp_path: Path) -> None:
    own = tmp_path / "mine"
    own.mkdir()

    ended = await run(
        "      - uses: actions/checkout@v4\n      - run: echo made > here.txt\n",
        bind=own,
        files={"a.txt": "a"},
    )

    assert ended.conclusion is Conclusion.SUCCESS, ended.log
    assert [path.name for path in own.iterdir()] == ["here.txt"]


async def test_a_problem_matcher_of_the_workspace_makes_annotations(run: Run) -> None:
    matcher = """{"problemMatcher": [{"owner": "lint", "pattern": [
        {"regexp": "^(.+):(\\\\d+): (.+)$", "file": 1, "line": 2, "message": 3}]}]}"""

    ended = await run(
        """
      - run: echo "::add-matcher::lint.json"
      - run: "echo 'src/a.py:7: too long'"
""",
        files={"lint.json": matcher},
    )

    notes = ended.told.of(Annotated)
    assert [(note.file, note.line, note.message) for note in notes] == [("src/a.py", 7, "too long")]


async def test_an_env_file_is_below_the_jobs_own_environment(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ci.env").write_text("# mine\nA=file\nexport B='two words'\n")

    ended = await run(
        """
on: push
env: {A: workflow, B: workflow}
jobs:
  a:
    runs-on: ubuntu-latest
    env_file: ci.env
    env: {A: job}
    steps:
      - run: test "$A/$B" = "job/two words"
"""
    )

    assert ended.conclusion is Conclusion.SUCCESS, ended.log


async def test_read_only_folders_of_a_job_are_removed(run: Run) -> None:
    """The Go module cache makes its folders read-only."""
    ended = await run("      - run: mkdir -p deep/er && touch deep/er/f && chmod -R a-w deep\n")

    assert ended.conclusion is Conclusion.SUCCESS
    assert ended.left_behind == []


async def test_hash_files_reads_the_workspace(run: Run) -> None:
    ended = await run(
        """
      - run: echo one > a.lock
      - run: test "${{ hashFiles('*.lock') }}" != "" && test "${{ hashFiles('*.nothing') }}" = ""
"""
    )

    assert ended.conclusion is Conclusion.SUCCESS, ended.log


async def test_step_debugging_shows_debug_lines(run: Run) -> None:
    text = (
        '      - run: echo \'::debug::deep inside\'; test "$RUNNER_DEBUG" = "$WANT"\n        env: {WANT: X}\n'
    )

    silent = await run(text.replace("X", "''"))
    assert silent.conclusion is Conclusion.SUCCESS
    assert "##[debug]" not in silent.log


async def test_step_debugging_is_turned_on_by_a_secret(run: Run) -> None:
    ended = await run(
        "      - run: echo '::debug::deep inside'; echo true; test \"$RUNNER_DEBUG\" = 1\n",
        secrets={"ACTIONS_STEP_DEBUG": "true"},
    )

    assert ended.conclusion is Conclusion.SUCCESS, ended.log
    assert "##[debug]deep inside" in ended.log
    assert "***" not in ended.log


async def test_git_in_a_job_never_finds_the_repository_around_its_folder(run: Run, tmp_path: Path) -> None:
    """A `git reset --hard` without a checkout before it must not reach the user's own working tree."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    for folder in ("objects", "refs"):
        (tmp_path / ".git" / folder).mkdir()

    ended = await run(
        """
      - run: |
          ! git rev-parse --git-dir
          cd "$(mktemp -d)" && ! git rev-parse --git-dir
"""
    )

    assert ended.conclusion is Conclusion.SUCCESS, ended.log
    assert "not a git repository" in ended.log
