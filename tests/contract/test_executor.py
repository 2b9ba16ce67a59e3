"""The executor port's contract, the same for every adapter."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

import pytest

from pawl.core.model.errors import InfrastructureError, PawlError
from pawl.ports.executor import ImageRef, ProcessSpec, Sandbox, ServiceSpec
from tests.contract.conftest import REAL, Case, owner_called, until, until_ready


async def test_a_process_that_succeeds_exits_with_zero(case: Case) -> None:
    sandbox, _ = await case.open()
    exited = await (await sandbox.run(case.does.exits(0))).wait()
    assert (exited.code, exited.signal, exited.out_of_memory, exited.reason) == (0, None, False, None)


@pytest.mark.parametrize("code", [1, 2, 77, 127])
async def test_the_exit_code_is_the_processs_own(case: Case, code: int) -> None:
    sandbox, _ = await case.open()
    exited = await (await sandbox.run(case.does.exits(code))).wait()
    assert (exited.code, exited.reason) == (code, None)


async def test_standard_output_and_error_are_kept_apart_byte_for_byte(case: Case) -> None:
    sandbox, _ = await case.open()
    process = await sandbox.run(case.does.prints("out é\n$x 'q'\t", "err \\n\x1b[31m"))
    await process.wait()
    assert process.stdout.read_bytes() == "out é\n$x 'q'\t".encode()
    assert process.stderr.read_bytes() == b"err \\n\x1b[31m"


async def test_large_output_is_complete_when_wait_returns(case: Case) -> None:
    sandbox, _ = await case.open()
    line = "0123456789" * 20 + "\n"
    process = await sandbox.run(case.does.prints(line, repeat=5000))
    await process.wait()
    assert process.stdout.stat().st_size == 201 * 5000


@pytest.mark.parametrize(
    "value", ["", "plain", "two\nlines\n", 'it\'s "q" $(id) `id` \\ $HOME', "é ✓ \x7f", " = "]
)
async def test_a_variable_arrives_as_it_was_given(case: Case, value: str) -> None:
    sandbox, _ = await case.open()
    process = await sandbox.run(case.does.prints_variable("SOME_NAME", {"SOME_NAME": value}))
    assert (await process.wait()).code == 0
    assert process.stdout.read_bytes() == value.encode()


async def test_a_processs_variables_lie_over_the_sandboxs_and_none_removes_one(case: Case) -> None:
    sandbox, _ = await case.open(env={"BASE": "base", "GONE": "gone"})
    for name, expected in {"BASE": "own", "GONE": ""}.items():
        process = await sandbox.run(case.does.prints_variable(name, {"BASE": "own", "GONE": None}))
        await process.wait()
        assert process.stdout.read_text() == expected
    process = await sandbox.run(case.does.prints_variable("BASE", {}))
    await process.wait()
    assert process.stdout.read_text() == "base"


@pytest.mark.parametrize(("name", "number"), [("INT", 2), ("TERM", 15), ("KILL", 9)])
async def test_a_signal_ends_a_process_that_does_not_ignore_it(case: Case, name: str, number: int) -> None:
    sandbox, _ = await case.open()
    process = await sandbox.run(case.does.sleeps())
    await until_ready(process)
    await process.signal(name)
    exited = await asyncio.wait_for(process.wait(), 10)
    assert (exited.code, exited.signal) == (128 + number, number)


async def test_a_process_that_ignores_term_is_ended_by_kill(case: Case) -> None:
    sandbox, _ = await case.open()
    process = await sandbox.run(case.does.sleeps(ignores="INT TERM"))
    await until_ready(process)
    await process.signal("INT")
    await process.signal("TERM")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(process.wait(), 0.2)
    await process.signal("KILL")
    exited = await asyncio.wait_for(process.wait(), 10)
    assert (exited.code, exited.signal) == (137, 9)


async def test_wait_may_be_called_again_by_several_and_cancelled(case: Case) -> None:
    sandbox, _ = await case.open()
    process = await sandbox.run(case.does.sleeps())
    await until_ready(process)
    impatient = asyncio.create_task(process.wait())
    await asyncio.sleep(0)
    impatient.cancel()
    with suppress(asyncio.CancelledError):
        await impatient
    waiters = [asyncio.create_task(process.wait()) for _ in range(3)]
    await process.signal("KILL")
    ends = await asyncio.wait_for(asyncio.gather(*waiters), 10)
    assert {end.code for end in ends} == {137}
    assert (await process.wait()).code == 137


async def test_signalling_a_process_that_has_ended_does_nothing(case: Case) -> None:
    sandbox, _ = await case.open()
    process = await sandbox.run(case.does.exits(3))
    await process.wait()
    for name in ("INT", "TERM", "KILL"):
        await process.signal(name)
    assert (await process.wait()).code == 3


async def test_processes_run_at_the_same_time(case: Case) -> None:
    sandbox, _ = await case.open()
    long = await sandbox.run(case.does.sleeps())
    await until_ready(long)
    codes = [
        (await process.wait()).code
        for process in [await sandbox.run(case.does.exits(code)) for code in range(8)]
    ]
    assert codes == list(range(8))
    await long.signal("KILL")
    assert (await long.wait()).code == 137


async def test_a_missing_working_directory_is_an_exit_with_a_reason(case: Case) -> None:
    sandbox, _ = await case.open()
    exited = await (await sandbox.run(case.does.exits(0, cwd=f"{sandbox.workspace}/not/there"))).wait()
    assert exited.code != 0
    assert "not/there" in (exited.reason or "")


async def test_a_missing_program_is_an_exit_with_a_reason(case: Case) -> None:
    sandbox, _ = await case.open()
    exited = await (await sandbox.run(case.does.missing_program())).wait()
    assert exited.code == 127
    assert "no-such-program-anywhere" in (exited.reason or "")


async def test_files_are_seen_from_both_sides(case: Case) -> None:
    sandbox, spec = await case.open()
    path = spec.folder / "files" / "output"
    path.write_text("from outside\n")
    await sandbox.send([path])
    process = await sandbox.run(case.does.appends("OUTPUT_FILE", sandbox.inside(path), "from inside\n"))
    assert (await process.wait()).code == 0
    await sandbox.fetch([path])
    assert path.read_text() == "from outside\nfrom inside\n"


async def test_inside_maps_paths_of_the_folder_and_nothing_else(case: Case) -> None:
    sandbox, spec = await case.open()
    workspace = spec.folder / "workspace"
    assert sandbox.inside(workspace) == sandbox.workspace
    assert sandbox.inside(workspace / "a" / ".." / "b") == f"{sandbox.workspace}/b"
    assert sandbox.inside(spec.folder / "temp" / "x").endswith("/temp/x")
    for outside in (
        Path("/etc/passwd"),
        spec.folder.parent,
        workspace / ".." / ".." / "x",
        Path(f"{spec.folder}x/temp"),
        Path("relative"),
    ):
        with pytest.raises(ValueError, match="neither in"):
            sandbox.inside(outside)


async def test_a_bound_folder_is_the_workspace(case: Case, tmp_path: Path) -> None:
    tree = tmp_path / "own tree"
    tree.mkdir()
    sandbox, _ = await case.open(bind=tree)
    assert sandbox.inside(tree / "made") == f"{sandbox.workspace}/made"
    inside = sandbox.inside(tree / "made")
    assert (await (await sandbox.run(case.does.appends("TO", inside, "text"))).wait()).code == 0
    await sandbox.fetch([tree / "made"])
    assert (tree / "made").read_text() == "text"


async def test_programs_are_found_by_name(case: Case) -> None:
    sandbox, _ = await case.open()
    assert await sandbox.find_programs(["sh", "no-such-program-anywhere"]) == {"sh"}


async def test_home_is_inside_the_sandbox(case: Case) -> None:
    sandbox, spec = await case.open()
    assert sandbox.home == sandbox.inside(spec.folder / "home")


async def test_close_ends_processes_and_may_be_called_again(case: Case) -> None:
    sandbox, _ = await case.open()
    process = await sandbox.run(case.does.sleeps(ignores="TERM"))
    await until_ready(process)
    await sandbox.close()
    assert (await asyncio.wait_for(process.wait(), 10)).code == 137
    await sandbox.close()


async def test_a_cancelled_close_is_complete_all_the_same(case: Case) -> None:
    sandbox, _ = await case.open()
    process = await sandbox.run(case.does.sleeps())
    await until_ready(process)
    closing = asyncio.create_task(sandbox.close())
    await asyncio.sleep(0)
    closing.cancel()
    with suppress(asyncio.CancelledError):
        await closing
    assert (await asyncio.wait_for(process.wait(), 10)).code == 137


async def test_a_closed_sandbox_runs_nothing_more(case: Case) -> None:
    sandbox, _ = await case.open()
    await sandbox.close()
    with pytest.raises(InfrastructureError):
        await sandbox.run(case.does.exits(0))


async def test_everything_in_the_folder_can_be_removed_after_close(case: Case) -> None:
    sandbox, spec = await case.open()
    path = sandbox.inside(spec.folder / "temp" / "made")
    await (await sandbox.run(case.does.appends("TO", path, "x"))).wait()
    made = spec.folder / "temp" / "made"
    await sandbox.fetch([made])
    await sandbox.close()
    assert made.stat().st_uid == os.getuid()
    made.unlink()


async def test_sweep_removes_what_dead_owners_left_and_spares_the_living(case: Case) -> None:
    dead, dead_spec = await case.open(owner=owner_called("dead"))
    living, _ = await case.open(owner=owner_called("living"))
    lost = await dead.run(case.does.sleeps())
    kept = await living.run(case.does.sleeps())
    await until_ready(lost)
    await until_ready(kept)

    def is_alive(owner: str) -> bool:
        return owner != owner_called("dead")

    sweeper = case.another()
    would = await sweeper.sweep(is_alive, dry_run=True)
    assert any(dead_spec.name in line for line in would)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(lost.wait(), 0.05)
    done = await sweeper.sweep(is_alive)
    assert any(dead_spec.name in line for line in done)
    assert (await asyncio.wait_for(lost.wait(), 10)).code == 137
    assert not any(dead_spec.name in line for line in await sweeper.sweep(is_alive))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(kept.wait(), 0.05)


async def test_what_cannot_be_opened_leaves_nothing(case: Case) -> None:
    """Whatever an adapter refuses, the machine is as it was."""
    wrong = {
        "host": {"services": (ServiceSpec(name="db", image=ImageRef(name="x")),)},
        "fake": {"env": {"FAKE_OPEN_ERROR": "no room"}},
        "docker": {"image": ImageRef(name="pawl/no-such-image:test")},
    }[case.kind.partition("-")[0]]
    owner = owner_called("unlucky")
    spec = case.spec(owner=owner, **wrong)
    with pytest.raises(PawlError) as caught:
        await case.executor.open(spec, lambda _: None)
    assert str(caught.value)
    assert await case.executor.sweep(lambda other: other != owner, dry_run=True) == ()


def _size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


@pytest.mark.parametrize("case", REAL, indirect=True)
class TestRealProcesses:
    """What only an adapter with real processes can show."""

    async def _sh(self, case: Case, script: str, **changes: object) -> tuple[int, bytes, bytes]:
        sandbox, _ = await case.open(**changes)
        process = await sandbox.run(ProcessSpec(id="only", argv=["sh", "-c", script]))
        exited = await asyncio.wait_for(process.wait(), 20)
        return exited.code, process.stdout.read_bytes(), process.stderr.read_bytes()

    async def _size(self, sandbox: Sandbox, path: Path) -> int:
        await sandbox.fetch([path])
        return _size_of(path)

    async def test_binary_output_is_kept(self, case: Case) -> None:
        _, out, _ = await self._sh(case, r"printf '\000\377\001\r\n\200'; printf '\000'")
        assert out == b"\x00\xff\x01\r\n\x80\x00"

    async def test_arguments_arrive_as_they_were_given(self, case: Case) -> None:
        sandbox, _ = await case.open()
        words = ["", "a b", "it's", "$(id)", "two\nlines", "-n", "--", "é*?"]
        script = 'for x; do printf "%s|" "$x"; done'
        process = await sandbox.run(ProcessSpec(id="args", argv=["sh", "-c", script, "sh", *words]))
        await process.wait()
        assert process.stdout.read_text() == "|".join(words) + "|"

    async def test_strange_variable_names_arrive_too(self, case: Case) -> None:
        sandbox, _ = await case.open()
        env: dict[str, str | None] = {
            "with-dash": "1\n2",
            "a.b": "'",
            "INPUT_my input": '"',
            "OPTIND": "x",
            "1st": "y",
        }
        process = await sandbox.run(ProcessSpec(id="env", argv=["cat", "/proc/self/environ"], env=env))
        await process.wait()
        entries = process.stdout.read_bytes().split(b"\0")
        for name, value in env.items():
            assert f"{name}={value}".encode() in entries

    async def test_standard_input_is_empty(self, case: Case) -> None:
        assert (await self._sh(case, "cat; echo end"))[1] == b"end\n"

    async def test_the_working_directory_is_the_workspace_unless_told(self, case: Case) -> None:
        sandbox, _ = await case.open()
        process = await sandbox.run(ProcessSpec(id="pwd", argv=["pwd"]))
        await process.wait()
        assert process.stdout.read_text().strip() == sandbox.workspace

    async def test_children_die_with_their_step_even_in_sessions_of_their_own(self, case: Case) -> None:
        sandbox, spec = await case.open()
        beat = sandbox.inside(spec.folder / "temp" / "beat")
        script = f"setsid sh -c 'while :; do echo x >> {beat}; sleep 0.02; done' & echo ready; wait"
        process = await sandbox.run(ProcessSpec(id="family", argv=["sh", "-c", script]))
        await until_ready(process)

        async def size() -> int:
            return await self._size(sandbox, spec.folder / "temp" / "beat")

        await until(size, "the child beats")
        await process.signal("KILL")
        await asyncio.wait_for(process.wait(), 10)

        async def is_still() -> bool:
            before = await size()
            await asyncio.sleep(0.1)
            return await size() == before

        await until(is_still, "the child is dead")

    async def test_what_a_step_leaves_running_ends_with_the_sandbox(self, case: Case) -> None:
        sandbox, spec = await case.open()
        beat = sandbox.inside(spec.folder / "temp" / "beat")
        script = f"(setsid sh -c 'while :; do echo x >> {beat}; sleep 0.02; done' &) ; exit 0"
        process = await sandbox.run(ProcessSpec(id="daemon", argv=["sh", "-c", script]))
        assert (await asyncio.wait_for(process.wait(), 10)).code == 0
        outside = spec.folder / "temp" / "beat"
        await until(lambda: self._size(sandbox, outside), "the daemon beats")
        await sandbox.close()
        before = outside.stat().st_size
        await asyncio.sleep(0.1)
        assert outside.stat().st_size == before

    async def test_a_flood_can_be_stopped(self, case: Case) -> None:
        sandbox, _ = await case.open()
        process = await sandbox.run(ProcessSpec(id="flood", argv=["sh", "-c", "yes"]))
        await until(
            lambda: process.stdout.exists() and process.stdout.stat().st_size > 1_000_000, "a megabyte"
        )
        await process.signal("KILL")
        assert (await asyncio.wait_for(process.wait(), 10)).code == 137
