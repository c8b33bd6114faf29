"""A Redis list as a source that loses no element and starts nothing twice for one.

An element is moved to a list of its own, and gets a name there before it is handed on. Both are removed when it has
been dealt with. Whoever comes next, after whatever broke, finds the element with its name and hands it on again under
that name; so the server knows whether it has seen it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from penstock.sdk import PluginError, RunContext

_CONNECT, _ANSWER = 10.0, 30.0
_FORGET = """
if redis.call('GET', KEYS[2]) == ARGV[1] then
  redis.call(ARGV[2], KEYS[1])
  redis.call('DEL', KEYS[2])
end
"""
"""Only who has named what lies there may remove it."""


class RedisError(PluginError):
    """Redis did not do what it was asked for."""

    code = "REDIS_FAILED"


class RedisMissing(PluginError):
    """The client library is not installed."""

    code = "REDIS_NOT_INSTALLED"
    hint = "pip install 'penstock[redis]' on every worker"


@contextmanager
def connected(url: str) -> Iterator[Any]:
    """Give a connection; whatever Redis complains of is raised as RedisError.

    Raises:
        RedisMissing: The client library is not installed.
    """
    try:
        import redis
    except ImportError:
        raise RedisMissing("the client for Redis is not installed") from None
    try:
        client = redis.Redis.from_url(
            url,
            decode_responses=True,
            encoding_errors="replace",
            socket_connect_timeout=_CONNECT,
            socket_timeout=_ANSWER,
        )
    except ValueError:
        hint = "write redis://user:password@host:6379/0"
        raise RedisError("`url` is no address of a Redis server", hint=hint) from None
    try:
        with client:
            yield client
    except redis.RedisError as error:
        raise RedisError(
            f"Redis failed: {type(error).__name__}: {error}", hint="see whether `url` is right; Redis 6.2 is needed"
        ) from None


class Source:
    """A list, and what of it is being dealt with on behalf of one trigger."""

    def __init__(self, client: Any, key: str, context: RunContext) -> None:
        flow, trigger = context.variables["flow"], context.variables["trigger"]
        self._client = client
        self._key = key
        self._held = f"{key}:penstock:{flow['namespace']}.{flow['id']}.{trigger['id']}"
        self._name = f"{self._held}:name"

    def left(self) -> tuple[str | None, list[str]]:
        """Return what was taken earlier and not dealt with: its name, if it got one, and the elements."""
        return self._client.get(self._name), self._client.lrange(self._held, 0, -1)

    def take(self, count: int) -> list[str]:
        """Take up to so many elements, the oldest first."""
        with self._client.pipeline(transaction=False) as pipeline:
            for _ in range(count):
                pipeline.lmove(self._key, self._held, "LEFT", "RIGHT")
            return [one for one in pipeline.execute() if one is not None]

    def wait(self, seconds: float) -> str | None:
        """Take one element as soon as there is one; None when the time was up first."""
        taken: str | None = self._client.blmove(self._key, self._held, seconds, "LEFT", "RIGHT")
        return taken

    def named(self) -> str:
        """Give what was taken a name."""
        name = uuid.uuid4().hex
        self._client.set(self._name, name)
        return name

    def forget_first(self, name: str) -> None:
        """Remove the element of this name."""
        self._client.eval(_FORGET, 2, self._held, self._name, name, "LPOP")

    def forget_all(self, name: str) -> None:
        """Remove all elements taken, which have this name together."""
        self._client.eval(_FORGET, 2, self._held, self._name, name, "DEL")
