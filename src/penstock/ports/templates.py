"""Where templates are kept: lists of tasks that older flows share, in the form of flows (ENG-100, MIG-030)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from penstock.base.clock import Instant
from penstock.ports.flows import FlowRevisions, StoredFlow


class TemplateStore(FlowRevisions, Protocol):
    """Templates and their revisions: an execution goes on with the one it began with (BEY-008)."""

    async def save(self, template: StoredFlow, *, is_new: bool) -> StoredFlow:
        """Store a new revision, whose number is assigned here.

        Raises:
            ConflictError: It is to be new, and is there already.
        """
        ...

    async def all_latest(self, tenant: str) -> Sequence[StoredFlow]:
        """Return the latest revision of every template that is not deleted, by namespace and id."""
        ...

    async def delete(self, tenant: str, namespace: str, template_id: str, now: Instant) -> bool:
        """Mark a template deleted, keeping its revisions; False when there was none."""
        ...
