"""The contract every `Notifier` keeps."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from penstock.testing.store.ports import StorePorts


async def heard(notifications: AsyncIterator[tuple[str, str]], count: int) -> list[tuple[str, str]]:
    """Return the next notifications, so many of them."""
    async with asyncio.timeout(10):
        return [await anext(notifications) for _ in range(count)]


class NotifierContract:
    """What holds for every notifier. A subclass gives the fixture `store`."""

    async def test_publish_reaches_a_subscriber_payload_by_payload_in_order(self, store: StorePorts) -> None:
        async with store.notifier.subscribe("execution") as notifications:
            await store.notifier.publish("execution", ["a", "b"])
            await store.notifier.publish("execution", ["c"])
            assert await heard(notifications, 3) == [("execution", "a"), ("execution", "b"), ("execution", "c")]

    async def test_publish_reaches_every_subscriber_of_the_topic_and_no_other(self, store: StorePorts) -> None:
        async with (
            store.notifier.subscribe("jobs", "kill") as both,
            store.notifier.subscribe("jobs") as jobs,
            store.notifier.subscribe("flows") as flows,
        ):
            await store.notifier.publish("jobs", ["gpu"])
            await store.notifier.publish("kill", ["w1"])
            await store.notifier.publish("flows", ["f"])
            assert await heard(both, 2) == [("jobs", "gpu"), ("kill", "w1")]
            assert await heard(jobs, 1) == [("jobs", "gpu")]
            assert await heard(flows, 1) == [("flows", "f")]

    async def test_publish_before_subscribing_is_not_heard(self, store: StorePorts) -> None:
        await store.notifier.publish("jobs", ["early"])
        async with store.notifier.subscribe("jobs") as notifications:
            await store.notifier.publish("jobs", ["late"])
            assert await heard(notifications, 1) == [("jobs", "late")]

    async def test_subscriber_that_waits_is_woken(self, store: StorePorts) -> None:
        async with store.notifier.subscribe("jobs") as notifications:
            waiting = asyncio.create_task(heard(notifications, 1))
            await asyncio.sleep(0.01)
            assert not waiting.done()
            await store.notifier.publish("jobs", ["x"])
            assert await waiting == [("jobs", "x")]

    async def test_subscriber_that_is_slow_loses_the_oldest(self, store: StorePorts) -> None:
        async with store.notifier.subscribe("jobs") as notifications:
            for start in range(0, 50_000, 1_000):
                await store.notifier.publish("jobs", [str(number) for number in range(start, start + 1_000)])
            ((_, first),) = await heard(notifications, 1)
            assert int(first) > 0
            # What is left ends with the newest.
            rest = await heard(notifications, 50_000 - int(first) - 1)
            assert rest[-1] == ("jobs", "49999")
