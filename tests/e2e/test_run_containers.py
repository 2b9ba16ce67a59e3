"""Whole runs in containers: the image of a label, job containers, services, container actions."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pawl.adapters.executor_docker import DockerExecutor
from pawl.core.model.errors import InfrastructureError
from pawl.core.model.run_events import JobProgress
from pawl.core.model.status import Conclusion, FailureClass
from pawl.testing.builders import make_plan
from pawl.testing.scenarios import Finished, Scenario

pytestmark = pytest.mark.engine
IMAGE = "pawl/busybox:test"
HEAD = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n"


@pytest.fixture
async def executor() -> AsyncIterator[DockerExecutor]:
    found = DockerExecutor()
    try:
        await found.probe()
    except InfrastructureError as error:
        await found.aclose()
        if os.environ.get("CI"):
            pytest.fail(f"CI is set and no container engine answers: {error}")
        pytest.skip(f"no container engine: {error}; tools/engine/start brings one up")
    yield found
    await found.aclose()


@pytest.fixture
def scenario(executor: DockerExecutor, tmp_path: Path) -> Scenario:
    return Scenario(executor=executor, root=tmp_path, owner="e2e", files={"hello.txt": "hi"})


async def run(scenario: Scenario, text: str, **request: object) -> Finished:
    ended = await scenario.run(make_plan(HEAD + text), **request)
    if not request.get("keep_on_failure"):
        assert await scenario.executor.sweep(lambda owner: owner != "e2e", dry_run=True) == ()
        assert ended.left_behind == []
    return ended


async def test_steps_share_the_workspace_and_hand_values_on(scenario: Scenario) -> None:
    ended = await run(
        scenario,
        """
    steps:
      - uses: actions/checkout@v4
      - id: one
        run: |
          cat hello.txt > copy; echo "v=$(cat copy)" >> "$GITHUB_OUTPUT"; echo "$PWD/bin" >> "$GITHUB_PATH"
      - run: test "${{ steps.one.outputs.v }}" = hi && test "$GITHUB_WORKSPACE" = "$PWD"
      - run: case "$PATH" in "$PWD/bin:"*) ;; *) exit 1;; esac; test -r "$GITHUB_EVENT_PATH"
      - run: touch made-by-root && chmod 000 made-by-root
""",
    )

    assert ended.conclusion is Conclusion.SUCCESS, ended.log
    assert "sha256:" in ended.told.log("a", 0)


async def test_a_job_container_and_its_services(scenario: Scenario) -> None:
    ended = await run(
        scenario,
        f"""
    container:
      image: {IMAGE}
      env: {{COLOUR: green}}
      volumes: [cache:/var/cache/job]
      options: --hostname box --memory 256m
    services:
      web:
        image: {IMAGE}
        command: httpd -f -p 8080 -h /bin
        env: {{NAME: web}}
        ports: [8080]
        options: --health-cmd "test -d /" --health-interval 1s
      off:
        image: ${{{{ github.event_name == 'never' && 'x' || '' }}}}
    steps:
      - run: test "$COLOUR-$(hostname)" = green-box && touch /var/cache/job/x
      - run: test "$(wget -qO- http://web:8080/sh | head -c 4 | tail -c 3)" = ELF
      - run: test -n "${{{{ job.container.id }}}}" && test -n "${{{{ job.services.web.ports['8080'] }}}}"
""",
    )

    assert ended.conclusion is Conclusion.SUCCESS, ended.log
    assert any("web" in event.message for event in ended.told.of(JobProgress))


async def test_a_user_who_is_not_root_can_work_in_what_was_checked_out(scenario: Scenario) -> None:
    scenario.files = {"src/a.txt": "a", "run.sh": "#!/bin/sh\necho ran\n"}

    ended = await run(
        scenario,
        f"""
    container: {{image: {IMAGE}, options: --user 4321}}
    steps:
      - uses: actions/checkout@v4
      - run: test "$(id -u)" = 4321 && echo b >> src/a.txt && echo c > src/c.txt && ./run.sh
      - run: touch "$HOME/x"
      - run: echo "v=1" >> "$GITHUB_OUTPUT" && echo "A=1" >> "$GITHUB_ENV" && touch "$RUNNER_TEMP/y"
      - run: test "$A" = 1
""",
    )

    assert ended.conclusion is Conclusion.SUCCESS, ended.log


async def test_container_actions_work_beside_the_job(scenario: Scenario) -> None:
    scenario.files = {
        "say/action.yml": f"""
name: say
description: says
inputs: {{word: {{description: w, default: none}}}}
runs:
  using: docker
  image: docker://{IMAGE}
  entrypoint: /bin/sh
  args: [-c, 'echo "said=$0" >> "$GITHUB_OUTPUT"', "${{{{ inputs.word }}}}"]
"""
    }

    ended = await run(
        scenario,
        f"""
    steps:
      - uses: actions/checkout@v4
      - id: direct
        uses: docker://{IMAGE}
        with: {{args: sh -c "echo i=$INPUT_FOO > from-action", foo: bar}}
      - {{id: local, uses: ./say, with: {{word: two words}}}}
      - run: test "$(cat from-action)/${{{{ steps.local.outputs.said }}}}" = "i=bar/two words"
""",
    )

    assert ended.conclusion is Conclusion.SUCCESS, ended.log


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("    container: {image: IMAGE, options: --privileged}\n", "--privileged"),
        ("    container: {image: IMAGE, volumes: ['/etc:/x']}\n", "folder of the machine"),
        ("    services: {bad: {image: IMAGE, command: 'false', options: --health-cmd x}}\n", "service bad"),
        ("    container: {image: IMAGE, ports: ['${{ github.ref }}']}\n", "is no port"),
    ],
)
async def test_a_machine_that_cannot_be_had_says_why(scenario: Scenario, text: str, reason: str) -> None:
    ended = await run(scenario, text.replace("IMAGE", IMAGE) + "    steps: [{run: echo}]\n")

    assert ended.told.job("a").failure_class is FailureClass.USER
    assert reason in ended.told.job("a").reason


async def test_too_much_memory_is_named(scenario: Scenario) -> None:
    ended = await run(
        scenario,
        f"    container: {{image: {IMAGE}, options: --memory 32m}}\n"
        "    steps: [{run: head -c 200000000 /dev/zero | tail > /dev/null}]\n",
    )

    assert "out of memory" in ended.told.job("a").reason


async def test_the_container_of_a_failed_job_can_be_kept(scenario: Scenario) -> None:
    ended = await run(scenario, "    steps: [{run: exit 1}]\n", keep_on_failure=True)
    try:
        assert ended.told.job("a").kept_sandbox is not None
        assert len(ended.left_behind) == 1
    finally:
        swept = await scenario.executor.sweep(lambda owner: owner != "e2e")
    assert swept
