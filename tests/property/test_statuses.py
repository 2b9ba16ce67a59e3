"""However runs change, posts fail and servers die, a forge ends with the last state of each commit."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pawl.adapters.store_sql.inline_store import InlineStore
from pawl.core.model.errors import TransientError
from pawl.core.model.forge import CommitState
from pawl.core.model.ids import RunId
from pawl.engine.reporting.lines import Line
from pawl.engine.reporting.reporter import Place, set_status
from pawl.ports.outgoing import Outgoing
from tests.integration.telling import NAME, Telling, make_telling
from tests.integration.world import SHA

CONTEXTS = ("one", "two")
STEPS = st.one_of(
    st.tuples(st.just("change"), st.sampled_from(CONTEXTS)),
    st.tuples(st.just("claim"), st.integers(0, 1)),
    st.tuples(st.sampled_from(["arrive", "answer", "lose"]), st.integers(0, 5)),
    st.tuples(st.just("kill"), st.integers(0, 1)),
    st.tuples(st.just("wait"), st.sampled_from([1.0, 10.0, 41.0])),
)


@dataclass
class Post:
    """A post that is on its way: it arrives, or is lost, and is answered after that."""

    server: int
    begun: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    ended: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


@dataclass
class Play:
    """Two servers on one store, and what they are sending."""

    servers: list[Telling]
    posts: list[Post] = field(default_factory=list)
    count: int = 0
    at: int = 0

    def __post_init__(self) -> None:
        self.servers[0].outside.before = self._before
        self.servers[0].outside.after = self._after

    async def _before(self, _: Outgoing) -> None:
        post = Post(self.at)
        self.posts.append(post)
        self._mine()[asyncio.current_task()] = post
        if not await post.begun:
            raise TransientError("lost")

    async def _after(self, _: Outgoing) -> None:
        await self._mine()[asyncio.current_task()].ended

    def _mine(self) -> dict[Any, Post]:
        held: dict[Any, Post] = self.__dict__.setdefault("_by_task", {})
        return held

    async def step(self, what: str, which: Any) -> None:
        match what:
            case "change":
                await self.change(which)
            case "claim":
                self.at = which
                await self.servers[which].statuses.crew.round()
            case "arrive" | "lose" if self.posts:
                post = self.posts[which % len(self.posts)]
                if not post.begun.done():
                    post.begun.set_result(what == "arrive")
            case "answer" if self.posts:
                post = self.posts[which % len(self.posts)]
                if not post.ended.done():
                    post.ended.set_result(None)
            case "kill":
                await self.servers[which].statuses.crew.aclose()
            case "wait":
                self.servers[0].clock.advance(which)
        for _ in range(8):
            await asyncio.sleep(0)

    async def change(self, context: str) -> None:
        self.count += 1
        line = Line(state=CommitState.RUNNING, description=f"{context} {self.count}")
        place, now = Place(project=NAME, sha=SHA, run=RunId(1)), self.servers[0].clock.now()
        await self.servers[0].store.write(lambda tx: set_status(tx, place, context, line, now, begins=True))

    async def settle(self) -> None:
        """Let all that is on its way arrive, and send what is left."""
        world = self.servers[0].outside
        world.before = world.after = None
        for post in self.posts:
            for future in (post.begun, post.ended):
                if not future.done():
                    future.set_result(True)
        for _ in range(60):
            for server in self.servers:
                await server.statuses.work()
            self.servers[0].clock.advance(100.0)


async def play(steps: list[tuple[str, Any]]) -> None:
    store = InlineStore(":memory:")
    try:
        first = make_telling(store)
        await first.project()
        played = Play([first, first.another()])
        for what, which in steps:
            await played.step(what, which)
        await played.settle()
        for context in CONTEXTS:
            status = await first.store.read(lambda tx, context=context: tx.statuses.get(NAME, SHA, context))  # type: ignore[misc]  # a default binds the loop's value
            if status is not None:
                assert not status.waiting
                assert first.outside.statuses[SHA, context]["description"] == status.description
                assert replace(status, sent=status.sequence) == status
    finally:
        await store.aclose()


PAUSED: list[tuple[str, Any]] = [
    ("change", "one"),
    ("claim", 0),
    ("wait", 41.0),
    ("change", "one"),
    ("claim", 1),
    ("arrive", 1),
    ("answer", 1),
    ("arrive", 0),
    ("answer", 0),
]
"""A server that was paused sends what it had, after another has sent what is newer."""


@settings(max_examples=150, deadline=None)
@example(PAUSED)
@given(st.lists(STEPS, max_size=30))
def test_the_last_state_stands_at_the_forge_in_the_end(steps: list[tuple[str, Any]]) -> None:
    asyncio.run(play(steps))
