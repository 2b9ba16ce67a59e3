"""Images from a real registry: what is pulled, what is tried again, what is given up and how that is said."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pytest
from aiodocker.exceptions import DockerError

from pawl.adapters.executor_docker import DockerExecutor
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.ports.executor import Credentials, ImageRef
from tests.integration.registry import PASSWORD, USER, Faulty, Registry, image_archive, registry

pytestmark = pytest.mark.engine

SIZE = 3_000_000


@dataclass(frozen=True)
class Pushed:
    """An image that is in a registry, and on the engine no longer."""

    name: str
    digest: str
    registry: Registry

    def at(self, other: Registry) -> str:
        return self.name.replace(self.registry.address, other.address)


@dataclass
class Pulls:
    """Pulls images as a worker does; pauses take no time and are counted."""

    told: list[str] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    mends: Faulty | None = None
    mends_after: int = 0

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        if self.mends is not None and len(self.pauses) == self.mends_after:
            self.mends.broken = False

    async def pull(self, name: str, credentials: Credentials | None = None) -> str:
        self.names.append(name)
        executor = DockerExecutor(sleep=self._sleep)
        try:
            image = ImageRef(name=name, credentials=credentials)
            return (await executor.pull_image(image, self.told.append)).digest
        finally:
            await executor.aclose()


async def _push(where: Registry, credentials: dict[str, str] | None) -> Pushed:
    executor = DockerExecutor()
    try:
        await executor.probe()
    except InfrastructureError as error:
        await executor.aclose()
        if os.environ.get("CI"):
            pytest.fail(f"CI is set and no container engine answers: {error}")
        pytest.skip(f"no container engine: {error}; tools/engine/start brings one up")
    if "Podman" in await executor.probe():
        await executor.aclose()
        pytest.skip("Podman wants registries without TLS in its own settings, and so cannot push here")
    docker = executor._client()
    repository = f"{where.address}/pawl/pulled"
    try:
        container = await docker.containers.create({"Image": "pawl/busybox:test", "Labels": {"test": "push"}})
        archive = io.BytesIO(image_archive(SIZE))
        await container.put_archive("/", archive)  # type: ignore[no-untyped-call]  # the client's
        await container.commit(repository=repository, tag="1", config={})  # Podman wants a body
        await container.delete()
        said = await docker.images.push(repository, tag="1", auth=credentials)
        digest = next(line["aux"]["Digest"] for line in said if "aux" in line)
    finally:
        with suppress(DockerError):
            await docker.images.delete(f"{repository}:1", force=True)
        await executor.aclose()
    return Pushed(f"{repository}:1", digest, where)


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pushed]:
    with registry(tmp_path_factory.mktemp("registry") / "open", locked=False) as where:
        yield asyncio.run(_push(where, None))


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pushed]:
    with registry(tmp_path_factory.mktemp("registry") / "locked", locked=True) as where:
        yield asyncio.run(_push(where, {"username": USER, "password": PASSWORD}))


@pytest.fixture
async def pulls() -> AsyncIterator[Pulls]:
    made = Pulls()
    yield made
    executor = DockerExecutor()
    for name in made.names:
        with suppress(DockerError):
            await executor._client().images.delete(name, force=True)
    await executor.aclose()


@pytest.fixture
async def faulty(pushed: Pushed) -> AsyncIterator[tuple[Faulty, Registry]]:
    proxy = Faulty(pushed.registry)
    yield proxy, await proxy.start()
    await proxy.stop()


async def test_an_absent_image_is_pulled_with_its_progress(pulls: Pulls, pushed: Pushed) -> None:
    assert await pulls.pull(pushed.name) == pushed.digest
    assert pulls.told
    assert pulls.told[-1] == f"pulling {pushed.name}: 3.0 of 3.0 MB"
    assert pulls.pauses == []
    told = list(pulls.told)
    assert await pulls.pull(pushed.name) == pushed.digest
    assert pulls.told == told


async def test_an_image_is_pulled_by_its_digest(pulls: Pulls, pushed: Pushed) -> None:
    name = f"{pushed.name.removesuffix(':1')}@{pushed.digest}"
    assert await pulls.pull(name) == pushed.digest
    pulls.told.clear()
    assert await pulls.pull(name) == pushed.digest
    assert pulls.told == []


async def test_a_private_image_is_pulled_with_credentials(pulls: Pulls, locked: Pushed) -> None:
    assert await pulls.pull(locked.name, Credentials(username=USER, password=PASSWORD)) == locked.digest


@pytest.mark.parametrize("credentials", [None, Credentials(username=USER, password="guessed wrong")])
async def test_a_private_image_without_the_right_credentials_is_not_tried_again(
    pulls: Pulls, locked: Pushed, credentials: Credentials | None
) -> None:
    with pytest.raises(UsageError, match="may not be pulled") as caught:
        await pulls.pull(locked.name, credentials)
    assert locked.name in caught.value.message
    assert "credentials" in (caught.value.hint or "")
    assert "guessed wrong" not in caught.value.message
    assert (pulls.pauses, pulls.told) == ([], [])


@pytest.mark.parametrize("ending", [":no-such-tag", "-no-such-name:1", f"@sha256:{'0' * 64}"])
async def test_an_image_that_the_registry_does_not_have_is_not_tried_again(
    pulls: Pulls, pushed: Pushed, ending: str
) -> None:
    name = pushed.name.removesuffix(":1") + ending
    with pytest.raises(UsageError, match="does not exist") as caught:
        await pulls.pull(name)
    assert name in caught.value.message
    assert "check its name and tag" in (caught.value.hint or "")
    assert pulls.pauses == []


async def test_a_registry_that_fails_twice_is_asked_a_third_time(
    pulls: Pulls, pushed: Pushed, faulty: tuple[Faulty, Registry]
) -> None:
    pulls.mends, pulls.mends_after = faulty[0], 2
    name = pushed.at(faulty[1])
    assert await pulls.pull(name) == pushed.digest
    assert pulls.pauses == [2.0, 4.0]
    assert [line for line in pulls.told if "trying again in 2 s" in line]
    assert [line for line in pulls.told if "503" in line]


async def test_a_registry_that_goes_on_failing_is_given_up_with_a_mend(
    pulls: Pulls, pushed: Pushed, faulty: tuple[Faulty, Registry]
) -> None:
    with pytest.raises(InfrastructureError, match="after 4 tries") as caught:
        await pulls.pull(pushed.at(faulty[1]))
    assert pulls.pauses == [2.0, 4.0, 8.0]
    assert faulty[0].refused >= 4
    assert "503" in caught.value.message
    assert "try again later" in (caught.value.hint or "")


async def test_a_registry_that_cannot_be_reached_is_told_with_a_mend(pulls: Pulls, pushed: Pushed) -> None:
    nowhere = replace(pushed.registry, port=9)
    with pytest.raises(InfrastructureError, match="cannot be reached") as caught:
        await pulls.pull(pushed.at(nowhere))
    assert nowhere.address in caught.value.message
    assert "docker load" in (caught.value.hint or "")
    assert all(text.count(pushed.at(nowhere)) <= 1 for text in [caught.value.message, *pulls.told])
    assert pulls.pauses == [2.0, 4.0, 8.0]
