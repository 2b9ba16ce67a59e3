"""Actions for real, on the host: composite ones, the built-in ones, and values that outsiders control."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pawl.adapters.executor_host import HostExecutor
from pawl.core.model.events import Event
from pawl.core.model.run_events import ArtifactStored
from pawl.core.model.status import Conclusion
from pawl.testing.builders import OWN_FILE, make_plan
from pawl.testing.scenarios import Finished, Scenario

Run = Callable[..., Awaitable[Finished]]
HEAD = "on: [push, issues]\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
GREET = """
name: greet
description: says hello
inputs:
  who: {description: whom, default: "${{ github.job }}"}
  loud: {description: how, default: "false"}
outputs:
  text: {description: what was said, value: "${{ steps.say.outputs.text }}"}
runs:
  using: composite
  steps:
    - id: say
      shell: bash
      env: {INNER: "${{ inputs.who }}"}
      run: |
        echo "text=hello $INNER ${{ inputs.loud == 'false' }}" >> "$GITHUB_OUTPUT"
        echo "FROM_ACTION=yes" >> "$GITHUB_ENV"
        test "$GITHUB_ACTION_PATH" = "${{ github.action_path }}" && test -f "$GITHUB_ACTION_PATH/action.yml"
"""


def composite(*steps: str) -> str:
    body = "".join(f"    - {step}\n" for step in steps)
    return f"name: x\ndescription: x\nruns:\n  using: composite\n  steps:\n{body}"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    async def run_text(
        text: str, files: dict[str, str], event: Event | None = None, **request: Any
    ) -> Finished:
        text = text if text.lstrip().startswith("on:") else HEAD + text
        scenario = Scenario(executor=HostExecutor(), root=tmp_path, files=files)
        return await scenario.run(make_plan(text, path=OWN_FILE, event=event), **request)

    return run_text


async def test_a_composite_action_has_inputs_outputs_and_a_scope_of_its_own(run: Run) -> None:
    ended = await run(
        """
      - {id: say, run: 'echo "text=outer" >> "$GITHUB_OUTPUT"'}
      - {id: greet, uses: ./greet, with: {WHO: you}}
      - {id: default, uses: ./greet}
      - run: |
          test "${{ steps.greet.outputs.text }}" = "hello you true"
          test "${{ steps.default.outputs.text }}" = "hello a true"
          test "${{ steps.say.outputs.text }}" = outer
          test "$FROM_ACTION$INNER" = yes
""",
        {"greet/action.yml": GREET},
    )

    assert ended.conclusion is Conclusion.SUCCESS, ended.log


async def test_the_environment_of_the_using_step_reaches_the_action_but_not_further(run: Run) -> None:
    ended = await run(
        """
      - {uses: ./x, env: {LEVEL: step}}
      - run: test -z "$LEVEL"
""",
        {"x/action.yaml": composite("{shell: sh, run: 'test \"$LEVEL-${{ env.LEVEL }}\" = step-step'}")},
    )

    assert ended.conclusion is Conclusion.SUCCESS, ended.log


async def test_status_functions_in_an_action_look_at_its_own_steps(run: Run) -> None:
    ended = await run(
        """
      - run: exit 1
      - {if: always(), uses: ./x}
""",
        {
            "x/action.yml": composite(
                "{shell: sh, run: echo inner runs}", "{if: failure(), shell: sh, run: echo no}"
            )
        },
    )

    assert "inner runs" in ended.log.replace("echo inner runs", "")
    assert ended.log.count("echo no") == 0


async def test_a_failing_action_fails_its_step_and_runs_what_cares(run: Run) -> None:
    ended = await run(
        "      - {id: x, uses: ./x}\n",
        {
            "x/action.yml": composite(
                "{shell: sh, continue-on-error: true, run: exit 3}",
                "{shell: sh, run: exit 5}",
                "{shell: sh, run: echo not reached}",
                "{if: failure(), shell: sh, run: echo tidied}",
            )
        },
    )

    assert ended.told.job("a").reason == "step `Run ./x` failed: exit code 5"
    assert ended.log.count("tidied") > ended.log.count("not reached") == 0


async def test_actions_nest_and_an_action_that_uses_itself_is_stopped(run: Run) -> None:
    files = {
        "outer/action.yml": composite("{uses: ./greet, with: {who: nested}}"),
        "greet/action.yml": GREET,
        "loop/action.yml": composite("{uses: ./loop}"),
    }

    nested = await run("      - uses: ./outer\n      - run: test $FROM_ACTION = yes\n", files)
    assert nested.conclusion is Conclusion.SUCCESS, nested.log


async def test_an_action_that_uses_itself_is_stopped(run: Run) -> None:
    ended = await run("      - uses: ./loop\n", {"loop/action.yml": composite("{uses: ./loop}")})

    assert "nested deeper than 9 levels" in ended.told.job("a").reason


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ("runs: {using: node20, main: index.js}", "JavaScript"),
        ("runs: {using: docker, image: Dockerfile}", "building images comes with a later version"),
        ("runs: {using: docker, image: 'docker://alpine'}", "host executor cannot use the image alpine"),
        (composite("{run: echo}"), "shell"),
        ("not: [an, action", "cannot be used"),
    ],
)
async def test_an_action_that_cannot_run_says_why(run: Run, action: str, reason: str) -> None:
    ended = await run("      - uses: ./x\n", {"x/action.yml": action})

    assert ended.conclusion is Conclusion.FAILURE
    assert reason in ended.told.job("a").reason


async def test_what_an_outsider_wrote_never_becomes_a_command(run: Run, tmp_path: Path) -> None:
    """M8: the title of an issue reaches the script as a value, whatever quotes are around it."""
    title = f"a'b\"c $(touch {tmp_path}/pwned) `touch {tmp_path}/pwned`; touch {tmp_path}/pwned"
    event = Event(name="issues", action="opened", payload={"issue": {"title": title}})

    ended = await run(
        """
      - id: take
        run: |
          printf '%s\\n' "${{ github.event.issue.title }}" > one
          printf '%s\\n' '${{ github.event.issue.title }}' > two
          printf '%s\\n' ${{ github.event.issue.title }} > three
          cmp one two && cmp one three
          echo "title=$(cat one)" >> "$GITHUB_OUTPUT"
      - run: printf '%s\\n' "${{ steps.take.outputs.title }}" > four && cmp one four
      - id: hopeless
        continue-on-error: true
        run: eval "${{ github.event.issue.title }}"
""",
        {},
        event,
    )

    assert ended.conclusion is Conclusion.SUCCESS, ended.log
    assert ended.told.steps("a")["hopeless"] == "success"
    assert "outsiders" in ended.log or "untrusted" in ended.log
    assert not (tmp_path / "pwned").exists()


async def test_outputs_of_what_an_outsider_wrote_stay_marked_across_jobs(run: Run, tmp_path: Path) -> None:
    event = Event(name="issues", payload={"issue": {"title": f"$(touch {tmp_path}/pwned)"}})

    ended = await run(
        """
on: issues
jobs:
  one:
    runs-on: ubuntu-latest
    outputs: {title: "${{ steps.s.outputs.title }}"}
    steps:
      - id: s
        env: {TITLE: "${{ github.event.issue.title }}"}
        run: echo "title=$TITLE" >> "$GITHUB_OUTPUT"
  two:
    needs: one
    runs-on: ubuntu-latest
    steps: [{run: 'echo "${{ needs.one.outputs.title }}"'}]
""",
        {},
        event,
    )

    assert ended.conclusion is Conclusion.SUCCESS, ended.log
    assert "touch" in ended.log
    assert not (tmp_path / "pwned").exists()


async def test_artifacts_of_a_job_are_kept_also_when_it_failed(run: Run) -> None:
    ended = await run(
        """
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    env: {OUT: dist}
    artifacts: ["$OUT/**", nothing/*]
    steps: [{run: mkdir dist && echo 1 > dist/one.txt && exit 1}]
""",
        {},
    )

    assert [(kept.name, kept.files) for kept in ended.told.of(ArtifactStored)] == [("a", 1)]
    assert "Nothing matches `nothing/*`" in ended.log


async def test_artifacts_travel_between_jobs(run: Run) -> None:
    ended = await run(
        """
on: push
jobs:
  make:
    runs-on: ubuntu-latest
    steps:
      - run: mkdir -p out/deep && echo 1 > out/one && echo 2 > out/deep/two
      - {uses: actions/upload-artifact@v4, with: {name: things, path: out}}
      - {uses: actions/upload-artifact@v4, with: {name: nothing, path: none, if-no-files-found: ignore}}
  again:
    runs-on: ubuntu-latest
    retry: 2
    steps:
      - run: echo ${{ github.run_attempt }} > try
      - {uses: actions/upload-artifact@v4, with: {name: try, path: try}}
      - {uses: actions/download-artifact@v4, with: {name: try, path: back}}
      - run: test "$(cat back/try)" = 2
  take:
    needs: [make, again]
    runs-on: ubuntu-latest
    steps:
      - {uses: actions/download-artifact@v4, with: {name: things, path: here}}
      - run: test "$(cat here/one here/deep/two)" = "$(printf '1\\n2')"
      - uses: actions/download-artifact@v4
      - run: test -f things/one
      - {id: no, continue-on-error: true, uses: actions/download-artifact@v4, with: {name: other}}
      - run: test ${{ steps.no.outcome }} = failure
""",
        {},
    )

    assert ended.conclusion is Conclusion.SUCCESS, ended.log
