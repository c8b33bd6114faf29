"""How routes are declared: one line each, with the operation's name and the shape of its answer."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from penstock.api.schemas.base import Error
from penstock.api.search import OLDER
from penstock.base.errors import InvalidRequestError

Handler = Callable[..., Coroutine[Any, Any, Response]]

YAML = {"application/x-yaml": {"schema": {"type": "string"}}}
TEXT = {"text/plain": {"schema": {"type": "string"}}}
FORM = {"multipart/form-data": {"schema": {"type": "object", "additionalProperties": True}}}


def parameter(
    name: str, schema: dict[str, Any] | None = None, *, required: bool = False, text: str = ""
) -> dict[str, Any]:
    """Return the description of a query parameter."""
    body: dict[str, Any] = {"name": name, "in": "query", "required": required, "schema": schema or {"type": "string"}}
    if text:
        body["description"] = text
    return body


PAGE = [
    parameter("page", {"type": "integer", "minimum": 1, "default": 1}),
    parameter("size", {"type": "integer", "minimum": 1, "default": 10}),
    parameter("sort", {"type": "array", "items": {"type": "string"}}, text="`field:asc` or `field:desc`"),
]
FILTERS = [
    {
        "name": "filters",
        "in": "query",
        "required": False,
        "style": "deepObject",
        "explode": True,
        "schema": {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": True}},
        "description": "filters[<field>][<operation>]=<value>",
    }
]


def json_body(shape: type[BaseModel], *, several: bool = False) -> dict[str, Any]:
    """Return the description of a JSON body: one value of a shape of `penstock.api.schemas`, or a list of them."""
    one = {"$ref": f"#/components/schemas/{shape.__name__}"}
    return {"application/json": {"schema": {"type": "array", "items": one} if several else one}}


class _Undotted(StringConvertor):
    """A part of a path without a dot, as ids of executions are.

    So that `POST executions/company.team/labels` starts the flow `labels` and is not about an execution `company.team`.
    """

    regex = "[^/.]+"


register_url_convertor("undotted", _Undotted())


class Routes:
    """A router whose routes are declared by operation.

    Args:
        prefix: What all paths begin with.
        tag: The heading the operations stand under.
    """

    def __init__(self, prefix: str, tag: str) -> None:
        self.router = APIRouter(prefix=prefix, tags=[tag])

    def add(
        self,
        method: str,
        path: str,
        handler: Handler,
        operation: str,
        *,
        answers: Any = None,
        status: int = 200,
        kind: str = "application/json",
        parameters: list[dict[str, Any]] | None = None,
        body: Any = None,
        hidden: bool = False,
        summary: str | None = None,
    ) -> None:
        """Declare a route.

        Args:
            method: The HTTP method.
            path: The path after the prefix.
            handler: What serves it.
            operation: Its name in the API's description, and of the method in generated clients.
            answers: The shape of a successful answer.
            status: The status of a successful answer.
            kind: The content type of a successful answer that has no shape.
            parameters: Query parameters that the handler's signature does not show.
            body: The body: a shape, or content types with their schemas.
            hidden: Whether the description leaves it out.
            summary: What it does; the first line of the handler's documentation by default.
        """
        success: dict[str, Any] = {"description": "Done"}
        if answers is not None:
            success["model"] = answers
        elif kind != "application/json":
            success["content"] = {kind: {"schema": {"type": "string"}}}
        extra: dict[str, Any] = {}
        if parameters:
            extra["parameters"] = parameters
        if body is not None:
            extra["requestBody"] = {"required": True, "content": body}
        self.router.add_api_route(
            path.replace("{execution_id}", "{execution_id:undotted}"),
            handler,
            methods=[method],
            operation_id=operation,
            status_code=status,
            response_model=None,
            responses={status: success, "4XX": {"model": Error, "description": "Refused"}},
            openapi_extra=extra or None,
            include_in_schema=not hidden,
            dependencies=[Depends(_only(parameters))] if path.endswith("/by-query") and method != "GET" else None,
            summary=summary or _summary(handler),
        )


def _only(parameters: list[dict[str, Any]] | None) -> Callable[[Request], None]:
    """Return what refuses other parameters: a change of all that fits is not to reach further than was meant.

    One whose name is misspelt would count for nothing, and a filter for everything.
    """
    named = {one["name"] for one in parameters or ()} - {"filters"}

    def check(request: Request) -> None:
        for name in request.query_params:
            if name not in named and name not in OLDER and not name.startswith("filters["):
                raise InvalidRequestError(
                    f"`{name}` is no parameter of this, and nothing was changed",
                    hint="write filters[<field>][<operation>]=<value>; all that is there is meant when there is none",
                )

    return check


def _summary(handler: Handler) -> str:
    return (handler.__doc__ or handler.__name__).strip().partition("\n")[0].rstrip(".")
