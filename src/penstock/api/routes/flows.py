"""Flows: create, update, read, search, validate, delete (API-100)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, no_content, paged
from penstock.api.bodies import read_flow_names, read_json, read_text
from penstock.api.errors import problem_body
from penstock.api.middleware.gate import author_of
from penstock.api.render.flows import render_flow, render_verdict
from penstock.api.render.switches import render_switches
from penstock.api.routes.table import FILTERS, PAGE, YAML, Routes, json_body, parameter
from penstock.api.search import filters_of, page_of
from penstock.api.settings import ApiSettings
from penstock.base.clock import Clock
from penstock.base.errors import InvalidRequestError
from penstock.ports.flows import StoredFlow
from penstock.services.flows import FlowChecker, FlowDefinitions, FlowService, Verdict, with_task
from penstock.services.switches import SwitchService
from penstock.services.triggers import TriggerService, Trouble

_REVISIONS = parameter("revisions", {"type": "array", "items": {"type": "integer"}}, required=True)


class FlowRoutes:
    """Implements API-006, API-007, API-027, API-100.

    Args:
        flows: The use cases.
        checker: Judges sources.
        definitions: Flows as plain data.
        triggers: Knows which are late or fail (BEY-005).
        switches: Knows what people say of flows, apart from their sources (BEY-041).
        clock: The present, for time ranges.
        settings: Bounds.
    """

    def __init__(
        self,
        flows: FlowService,
        checker: FlowChecker,
        definitions: FlowDefinitions,
        triggers: TriggerService,
        switches: SwitchService,
        clock: Clock,
        settings: ApiSettings,
    ) -> None:
        self._flows = flows
        self._checker = checker
        self._definitions = definitions
        self._triggers = triggers
        self._switches = switches
        self._clock = clock
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes; those with fixed words stand before those with names in the same place."""
        routes = Routes("/api/v1/{tenant}/flows", "Flows")
        add = routes.add
        query = parameter("q")
        add("POST", "", self.create, "createFlow", answers=schemas.Flow, body=YAML)
        add("GET", "/search", self.search, "searchFlows", answers=schemas.PagedFlows, parameters=[*PAGE, *FILTERS])
        add("GET", "/source", self.containing, "searchFlowsBySourceCode", answers=schemas.PagedSearchResults,
            parameters=[*PAGE, query, parameter("namespace")])  # fmt: skip
        add(
            "GET",
            "/distinct-namespaces",
            self.namespaces,
            "listDistinctNamespaces",
            answers=list[str],
            parameters=[query],
        )
        add("GET", "/deprecated", self.deprecated, "listDeprecated", answers=list[schemas.DatedFlow],
            parameters=[parameter("namespace")])  # fmt: skip
        add("POST", "/validate", self.validate, "validateFlows", answers=list[schemas.Violation], body=YAML)
        add("DELETE", "/delete/by-ids", self.delete_by_ids, "deleteFlowsByIds", answers=schemas.BulkAnswer,
            body=json_body(schemas.FlowFilter, several=True))  # fmt: skip
        add("DELETE", "/delete/by-query", self.delete_by_query, "deleteFlowsByQuery", answers=schemas.BulkAnswer,
            parameters=FILTERS)  # fmt: skip
        add("GET", "/{namespace}", self.in_namespace, "listFlowsByNamespace", answers=list[schemas.Flow])
        add("GET", "/{namespace}/{id}", self.get, "flow", answers=schemas.Flow)
        add("PUT", "/{namespace}/{id}", self.update, "updateFlow", answers=schemas.Flow, body=YAML)
        add("DELETE", "/{namespace}/{id}", self.delete, "deleteFlow", status=204)
        add("GET", "/{namespace}/{id}/revisions", self.revisions, "listFlowRevisions", answers=list[schemas.Flow])
        add("DELETE", "/{namespace}/{id}/revisions", self.delete_revisions, "deleteRevisions", status=204,
            parameters=[_REVISIONS])  # fmt: skip
        add("GET", "/{namespace}/{id}/tasks/{task_id}", self.task, "taskFromFlow", answers=schemas.Task)
        add("PATCH", "/{namespace}/{id}/{task_id}", self.update_task, "updateTask", answers=schemas.Flow,
            body=json_body(schemas.Task))  # fmt: skip
        return routes.router

    def _render(self, flow: StoredFlow, *, source: bool = True) -> dict[str, object]:
        return render_flow(flow, self._definitions.of(flow), source=source)

    async def _rendered(
        self, tenant: str, flows: Sequence[StoredFlow], *, source: bool = False
    ) -> list[dict[str, object]]:
        """Return flows with what people say of them and of their triggers."""
        said = await self._switches.of_flows(tenant, [(flow.namespace, flow.id) for flow in flows])
        return [
            self._render(flow, source=source) | render_switches(flow, self._definitions.of(flow), said)
            for flow in flows
        ]

    async def create(self, request: Request, tenant: str) -> Response:
        """Create a flow from its YAML source."""
        source = await read_text(request, self._settings)
        return JsonAnswer(self._render(await self._flows.create(tenant, source, author_of(request))))

    async def update(self, request: Request, tenant: str, namespace: str, id: str) -> Response:  # noqa: A002
        """Replace a flow's source; a header `If-Match: <revision>` refuses to overwrite another change."""
        source = await read_text(request, self._settings)
        expected = _revision(request.headers.get("if-match"))
        author = author_of(request)
        return JsonAnswer(
            self._render(await self._flows.update(tenant, namespace, id, source, author, expected_revision=expected))
        )

    async def get(
        self,
        tenant: str,
        namespace: str,
        id: str,  # noqa: A002
        source: bool = False,
        revision: int | None = None,
        allowDeleted: bool = False,  # noqa: N803
    ) -> Response:
        """Return a flow, in its latest revision or another."""
        flow = await self._flows.get(tenant, namespace, id, revision, deleted=allowDeleted)
        [body] = await self._rendered(tenant, [flow], source=source)
        return JsonAnswer(body, headers={"ETag": f'"{flow.revision}"'})

    async def delete(self, tenant: str, namespace: str, id: str) -> Response:  # noqa: A002
        """Delete a flow; its revisions and executions are kept."""
        await self._flows.delete(tenant, namespace, id)
        return no_content()

    async def revisions(self, tenant: str, namespace: str, id: str) -> Response:  # noqa: A002
        """Return all revisions of a flow with their sources, oldest first."""
        return JsonAnswer([self._render(flow) for flow in await self._flows.revisions(tenant, namespace, id)])

    async def delete_revisions(self, request: Request, tenant: str, namespace: str, id: str) -> Response:  # noqa: A002
        """Remove earlier revisions of a flow for good."""
        given = [one for text in request.query_params.getlist("revisions") for one in text.split(",") if one]
        if not given or not all(one.isdecimal() for one in given):
            raise InvalidRequestError("`revisions` must name revisions", hint="such as revisions=1,2")
        await self._flows.delete_revisions(tenant, namespace, id, [int(one) for one in given])
        return no_content()

    async def task(
        self,
        tenant: str,
        namespace: str,
        id: str,  # noqa: A002
        task_id: str,
        revision: int | None = None,
    ) -> Response:
        """Return one task of a flow as written."""
        flow = await self._flows.get(tenant, namespace, id, revision)
        return JsonAnswer(self._definitions.task(flow, task_id))

    async def update_task(self, request: Request, tenant: str, namespace: str, id: str, task_id: str) -> Response:  # noqa: A002
        """Replace one task in a flow's source; deprecated: update the flow."""
        task = await read_json(request, self._settings, dict[str, Any])
        flow = await self._flows.get(tenant, namespace, id)
        source = with_task(flow.source, task_id, task)
        changed = await self._flows.update(
            tenant, namespace, id, source, author_of(request), expected_revision=flow.revision
        )
        return JsonAnswer(self._render(changed))

    async def in_namespace(self, tenant: str, namespace: str) -> Response:
        """Return all flows of a namespace, without their sources."""
        flows = await self._flows.in_namespace(tenant, namespace)
        return JsonAnswer(await self._rendered(tenant, flows))

    async def search(self, request: Request, tenant: str) -> Response:
        """Return a page of flows, without their sources."""
        pairs = request.query_params.multi_items()
        page = await self._flows.search(tenant, filters_of(pairs, self._clock.now()), page_of(pairs))
        trouble = await self._triggers.trouble(tenant, [(flow.namespace, flow.id) for flow in page.results])
        found = []
        for flow, body in zip(page.results, await self._rendered(tenant, page.results), strict=True):
            of_flow = trouble.get((flow.namespace, flow.id), Trouble())
            found.append(body | {"lateTriggers": of_flow.late, "failingTriggers": of_flow.failing})
        return paged(found, page.total)

    async def containing(self, request: Request, tenant: str) -> Response:
        """Return flows whose source contains a text, with the lines that do."""
        query = request.query_params
        page = page_of(query.multi_items())
        found = await self._flows.containing(tenant, query.get("q", ""), query.get("namespace"))
        first = (page.page - 1) * page.size
        results = [
            {"model": self._render(flow, source=False), "fragments": lines[:10]}
            for flow, lines in found[first : first + page.size]
        ]
        return paged(results, len(found))

    async def deprecated(self, request: Request, tenant: str) -> Response:
        """Return the flows that use what is deprecated, with each place and what to write instead."""
        found = await self._flows.dated(tenant, request.query_params.get("namespace"))
        return JsonAnswer(
            [
                {
                    "namespace": one.flow.namespace,
                    "id": one.flow.id,
                    "revision": one.flow.revision,
                    "deprecations": [problem_body(problem) for problem in one.deprecations],
                }
                for one in found
            ]
        )

    async def namespaces(self, request: Request, tenant: str) -> Response:
        """Return the namespaces that have flows."""
        return JsonAnswer(list(await self._flows.namespaces(tenant, request.query_params.get("q") or None)))

    async def validate(self, request: Request, tenant: str) -> Response:
        """Check sources without storing them: several documents in one text, or several files in one form."""
        verdicts: list[Verdict] = []
        for name, source in await _sources(request, self._settings):
            verdicts.extend(await self._checker.check(tenant, source, filename=name, first=len(verdicts)))
        return JsonAnswer([render_verdict(verdict) for verdict in verdicts])

    async def delete_by_ids(self, request: Request, tenant: str) -> Response:
        """Delete several flows."""
        names = await read_flow_names(request, self._settings)
        return JsonAnswer({"count": await self._flows.delete_all(tenant, names)})

    async def delete_by_query(self, request: Request, tenant: str) -> Response:
        """Delete all flows that meet the filters."""
        filters = filters_of(request.query_params.multi_items(), self._clock.now())
        return JsonAnswer({"count": await self._flows.delete_all(tenant, await self._flows.matching(tenant, filters))})


def _revision(header: str | None) -> int | None:
    if header is None or header == "*":
        return None
    text = header.removeprefix("W/").strip('"')
    if not text.isdecimal():
        raise InvalidRequestError(f"`If-Match` must be a revision, not `{header}`")
    return int(text)


async def _sources(request: Request, settings: ApiSettings) -> list[tuple[str | None, str]]:
    """Return (file name, text) of each source in the request."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return [(None, await read_text(request, settings))]
    found: list[tuple[str | None, str]] = []
    async with request.form(max_part_size=settings.max_field_size) as form:
        for _, value in form.multi_items():
            if isinstance(value, str):
                found.append((None, value))
            else:
                found.append((value.filename, (await value.read(settings.max_field_size)).decode("utf-8", "replace")))
    return found
