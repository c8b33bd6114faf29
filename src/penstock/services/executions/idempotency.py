"""One execution for a request, however often it is repeated.

A key belongs to one flow. It is kept in the execution's unique `firing_key`, so that of two requests at the same
moment one makes the execution, and so that it is forgotten together with it.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from penstock.base.clock import Clock
from penstock.base.durations import parse_duration
from penstock.base.errors import ConflictError, InvalidRequestError
from penstock.base.ids import derived_id
from penstock.engine.flow import ResolvedFlow
from penstock.engine.records import Execution
from penstock.model.policies import Idempotency
from penstock.ports.queries import ExecutionQueries

HEADER = "Idempotency-Key"
_LONGEST = 255


class DifferentRequestError(ConflictError):
    """An idempotency key was used before, for a request that says something else."""

    code = "IDEMPOTENCY_KEY_REUSED"
    hint = "repeat the first request word by word, or take a fresh key"


def digest_of(*parts: Any) -> str:
    """Return what tells requests apart: the same parts always give the same text."""
    return hashlib.blake2b(msgspec.json.encode(parts, order="sorted", enc_hook=str), digest_size=16).hexdigest()


def checked_key(key: str | None) -> str | None:
    """Return the key a request gives.

    Raises:
        InvalidRequestError: It is empty or too long.
    """
    if key is not None and not 0 < len(key.strip()) <= _LONGEST:
        raise InvalidRequestError(f"`{HEADER}` must have 1 to {_LONGEST} characters, it has {len(key.strip())}")
    return key


class FirstExecutions:
    """Finds the execution that a key made. Implements BEY-044.

    Args:
        queries: Where executions are.
        clock: Tells whether a key's window is over.
    """

    def __init__(self, queries: ExecutionQueries, clock: Clock) -> None:
        self._queries = queries
        self._clock = clock

    @staticmethod
    def name(flow: ResolvedFlow, key: str) -> str:
        """Return the unique name of a key of a flow."""
        return f"key:{derived_id(flow.tenant, flow.namespace, flow.id, key)}"

    async def find(self, name: str, rule: Idempotency | None) -> Execution | None:
        """Return the execution that a key made; None when there is none, or its window is over."""
        found = await self._queries.fired(name)
        if found is None or rule is None or rule.window is None:
            return found
        before = self._clock.now() - parse_duration(rule.window)
        if found.created >= before:
            return found
        await self._queries.forget_firing(name, before)
        return None

    @staticmethod
    def same(first: Execution, digest: str | None) -> Execution:
        """Return the first execution when the repeated request says the same.

        Raises:
            DifferentRequestError: It says something else.
        """
        if digest is not None and first.digest is not None and digest != first.digest:
            raise DifferentRequestError(f"the key of this request has started execution {first.id} with other values")
        return first
