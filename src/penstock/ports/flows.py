"""Where flows are kept: every revision's source byte for byte, and which one is the latest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from penstock.base.clock import Instant
from penstock.ports.queries import Filter, Page, PageRequest

FlowName = tuple[str, str]
"""(namespace, flow id)."""
FlowKey = tuple[str, str, str]
"""(tenant, namespace, flow id)."""


class Way(StrEnum):
    """The ways over which revisions of flows are saved."""

    INTERFACE = "INTERFACE"
    API = "API"
    SERVICE_ACCOUNT = "SERVICE_ACCOUNT"
    COMMAND_LINE = "COMMAND_LINE"
    TASK = "TASK"
    FOLDER = "FOLDER"


@dataclass(frozen=True, slots=True)
class Author:
    """Who saved a revision, and over which way (BEY-002): a user, an account, a task's execution, a file."""

    name: str | None
    way: Way

    def __str__(self) -> str:
        """Return it in words that follow `saved by`."""
        name = self.name or "somebody without a login"
        match self.way:
            case Way.SERVICE_ACCOUNT:
                return f"service account {name}"
            case Way.TASK:
                return f"a task of execution {name}"
            case Way.FOLDER:
                return f"file {name} of the server's folder of flows"
            case Way.COMMAND_LINE:
                return f"{name} on the command line"
            case Way.API:
                return f"{name} over the API"
            case Way.INTERFACE:
                return name


@dataclass(frozen=True, slots=True)
class StoredFlow:
    """One revision of a flow as stored (ENG-008, ENG-023)."""

    tenant: str
    namespace: str
    id: str
    revision: int
    source: str
    updated: Instant
    deleted: bool = False
    disabled: bool = False
    description: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    has_triggers: bool = False
    author: Author | None = None
    """None where nobody noted it: of revisions from before it was noted."""


class FlowRevisions(Protocol):
    """Revisions of flows, to be read."""

    async def get(
        self, tenant: str, namespace: str, flow_id: str, revision: int | None = None, *, deleted: bool = False
    ) -> StoredFlow | None:
        """Return a revision (the latest by default); deleted flows only when asked for."""
        ...


class FlowStore(FlowRevisions, Protocol):
    """Flows and their revisions."""

    async def save(self, flow: StoredFlow, expected_revision: int | None) -> StoredFlow:
        """Store a new revision (the number is assigned here: one above the latest, 1 for the first) and return it.

        Args:
            flow: What to store; its `revision` is ignored.
            expected_revision: The revision the writer has seen; 0: the flow must not exist, None: any will do.

        Raises:
            ConflictError: The latest revision is another one.
        """
        ...

    async def revisions(self, tenant: str, namespace: str, flow_id: str) -> Sequence[StoredFlow]:
        """Return all revisions, oldest first."""
        ...

    async def search(self, tenant: str, filters: Sequence[Filter], page: PageRequest) -> Page[StoredFlow]:
        """Return latest revisions of flows that are not deleted."""
        ...

    async def all_latest(self, tenant: str | None = None) -> Sequence[StoredFlow]:
        """Return the latest revision of every flow that is not deleted (of all tenants when None)."""
        ...

    async def namespaces(self, tenant: str, query: str | None = None) -> Sequence[str]:
        """Return the namespaces that have flows, sorted."""
        ...

    async def delete(self, tenant: str, namespace: str, flow_id: str, now: Instant) -> bool:
        """Mark a flow deleted, keeping its revisions; False when there was none."""
        ...

    async def forget(self, tenant: str, namespace: str, flow_id: str, revisions: Sequence[int]) -> int:
        """Remove revisions that are not the latest one; returns how many there were."""
        ...
