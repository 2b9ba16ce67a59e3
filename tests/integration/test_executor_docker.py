"""What only real containers can show."""

from __future__ import annotations

import asyncio
import concurrent.futures.thread  # noqa: F401 - asyncio imports it late, when a child may not read Python's folder
import contextlib
import itertools
import os
import traceback
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pawl.adapters.executor_docker import DockerExecutor, attach_shell
from pawl.adapters.executor_docker.answering import shell_answers
from pawl.adapters.executor_docker.control import ControlFolder
from pawl.adapters.executor_docker.copied import CopiedSandbox
from pawl.adapters.executor_docker.hardening import CAPABILITIES
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.ports.executor import (
    ContainerOptions,
    Exit,
    ImageRef,
    Limits,
    PortMapping,
    ProcessSpec,
    Sandbox,
    SandboxSpec,
    ServiceSpec,
    Volume,
)

pytestmark = pytest.mark.engine

IMAGE = ImageRef(name="pawl/busybox:test")
BASH_FETCH = "bash -c 'exec 3<>/dev/tcp/localhost/{}; printf \"GET / HTTP/1.0\\r\\n\\r\\n\" >&3; cat <&3'"
_numbers = itertools.count()
OWNER = f"pawl1/test-integration-{os.getpid()}/x/x/1/1"
"""A token of another machine: no other test's sweep takes its sandboxes for orphans."""
ANOTHER = f"pawl1/test-another-{os.getpid()}/x/x/1/1"


class Jobs:
    """Opens sandboxes in one test's folder and closes them after it."""

    def __init__(self, executor: DockerExecutor, root: Path) -> None:
        self.executor = executor
        self.root = root
        self.told: list[str] = []
        self._opened: list[Sandbox] = []

    def spec(self, **changes: object) -> SandboxSpec:
        name = f"integration-{os.getpid()}-{next(_numbers)}"
        for sub in ("temp", "files", "actions", "workspace"):
            (self.root / name / sub).mkdir(parents=True)
        values: dict[str, object] = {
            "name": name,
            "owner": OWNER,
            "folder": self.root / name,
            "image": IMAGE,
        }
        return SandboxSpec(**{**values, **changes})  # type: ignore[arg-type]  # test data

    async def open(self, **changes: object) -> Sandbox:
        self._opened.append(await self.executor.open(self.spec(**changes), self.told.append))
        return self._opened[-1]

    async def close(self) -> None:
        for sandbox in self._opened:
            await sandbox.close()

    async def leftovers(self) -> tuple[str, ...]:
        return await self.executor.sweep(lambda owner: owner != OWNER, dry_run=True)

    async def inspect(self, sandbox: Sandbox) -> dict[str, object]:
        shown = await self.executor._client().containers.get(sandbox.identity["id"])
        return shown._container


@pytest.fixture
async def jobs(tmp_path: Path) -> AsyncIterator[Jobs]:
    executor = DockerExecutor()
    try:
        await executor.probe()
    except InfrastructureError as error:
        await executor.aclose()
        if os.environ.get("CI"):
            pytest.fail(f"CI is set and no container engine answers: {error}")
        pytest.skip(f"no container engine: {error}; tools/engine/start brings one up")
    made = Jobs(executor, tmp_path)
    yield made
    await made.close()
    left = await made.leftovers()
    await executor.aclose()
    assert left == ()


async def sh(sandbox: Sandbox, script: str, **more: object) -> tuple[Exit, str, str]:
    spec = ProcessSpec(id=f"p{next(_numbers)}", argv=["sh", "-c", script], **more)  # type: ignore[arg-type]  # test data
    process = await sandbox.run(spec)
    ended = await asyncio.wait_for(process.wait(), 60)
    return ended, process.stdout.read_text(), process.stderr.read_text()


async def test_every_container_is_hardened(jobs: Jobs) -> None:
    service = ServiceSpec(name="db", image=IMAGE, command="sleep 60")
    sandbox = await jobs.open(
        services=(service,), options=ContainerOptions(limits=Limits(memory=64 << 20, cpus=0.5))
    )
    job = await jobs.inspect(sandbox)
    containers = [
        job,
        (await jobs.executor._client().containers.get(f"{job['Name']}-db".lstrip("/")))._container,
    ]
    for one in containers:
        host = one["HostConfig"]
        assert isinstance(host, dict)
        assert host["CapDrop"] == ["ALL"]
        assert set(host["CapAdd"]) == set(CAPABILITIES)
        assert host["SecurityOpt"] == ["no-new-privileges"]
        assert host["PidsLimit"] == 1024
        assert host["OomScoreAdj"] > 0
        assert host["Init"] is True
        assert host["Memory"] == host["MemorySwap"] > 0
        assert {limit["Name"]: limit["Hard"] for limit in host["Ulimits"]}["core"] == 0
        assert host["IpcMode"] == "private"
        assert host["CgroupnsMode"] == "private"
        for loose in ("Privileged", "PublishAllPorts"):
            assert host[loose] is False
        for none in ("Binds", "Devices", "VolumesFrom", "Links", "GroupAdd", "DeviceRequests", "Sysctls"):
            assert not host.get(none), none
        for own in ("PidMode", "UTSMode", "UsernsMode", "CgroupParent", "Runtime"):
            assert host.get(own) in ("", "runc", None), own
        assert host["NetworkMode"] == sandbox.identity["network"]
        assert not any("docker.sock" in mount["Source"] for mount in host.get("Mounts") or ())
        labels = one["Config"]["Labels"]
        assert labels["pawl.owner"] == OWNER
    host = job["HostConfig"]
    assert isinstance(host, dict)
    assert (host["Memory"], host["NanoCpus"]) == (64 << 20, 500_000_000)
    assert host["LogConfig"]["Type"] == "none"
    assert {mount["Target"].rpartition("/")[0] for mount in host["Mounts"]} == {"/pawl"}


async def test_a_process_has_no_more_rights_than_listed(jobs: Jobs) -> None:
    sandbox = await jobs.open()
    _, said, _ = await sh(
        sandbox, "grep -E 'CapBnd|NoNewPrivs' /proc/self/status; mount -t tmpfs x /mnt 2>&1 | head -1"
    )
    assert "NoNewPrivs:\t1" in said
    bounding = int(said.split("CapBnd:")[1].split()[0], 16)
    # CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, KILL 5, SETGID 6, SETUID 7 (linux/capability.h)
    assert bounding == sum(1 << bit for bit in (0, 1, 3, 5, 6, 7))


async def test_environment_is_not_in_what_the_engine_stores(jobs: Jobs) -> None:
    sandbox = await jobs.open(env={"TOKEN": "open sesame"})
    _, said, _ = await sh(sandbox, "echo $TOKEN", env={"STEP": "tell nobody"})
    assert said == "open sesame\n"
    assert "sesame" not in repr(await jobs.inspect(sandbox))
    control = next(jobs.root.glob("*/control"))
    assert not [path.name for path in control.glob("*.run")]


async def test_running_out_of_memory_is_told(jobs: Jobs) -> None:
    sandbox = await jobs.open(options=ContainerOptions(limits=Limits(memory=32 << 20)))
    ended, _, _ = await sh(sandbox, "x=0123456789; while :; do x=$x$x; done")
    assert ended.out_of_memory
    assert ended.code != 0
    calm, said, _ = await sh(sandbox, "echo still here")
    assert (calm.out_of_memory, said) == (False, "still here\n")


async def test_a_fork_bomb_meets_the_limit_and_can_be_killed(jobs: Jobs) -> None:
    sandbox = await jobs.open(options=ContainerOptions(limits=Limits(pids=128)))
    process = await sandbox.run(ProcessSpec(id="bomb", argv=["sh", "-c", "f() { f | f & }; f; sleep 60"]))
    await asyncio.sleep(0.5)
    await process.signal("KILL")
    assert (await asyncio.wait_for(process.wait(), 20)).code != 0
    await asyncio.wait_for(sandbox.close(), 20)


async def test_a_step_that_kills_the_resident_shell_loses_the_job(jobs: Jobs) -> None:
    sandbox = await jobs.open()
    # The parent of a step is a shell that waits for it; that one's parent is the resident shell.
    ended, _, _ = await sh(sandbox, "kill -9 $(cut -d' ' -f4 /proc/$PPID/stat); sleep 60")
    assert ended.code == 137
    assert "container ended" in (ended.reason or "")
    with pytest.raises(InfrastructureError, match="container ended"):
        await sandbox.run(ProcessSpec(id="after", argv=["true"]))


async def test_a_step_that_kills_its_parent_ends_with_a_reason(jobs: Jobs) -> None:
    sandbox = await jobs.open()
    ended, _, _ = await asyncio.wait_for(sh(sandbox, "kill -9 $PPID; sleep 60"), 20)
    assert ended.code == 137
    assert "killed its parent" in (ended.reason or "")
    calm, said, _ = await sh(sandbox, "echo still here")
    assert (calm.code, said) == (0, "still here\n")


async def test_a_removed_container_is_an_end_with_a_reason(jobs: Jobs) -> None:
    sandbox = await jobs.open()
    process = await sandbox.run(ProcessSpec(id="long", argv=["sleep", "60"]))
    await jobs.executor._client().containers.container(sandbox.identity["id"]).delete(force=True)
    ended = await asyncio.wait_for(process.wait(), 20)
    assert ended.code == 137
    assert ended.reason


async def test_a_job_that_spoils_the_control_folder_harms_only_itself(jobs: Jobs) -> None:
    """Links, FIFOs, folders and junk in place of the files; the worker neither follows nor blocks."""
    sandbox = await jobs.open()
    script = """
    cd /pawl/control
    ln -s /etc/passwd next.out; mkdir next.err; mkfifo next.exit; ln -s /etc/shadow other.exit
    yes junk | head -c 200000 > replies & echo nonsense > requests; echo 'run ../../etc' > requests
    """
    ended, _, _ = await sh(sandbox, script)
    assert ended.code == 0
    with pytest.raises(InfrastructureError):
        await asyncio.wait_for(sandbox.run(ProcessSpec(id="next", argv=["true"])), 10)
    other = await sandbox.run(ProcessSpec(id="other", argv=["sleep", "30"]))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(other.wait(), 0.3)
    ended, said, _ = await sh(sandbox, "echo fine")
    assert (ended.code, said) == (0, "fine\n")
    await asyncio.wait_for(sandbox.close(), 20)


async def test_folders_of_the_job_cannot_be_swapped_for_links(jobs: Jobs) -> None:
    sandbox = await jobs.open()
    for name in ("files", "temp", "control", "workspace"):
        ended, _, said = await sh(sandbox, f"mv /pawl/{name} /pawl/away", cwd="/")
        assert ended.code != 0, name
        assert "busy" in said.lower() or "rename" in said.lower() or "device" in said.lower(), said


async def test_services_are_reached_by_name_in_a_job_container(jobs: Jobs) -> None:
    serve = "echo hello > /tmp/i; nc -ll -p 8000 -e cat /tmp/i"
    service = ServiceSpec(
        name="web",
        image=IMAGE,
        command=serve,
        env={"A": "b"},
        ports=(PortMapping(container=8000),),
        options=ContainerOptions(
            network_aliases=("also-web",), health_cmd="test -f /tmp/i", health_interval=0.1, health_retries=50
        ),
    )
    sandbox = await jobs.open(services=(service,), job_container=True)
    assert "waiting for service web to be healthy" in jobs.told
    for name in ("web", "also-web"):
        ended, said, _ = await sh(sandbox, f"nc -w 3 {name} 8000 </dev/null")
        assert (ended.code, said) == (0, "hello\n"), name
    port = sandbox.service_ports["web"]["8000"]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await asyncio.wait_for(reader.read(), 10) == b"hello\n"
    writer.close()
    await writer.wait_closed()


async def test_services_are_reached_at_localhost_where_the_job_stands_for_a_machine(jobs: Jobs) -> None:
    service = ServiceSpec(
        name="web",
        image=IMAGE,
        command="echo hello > /tmp/i; nc -ll -p 8000 -e cat /tmp/i",
        ports=(PortMapping(container=8000, host=8000),),
        options=ContainerOptions(health_cmd="test -f /tmp/i", health_interval=0.1, health_retries=50),
    )
    sandbox = await jobs.open(services=(service,))
    assert sandbox.service_ports == {"web": {"8000": 8000}}
    for name in ("localhost", "web"):
        ended, said, _ = await sh(sandbox, f"nc -w 3 {name} 8000 </dev/null")
        assert (ended.code, said) == (0, "hello\n"), name


@pytest.mark.parametrize(
    ("command", "options", "expected"),
    [
        ("echo cannot open the database >&2; exit 3", ContainerOptions(), "cannot open the database"),
        (
            "echo started; sleep 60",
            ContainerOptions(health_cmd="echo no answer; false", health_interval=0.1, health_retries=2),
            "no answer",
        ),
    ],
)
async def test_a_failing_service_says_its_last_lines_and_leaves_nothing(
    jobs: Jobs, command: str, options: ContainerOptions, expected: str
) -> None:
    if options.health_cmd is None:
        # Without a check a service is ready as soon as it runs, which this one does for a moment.
        options = ContainerOptions(health_cmd="true", health_interval=5)
    service = ServiceSpec(name="db", image=IMAGE, command=command, options=options)
    with pytest.raises(UsageError, match="service db") as caught:
        await jobs.open(services=(service,))
    assert expected in caught.value.message
    assert await jobs.leftovers() == ()


async def test_a_service_that_dies_during_the_job_is_told_when_that_ends(jobs: Jobs) -> None:
    services = (
        ServiceSpec(name="web", image=IMAGE, command="echo up; sleep 60"),
        ServiceSpec(name="frail", image=IMAGE, command="sleep 0.5; echo no room >&2; exit 4"),
    )
    sandbox = await jobs.open(services=services)
    state: dict[str, object] = {"Running": True}
    while state["Running"]:
        shown = await jobs.executor._client().containers.get(f"{sandbox.identity['network']}-frail")
        state = shown["State"]
    (text,) = await sandbox.close()
    assert "service frail (pawl/busybox:test) ended with code 4 before the job did" in text
    assert text.endswith("no room")


@pytest.mark.parametrize("image", [IMAGE, ImageRef(name="pawl/debian:test")], ids=["nc", "perl"])
async def test_ports_that_are_moved_or_wanted_twice_are_at_localhost_all_the_same(
    jobs: Jobs, image: ImageRef
) -> None:
    """As on GitHub, where each service's port is published on the machine that the job stands for."""
    page = "echo {name} > /tmp/index.html; httpd -f -p 8080 -h /tmp"
    services = tuple(
        ServiceSpec(
            name=name,
            image=IMAGE,
            command=page.format(name=name),
            ports=(PortMapping(container=8080, host=host),),
            options=ContainerOptions(health_cmd="wget -qO- http://localhost:8080/", health_interval=0.1),
        )
        for name, host in (("one", 9000), ("two", None), ("three", None))
    )
    sandbox = await jobs.open(services=services, image=image)
    ports = {name: found["8080"] for name, found in sandbox.service_ports.items()}
    assert (ports["one"], ports["two"]) == (9000, 8080)
    fetch = "wget -qO- http://localhost:{}/" if image is IMAGE else BASH_FETCH
    for name, port in ports.items():
        how, said, _ = await sh(sandbox, fetch.format(port))
        assert (how.code, said.split()[-1:]) == (0, [name])
    assert jobs.told == [line for line in jobs.told if "services:" not in line]


async def test_services_that_cannot_be_at_localhost_are_told_of(jobs: Jobs) -> None:
    ports = (PortMapping(container=8000, host=9000),)
    services = tuple(
        ServiceSpec(name=name, image=IMAGE, command="sleep 60", ports=ports) for name in ("one", "two")
    )
    await jobs.open(services=services)
    assert [line for line in jobs.told if "one and two both want localhost:9000" in line]


async def test_named_volumes_live_as_long_as_the_job(jobs: Jobs) -> None:
    sandbox = await jobs.open(volumes=(Volume(name="cache", target="/var/cache/x"),))
    _, said, _ = await sh(sandbox, "echo 1 > /var/cache/x/f && mount | grep -c /var/cache/x")
    assert said == "1\n"
    await sandbox.close()
    assert await jobs.leftovers() == ()


@pytest.mark.parametrize("target", ["/", "/proc/x", "/pawl/control", "relative", "/a/../pawl", "/dev"])
async def test_reserved_mount_targets_are_refused(jobs: Jobs, target: str) -> None:
    with pytest.raises(UsageError, match="mounted"):
        await jobs.open(volumes=(Volume(name="v", target=target),))


async def test_an_ordinary_user_in_the_image_can_work(jobs: Jobs) -> None:
    spec = jobs.spec(options=ContainerOptions(user="65534:65534"))
    (spec.folder / "workspace" / "sub").mkdir()
    (spec.folder / "workspace" / "sub" / "file").write_text("old")
    sandbox = await jobs.executor.open(spec, jobs.told.append)
    ended, said, error = await sh(sandbox, "id -u; cd sub && echo new > file && echo x > $HOME/y && mkdir z")
    await sandbox.close()
    assert (ended.code, said) == (0, "65534\n"), error


async def test_without_a_network_there_is_only_the_loopback(jobs: Jobs) -> None:
    sandbox = await jobs.open(network="none")
    _, said, _ = await sh(sandbox, "ls /sys/class/net")
    assert said == "lo\n"


async def test_an_action_runs_in_its_own_container_with_the_jobs_folders(jobs: Jobs) -> None:
    sandbox = await jobs.open()
    await sh(sandbox, "echo from the job > made; hostname")
    action = ProcessSpec(
        id="action",
        argv=["-c", 'cat made; echo "$INPUT_X" >&2; echo o=1 >> /pawl/files/out; exit 4'],
        env={"INPUT_X": "two\nlines"},
        image=IMAGE,
        entrypoint="/bin/sh",
    )
    process = await sandbox.run(action)
    ended = await asyncio.wait_for(process.wait(), 30)
    assert ended.code == 4
    assert process.stdout.read_text() == "from the job\n"
    assert process.stderr.read_text() == "two\nlines\n"
    assert next(jobs.root.glob("*/files/out")).read_text() == "o=1\n"


async def test_an_action_can_be_killed(jobs: Jobs) -> None:
    sandbox = await jobs.open()
    action = ProcessSpec(
        id="action", argv=["-c", "trap '' TERM; echo ready; sleep 60"], image=IMAGE, entrypoint="/bin/sh"
    )
    process = await sandbox.run(action)
    await process.signal("KILL")
    assert (await asyncio.wait_for(process.wait(), 20)).code == 137


async def test_a_local_image_is_not_pulled(jobs: Jobs) -> None:
    facts = await jobs.executor.pull_image(IMAGE, jobs.told.append)
    assert facts.digest.startswith("sha256:")
    assert jobs.told == []


async def test_an_image_without_a_shell_is_told(jobs: Jobs) -> None:
    docker = jobs.executor._client()
    container = await docker.containers.create({"Image": IMAGE.name, "Cmd": ["rm", "-f", "/bin/sh"]})
    await container.start()
    await container.wait()
    await container.commit(repository="pawl/shell-less", tag="test", config={})
    await container.delete(force=True)
    try:
        with pytest.raises(UsageError, match="no /bin/sh"):
            await jobs.open(image=ImageRef(name="pawl/shell-less:test"))
        assert await jobs.leftovers() == ()
    finally:
        await docker.images.delete("pawl/shell-less:test", force=True)


async def test_a_cancelled_open_leaves_nothing(jobs: Jobs) -> None:
    service = ServiceSpec(
        name="slow",
        image=IMAGE,
        command="sleep 60",
        options=ContainerOptions(health_cmd="false", health_interval=60),
    )
    opening = asyncio.create_task(jobs.open(services=(service,)))
    while "waiting for service slow to be healthy" not in jobs.told:  # noqa: ASYNC110 - told by a callback
        await asyncio.sleep(0.01)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert await jobs.leftovers() == ()


async def test_an_open_that_is_cancelled_at_any_moment_leaves_nothing(jobs: Jobs) -> None:
    """The engine goes on with a call that nobody waits for; what it makes must not be overlooked."""
    services = (ServiceSpec(name="web", image=IMAGE, command="sleep 60"),)
    for moment in (0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.2, 0.3, 0.45):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(moment):
                await jobs.open(services=services)
    await jobs.close()
    await asyncio.sleep(1)  # what would come late comes within this
    assert await jobs.leftovers() == ()


async def test_a_shell_that_is_slow_to_answer_is_waited_for_where_folders_are_shared(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    wait_ready = ControlFolder.wait_ready

    async def not_at_first(control: ControlFolder, seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) > 1 and await wait_ready(control, seconds)

    monkeypatch.setattr(ControlFolder, "wait_ready", not_at_first)
    sandbox = await jobs.open()
    assert len(waits) == 2
    assert not isinstance(sandbox, CopiedSandbox)
    assert jobs.told == []


async def test_a_shell_that_never_answers_is_told_apart_from_one_that_cannot(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = await jobs.open()
    container = jobs.executor._client().containers.container(sandbox.identity["id"])

    async def never(_control: ControlFolder, _seconds: float) -> bool:
        return False

    monkeypatch.setattr(ControlFolder, "wait_ready", never)
    silent = ControlFolder(tmp_path / "silent")
    with pytest.raises(InfrastructureError, match="did not answer within 65 s"):
        await shell_answers(container, silent)
    await sh(sandbox, "rm /pawl/control/replies")  # as where another machine's folder is mounted
    assert not await shell_answers(container, silent)
    silent.close()


async def test_a_closed_jobs_network_is_gone_when_the_executor_lets_go(jobs: Jobs) -> None:
    executor = DockerExecutor()
    sandbox = await executor.open(jobs.spec(), jobs.told.append)
    network = sandbox.identity["network"]
    await sandbox.close()
    await executor.aclose()
    assert network not in [one["Name"] for one in await jobs.executor._client().networks.list()]


async def test_an_unreachable_engine_is_told_with_a_mend() -> None:
    executor = DockerExecutor("unix:///nonexistent/docker.sock")
    with pytest.raises(InfrastructureError) as caught:
        await executor.probe()
    assert "/nonexistent/docker.sock" in str(caught.value)
    assert "DOCKER_HOST" in (caught.value.hint or "")
    await executor.aclose()


async def test_a_kept_container_takes_a_shell_until_it_is_swept(jobs: Jobs) -> None:
    spec = jobs.spec()
    sandbox = await jobs.executor.open(spec, jobs.told.append)
    running = await sandbox.run(ProcessSpec(id="long", argv=["sleep", "60"]))
    await sandbox.close(keep=True)
    assert (await running.wait()).code == 137
    assert any(spec.name in line for line in await jobs.leftovers())
    source, keys = os.pipe()
    screen, target = os.pipe()
    os.write(keys, b"echo in $PWD; cat /proc/1/comm; exit 5\n")
    os.close(keys)
    code = await asyncio.wait_for(attach_shell(spec.name, stdin=source, stdout=target), 30)
    said = os.read(screen, 65536).decode()
    for handle in (source, screen, target):
        os.close(handle)
    assert (code, said.splitlines()[0]) == (5, "in /pawl/workspace")
    await jobs.executor.sweep(lambda owner: owner != spec.owner)
    with pytest.raises(UsageError, match="no container"):
        await attach_shell(spec.name)


async def _work_as_another(root: Path, tree: Path | None, user: str | None, how: str) -> int:
    executor = DockerExecutor()
    jobs = Jobs(executor, root)
    sandbox = await jobs.open(bind=tree, options=ContainerOptions(user=user), owner=ANOTHER)
    script = "mkdir -p d/e && echo x > d/e/f && echo y > /pawl/temp/g && chmod 700 d/e"
    ended, _, said = await sh(sandbox, script)
    if how == "killed":
        await sh(sandbox, "kill -9 $(cut -d' ' -f4 /proc/$PPID/stat); sleep 60")
    if how == "swept":
        await executor.sweep(lambda owner: owner != ANOTHER)
    await jobs.close()
    await executor.aclose()
    os.write(2, said.encode())
    return ended.code


@pytest.mark.skipif(
    os.getuid() != 0, reason="another user can only be become by root; others show it themselves"
)
@pytest.mark.parametrize("bound", [False, True])
@pytest.mark.parametrize("user", [None, "0:0"])
@pytest.mark.parametrize("how", ["closed", "killed", "swept"])
def test_nothing_of_roots_is_left_for_an_ordinary_user(
    tmp_path: Path, bound: bool, user: str | None, how: str
) -> None:
    """In a process of its own that has become that user, with the engine's group."""
    address = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
    if not Path(address).is_socket():
        assert not os.environ.get("CI"), f"CI is set and {address} is no socket of an engine"
        pytest.skip("no container engine on a Unix socket; tools/engine/start brings one up")
    ordinary, group = 4242, Path(address).stat().st_gid
    root, tree = tmp_path / "root", tmp_path / "tree"
    for folder in (root, tree):
        folder.mkdir()
        os.chown(folder, ordinary, ordinary)
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        parent.chmod(parent.stat().st_mode | 0o111)
    child = os.fork()
    if child == 0:
        code = 99
        try:
            os.setgroups([group])
            os.setgid(ordinary)
            os.setuid(ordinary)
            code = asyncio.run(_work_as_another(root, tree if bound else None, user, how))
        except BaseException:  # noqa: BLE001 - said here, or nobody would ever know
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    for folder in (root, tree):
        assert {path.lstat().st_uid for path in folder.rglob("*")} <= {ordinary}, folder
    made = tree if bound else next(root.glob("*/workspace"))
    assert (made / "d" / "e" / "f").read_text() == "x\n"
