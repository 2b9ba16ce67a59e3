from __future__ import annotations

import asyncio
import time

from pawl.testing.clock import FakeClock


async def test_time_stands_still_until_it_is_moved() -> None:
    clock = FakeClock(start=100)
    sleeper = asyncio.create_task(clock.sleep(10))
    await asyncio.sleep(0)

    clock.advance(9)
    await asyncio.sleep(0)
    assert not sleeper.done()

    clock.advance(1)
    await sleeper
    assert (clock.now(), clock.monotonic()) == (110, 10)


async def test_with_autojump_hours_take_no_time_and_keep_their_order() -> None:
    clock = FakeClock(autojump=True)
    woken: list[int] = []

    async def sleep(hours: int) -> None:
        await clock.sleep(hours * 3600)
        woken.append(hours)

    before = time.monotonic()
    await asyncio.gather(*(sleep(hours) for hours in (3, 1, 2)))

    assert woken == [1, 2, 3]
    assert clock.monotonic() == 3 * 3600
    assert time.monotonic() - before < 1


async def test_no_time_passes_while_a_thread_works() -> None:
    clock = FakeClock(autojump=True)
    late = asyncio.create_task(clock.sleep(1000))
    await asyncio.sleep(0)

    await asyncio.to_thread(time.sleep, 0.02)

    assert clock.monotonic() == 0
    late.cancel()
