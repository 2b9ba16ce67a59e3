"""Waiting for news of the store: who waits for a topic is woken when it is told."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable

from pawl.server.stopping import Stopping


class Ear:
    """Listens for some topics from when it was made; what was told between two waits is not missed."""

    def __init__(self, topics: frozenset[str], stopping: Stopping) -> None:
        self.topics = topics
        self._stopping = stopping
        self._news: asyncio.Future[None] | None = None
        self._told = False

    def tell(self) -> None:
        """Wake who waits, or the next one who will."""
        self._told = True
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    async def wait(self, seconds: float) -> bool:
        """Return when there is news, the time is over or the server ends; whether there was news."""
        if not self._told and not self._stopping.begun:
            self._news = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(seconds):
                    await self._news
            except TimeoutError:
                pass
            finally:
                self._news = None
        told, self._told = self._told, False
        return told


class Waking:
    """Passes topics on to those that wait for them. Never waits for anybody."""

    def __init__(self, stopping: Stopping) -> None:
        self._stopping = stopping
        self._ears: dict[str, set[Ear]] = {}
        self.listening: Counter[str] = Counter()

    def tell(self, topics: Iterable[str]) -> None:
        """Wake those that wait for any of these topics."""
        for topic in topics:
            for ear in tuple(self._ears.get(topic, ())):
                ear.tell()

    def tell_all(self) -> None:
        """Wake everybody: the server ends."""
        self.tell(tuple(self._ears))

    def listen(self, *topics: str) -> Ear:
        """Return what hears of these topics from now on; `forget` it in the end."""
        ear = Ear(frozenset(topics), self._stopping)
        for topic in topics:
            self._ears.setdefault(topic, set()).add(ear)
            self.listening[topic.partition(":")[0]] += 1
        return ear

    def forget(self, ear: Ear) -> None:
        """Stop telling it anything."""
        for topic in ear.topics:
            ears = self._ears.get(topic, set())
            ears.discard(ear)
            self.listening[topic.partition(":")[0]] -= 1
            if not ears:
                self._ears.pop(topic, None)
