"""Watching executions: one subscription, nothing missed, nothing left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from penstock.services.executions import Followers
from penstock.store.notifier import LocalNotifier


@pytest.fixture
async def notifier() -> AsyncIterator[LocalNotifier]:
    notifier = LocalNotifier()
    yield notifier
    await notifier.close()


@pytest.fixture
async def followers(notifier: LocalNotifier) -> AsyncIterator[Followers]:
    followers = Followers(notifier)
    task = asyncio.create_task(followers.run())
    await asyncio.sleep(0.01)
    yield followers
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_watch_wakes_for_its_execution_alone(followers: Followers, notifier: LocalNotifier) -> None:
    with followers.watch("a") as first, followers.watch("b") as second:
        await notifier.publish("execution", ["a"])
        assert await first.changed(5)
        assert not await second.changed(0.02)


async def test_watch_wakes_for_its_topics_alone(followers: Followers, notifier: LocalNotifier) -> None:
    with followers.watch("a") as changes, followers.watch("a", "logs") as lines:
        await notifier.publish("logs", ["a"])
        assert await lines.changed(5)
        assert not await changes.changed(0.02)


async def test_watch_remembers_a_change_that_came_before_the_wait(
    followers: Followers, notifier: LocalNotifier
) -> None:
    with followers.watch("a") as watch:
        await notifier.publish("execution", ["a", "a"])
        await asyncio.sleep(0.02)
        assert await watch.changed(0.01)
        assert not await watch.changed(0.01)


async def test_watches_that_are_over_leave_nothing_behind(followers: Followers) -> None:
    with followers.watch("a"), followers.watch("a", "execution", "logs"):
        assert followers.count == 3
    assert followers.count == 0


async def test_watch_wakes_when_everyone_is_asked_to_leave(followers: Followers) -> None:
    with followers.watch("a") as watch:
        followers.leave()
        assert await watch.changed(5)
        assert followers.leaving
