"""Writing and reading flows."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.base.clock import Clock
from penstock.base.errors import ConflictError, InvalidRequestError
from penstock.model.problems import InvalidFlow
from penstock.ports.flows import Author, FlowName, FlowStore, StoredFlow
from penstock.ports.notifier import Notifier
from penstock.ports.queries import Filter, Page, PageRequest
from penstock.services.flows.catalog import FlowCatalog, missing_flow
from penstock.services.flows.deprecations import DatedFlow, dated_flows
from penstock.services.flows.verdicts import FlowChecker


class FlowExistsError(InvalidRequestError):
    """A flow is to be created that exists already (API-007)."""

    code = "FLOW_EXISTS"
    hint = "update the flow instead, or choose another id"

    def __init__(self, flow_id: str) -> None:
        super().__init__(f"Invalid entity: Flow already exists for id '{flow_id}'")


class FlowService:
    """Flows of a tenant: create, update, read, search, delete.

    Implements ENG-001, ENG-003, ENG-004, ENG-008, ENG-023, API-006, API-007, API-027.

    Args:
        flows: Where they are stored.
        checker: Parses them and finds their problems.
        catalog: Forgets what it knew of a flow that changes.
        notifier: Tells everybody else.
        clock: Dates revisions.
    """

    def __init__(
        self, flows: FlowStore, checker: FlowChecker, catalog: FlowCatalog, notifier: Notifier, clock: Clock
    ) -> None:
        self._flows = flows
        self._checker = checker
        self._catalog = catalog
        self._notifier = notifier
        self._clock = clock

    async def create(self, tenant: str, source: str, author: Author | None = None) -> StoredFlow:
        """Store a new flow; its first revision tells who saved it.

        Raises:
            InvalidFlow: The source is no valid flow.
            FlowExistsError: There is such a flow already.
        """
        flow = await self._read(tenant, source, author)
        try:
            return await self._save(flow, expected_revision=0)
        except ConflictError as error:
            raise FlowExistsError(flow.id) from error

    async def update(
        self,
        tenant: str,
        namespace: str,
        flow_id: str,
        source: str,
        author: Author | None = None,
        *,
        expected_revision: int | None = None,
    ) -> StoredFlow:
        """Store a new revision of a flow; a source that did not change stays the revision it is.

        Raises:
            NotFoundError: There is no such flow.
            InvalidFlow: The source is no valid flow.
            InvalidRequestError: The source names another flow (ENG-004).
            ConflictError: The latest revision is not the expected one.
        """
        latest = await self.get(tenant, namespace, flow_id)
        flow = await self._read(tenant, source, author)
        if (flow.namespace, flow.id) != (namespace, flow_id):
            raise InvalidRequestError(
                f"the source is flow {flow.namespace}.{flow.id}, not {namespace}.{flow_id}",
                hint="the namespace and the id of a flow cannot change: create a new flow and delete the old one",
            )
        if expected_revision not in (None, latest.revision):
            raise ConflictError(
                f"flow {namespace}.{flow_id} is at revision {latest.revision}, not {expected_revision}",
                hint="read it again, and put your change on top of what was changed meanwhile",
            )
        return latest if latest.source == source else await self._save(flow, expected_revision)

    async def put(self, tenant: str, source: str, author: Author | None = None) -> StoredFlow:
        """Create a flow or update it, whichever is needed (ENG-010)."""
        flow = await self._read(tenant, source, author)
        latest = await self._flows.get(tenant, flow.namespace, flow.id)
        if latest is not None and latest.source == source:
            return latest
        return await self._save(flow, None)

    async def get(
        self, tenant: str, namespace: str, flow_id: str, revision: int | None = None, *, deleted: bool = False
    ) -> StoredFlow:
        """Return a revision of a flow, the latest by default.

        Raises:
            NotFoundError: There is none.
        """
        flow = await self._flows.get(tenant, namespace, flow_id, revision, deleted=deleted)
        if flow is None:
            raise missing_flow(namespace, flow_id, revision)
        return flow

    async def revisions(self, tenant: str, namespace: str, flow_id: str) -> Sequence[StoredFlow]:
        """Return all revisions of a flow, oldest first (ENG-024)."""
        found = await self._flows.revisions(tenant, namespace, flow_id)
        if not found:
            raise missing_flow(namespace, flow_id)
        return found

    async def search(self, tenant: str, filters: Sequence[Filter], page: PageRequest) -> Page[StoredFlow]:
        """Return a page of flows in their latest revision."""
        return await self._flows.search(tenant, filters, page)

    async def all(self, tenant: str) -> Sequence[StoredFlow]:
        """Return all flows of a tenant."""
        return await self._flows.all_latest(tenant)

    async def delete_revisions(self, tenant: str, namespace: str, flow_id: str, revisions: Sequence[int]) -> None:
        """Remove earlier revisions of a flow for good.

        Raises:
            NotFoundError: There is no such flow, or no such revision.
            ConflictError: One of them is the latest.
        """
        known = [flow.revision for flow in await self.revisions(tenant, namespace, flow_id)]
        for revision in revisions:
            if revision not in known:
                raise missing_flow(namespace, flow_id, revision)
        if known[-1] in revisions:
            raise ConflictError(
                f"revision {known[-1]} of flow {namespace}.{flow_id} is its latest",
                hint="delete the flow, or save another revision first",
            )
        await self._flows.forget(tenant, namespace, flow_id, revisions)

    async def in_namespace(self, tenant: str, namespace: str) -> Sequence[StoredFlow]:
        """Return all flows of one namespace."""
        return [flow for flow in await self._flows.all_latest(tenant) if flow.namespace == namespace]

    async def matching(self, tenant: str, filters: Sequence[Filter]) -> list[FlowName]:
        """Return the names of all flows that meet the filters."""
        found: list[FlowName] = []
        page = PageRequest(page=1, size=500, sort=(("namespace", True), ("id", True)))
        while True:
            results = await self._flows.search(tenant, filters, page)
            found.extend((flow.namespace, flow.id) for flow in results.results)
            if len(found) >= results.total or not results.results:
                return found
            page = PageRequest(page=page.page + 1, size=page.size, sort=page.sort)

    async def dated(self, tenant: str, namespace: str | None = None) -> list[DatedFlow]:
        """Return the flows of a namespace and those below it, or of all, that use what is deprecated."""
        return await dated_flows(self._flows, self._checker, tenant, namespace)

    async def containing(
        self, tenant: str, text: str, namespace: str | None = None
    ) -> list[tuple[StoredFlow, list[str]]]:
        """Return flows whose source contains a text, each with the lines that do."""
        wanted = text.casefold()
        found = []
        for flow in await self._flows.all_latest(tenant):
            if namespace and not (flow.namespace == namespace or flow.namespace.startswith(f"{namespace}.")):
                continue
            lines = [line for line in flow.source.splitlines() if wanted in line.casefold()]
            if lines:
                found.append((flow, lines))
        return found

    async def namespaces(self, tenant: str, query: str | None = None) -> Sequence[str]:
        """Return the namespaces that have flows (ENG-018, ENG-020)."""
        return await self._flows.namespaces(tenant, query)

    async def delete(self, tenant: str, namespace: str, flow_id: str) -> None:
        """Delete a flow; its revisions and executions stay readable (OPS-169).

        Raises:
            NotFoundError: There is no such flow.
        """
        if not await self._flows.delete(tenant, namespace, flow_id, self._clock.now()):
            raise missing_flow(namespace, flow_id)
        await self._changed(tenant, namespace, flow_id)

    async def delete_all(self, tenant: str, names: Sequence[FlowName]) -> int:
        """Delete several flows; those that do not exist (any more) are passed over."""
        count = 0
        for namespace, flow_id in names:
            if await self._flows.delete(tenant, namespace, flow_id, self._clock.now()):
                await self._changed(tenant, namespace, flow_id)
                count += 1
        return count

    async def _read(self, tenant: str, source: str, author: Author | None) -> StoredFlow:
        parsed = await self._checker.read(tenant, source)
        document = parsed.document
        if document is None or parsed.errors:
            raise InvalidFlow(parsed.problems)
        return StoredFlow(
            tenant=tenant,
            namespace=document.namespace,
            id=document.id,
            revision=0,
            source=source,
            updated=self._clock.now(),
            disabled=document.disabled,
            description=document.description,
            labels=tuple(document.labels),
            has_triggers=bool(document.triggers),
            author=author,
        )

    async def _save(self, flow: StoredFlow, expected_revision: int | None) -> StoredFlow:
        saved = await self._flows.save(flow, expected_revision)
        await self._changed(saved.tenant, saved.namespace, saved.id)
        return saved

    async def _changed(self, tenant: str, namespace: str, flow_id: str) -> None:
        self._catalog.forget(tenant, namespace, flow_id)
        await self._notifier.publish("flows", [f"{tenant}/{namespace}/{flow_id}"])
