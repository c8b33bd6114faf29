"""Many flows at once: texts and archives in and out, switching off and on, parts of flows checked (API-100)."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, attachment
from penstock.api.bodies import UPLOAD, read_flow_names, read_text, read_upload
from penstock.api.errors import MalformedBodyError
from penstock.api.middleware.gate import author_of
from penstock.api.render.flows import render_flow, render_verdict
from penstock.api.render.instants import iso
from penstock.api.routes.table import FILTERS, YAML, Handler, Routes, json_body, parameter
from penstock.api.search import filters_of
from penstock.api.settings import ApiSettings
from penstock.base.clock import Clock
from penstock.base.errors import InvalidRequestError
from penstock.model.scalars import plain
from penstock.model.yaml import read_yaml
from penstock.ports.flows import StoredFlow
from penstock.services.archives import SourceFile
from penstock.services.flows import FlowBulk, FlowChecker, FlowDefinitions, FlowService
from penstock.services.tables import csv_text

_SECTIONS = {"TASKS": "tasks", "TRIGGERS": "triggers"}
_ANY = {"application/json": {"schema": {"type": "object"}}, **YAML}
_COLUMNS = ("namespace", "id", "revision", "disabled", "updated", "description", "labels")


class FlowBulkRoutes:
    """Implements API-100: bulk operations, import, export, checks of tasks and triggers.

    Args:
        flows: Finds flows.
        bulk: The use cases.
        checker: Judges tasks and triggers.
        definitions: Flows as plain data.
        clock: The present, for time ranges.
        settings: Bounds.
    """

    def __init__(
        self,
        flows: FlowService,
        bulk: FlowBulk,
        checker: FlowChecker,
        definitions: FlowDefinitions,
        clock: Clock,
        settings: ApiSettings,
    ) -> None:
        self._flows = flows
        self._bulk = bulk
        self._checker = checker
        self._definitions = definitions
        self._clock = clock
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/{tenant}/flows", "Flows")
        add = routes.add
        several = json_body(schemas.FlowFilter, several=True)
        section = parameter("section", {"type": "string", "enum": list(_SECTIONS)}, required=True)
        add("POST", "/bulk", self.update_all, "bulkUpdateFlows", answers=list[schemas.Flow], body=YAML)
        for word, disabled in (("disable", True), ("enable", False)):
            summary = f"{word.capitalize()} several flows, in their sources"
            add("POST", f"/{word}/by-ids", self._switch(disabled), f"{word}FlowsByIds", answers=schemas.BulkAnswer,
                body=several, summary=summary)  # fmt: skip
            add("POST", f"/{word}/by-query", self._switch_found(disabled), f"{word}FlowsByQuery",
                answers=schemas.BulkAnswer, parameters=FILTERS, summary=summary)  # fmt: skip
        add("POST", "/export/by-ids", self.export, "exportFlowsByIds", kind="application/zip", body=several)
        add("GET", "/export/by-query", self.export_found, "exportFlowsByQuery", kind="application/zip",
            parameters=FILTERS)  # fmt: skip
        add("GET", "/export/by-query/csv", self.table, "exportFlows", kind="text/csv", parameters=FILTERS)
        add("POST", "/import", self.load, "importFlows", answers=list[str], body=UPLOAD)
        add("POST", "/validate/task", self.check_task, "validateTask", answers=schemas.Violation, body=_ANY,
            parameters=[section])  # fmt: skip
        add("POST", "/validate/trigger", self.check_trigger, "validateTrigger", answers=schemas.Violation, body=_ANY)
        return routes.router

    def general_router(self) -> APIRouter:
        """Return the route that takes any word: it stands behind all others."""
        routes = Routes("/api/v1/{tenant}/flows", "Flows")
        routes.add("POST", "/{namespace}", self.update_namespace, "updateFlowsInNamespace",
                   answers=list[schemas.Flow], body=YAML)  # fmt: skip
        return routes.router

    async def update_all(
        self,
        request: Request,
        tenant: str,
        delete: bool = True,
        namespace: str | None = None,
        allowNamespaceChild: bool = False,  # noqa: N803
    ) -> Response:
        """Create or update all flows of a text; with `namespace`, others of it are deleted unless `delete=false`."""
        text = await read_text(request, self._settings)
        stored = await self._bulk.replace(
            tenant, text, author_of(request), namespace=namespace, delete=delete, children=allowNamespaceChild
        )
        return self._shown(stored)

    async def update_namespace(
        self, request: Request, tenant: str, namespace: str, delete: bool = True, override: bool = False
    ) -> Response:
        """Make the flows of a text those of a namespace; others of it are deleted unless `delete=false`."""
        text = await read_text(request, self._settings)
        stored = await self._bulk.replace(
            tenant, text, author_of(request), namespace=namespace, delete=delete, children=False, override=override
        )
        return self._shown(stored)

    def _shown(self, stored: list[StoredFlow]) -> Response:
        return JsonAnswer([render_flow(flow, self._definitions.of(flow)) for flow in stored])

    def _switch(self, disabled: bool) -> Handler:
        async def handle(request: Request, tenant: str) -> Response:
            names = await read_flow_names(request, self._settings)
            return JsonAnswer({"count": await self._bulk.switch(tenant, names, author_of(request), disabled=disabled)})

        return handle

    def _switch_found(self, disabled: bool) -> Handler:
        async def handle(request: Request, tenant: str) -> Response:
            names = await self._found(request, tenant)
            return JsonAnswer({"count": await self._bulk.switch(tenant, names, author_of(request), disabled=disabled)})

        return handle

    async def export(self, request: Request, tenant: str) -> Response:
        """Return the sources of several flows as a ZIP archive."""
        return _archive(await self._bulk.export(tenant, await read_flow_names(request, self._settings)))

    async def export_found(self, request: Request, tenant: str) -> Response:
        """Return the sources of all flows that meet the filters as a ZIP archive."""
        return _archive(await self._bulk.export(tenant, await self._found(request, tenant)))

    async def table(self, request: Request, tenant: str) -> Response:
        """Return all flows that meet the filters as CSV."""
        rows: list[Sequence[object]] = [_COLUMNS]
        for name in await self._found(request, tenant):
            flow = await self._flows.get(tenant, *name)
            labels = ",".join(f"{key}:{value}" for key, value in flow.labels)
            rows.append((*name, flow.revision, flow.disabled, iso(flow.updated), flow.description or "", labels))
        return Response(csv_text(rows), media_type="text/csv", headers=attachment("flows.csv"))

    async def load(self, request: Request, tenant: str, failOnError: bool = False) -> Response:  # noqa: N803
        """Create or update the flows of a YAML file or a ZIP archive; the answer names those that are wrong."""
        given = await read_upload(request, self._settings)
        file = SourceFile(given.name, given.content)
        return JsonAnswer(await self._bulk.load(tenant, file, author_of(request), fail=failOnError))

    async def check_task(self, request: Request, tenant: str, section: str) -> Response:
        """Check one task or trigger by itself."""
        if section not in _SECTIONS:
            raise InvalidRequestError(f"`{section}` is no section", hint=f"use one of {', '.join(_SECTIONS)}")
        return await self._check(request, tenant, _SECTIONS[section])

    async def check_trigger(self, request: Request, tenant: str) -> Response:
        """Check one trigger by itself."""
        return await self._check(request, tenant, "triggers")

    async def _check(self, request: Request, tenant: str, kind: str) -> Response:
        data = read_yaml(await read_text(request, self._settings)).data
        if not isinstance(data, dict):
            raise MalformedBodyError("the body is no map", hint=f"send one of the flow's {kind} as YAML or JSON")
        return JsonAnswer(render_verdict(self._checker.check_part(tenant, kind, plain(data))))

    async def _found(self, request: Request, tenant: str) -> list[tuple[str, str]]:
        filters = filters_of(request.query_params.multi_items(), self._clock.now())
        return await self._flows.matching(tenant, filters)


def _archive(content: bytes) -> Response:
    return Response(content, media_type="application/zip", headers=attachment("flows.zip"))
