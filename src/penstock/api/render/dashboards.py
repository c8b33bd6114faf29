"""Dashboards as JSON, and what their viewers ask for (API-109)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from penstock.api.errors import problem_body
from penstock.api.render.instants import iso
from penstock.api.search import FilterBody, body_filters, read_date
from penstock.base.clock import Instant
from penstock.base.errors import InvalidRequestError
from penstock.model.problems import Problem
from penstock.model.scalars import plain
from penstock.model.yaml import read_yaml
from penstock.ports.queries import Filter
from penstock.services.dashboards import Dashboard, Overrides


class OverridesBody(msgspec.Struct, frozen=True, rename="camel"):
    """What the charts of a dashboard are narrowed to."""

    start_date: str | None = None
    end_date: str | None = None
    page_size: int | None = None
    page_number: int | None = None
    namespace: str | None = None
    labels: Mapping[str, str] | None = None
    filters: Sequence[FilterBody] | None = None


class PreviewBody(msgspec.Struct, frozen=True, rename="camel"):
    """A chart that is not saved yet."""

    chart: str
    global_filter: OverridesBody | None = None


def render_dashboard(dashboard: Dashboard) -> dict[str, Any]:
    """Return a dashboard as written, with its source."""
    stored, window = dashboard.stored, dashboard.document.time_window
    written = plain(read_yaml(stored.source).data)
    body: dict[str, Any] = {
        "id": stored.id,
        "tenantId": stored.tenant,
        "title": stored.title,
        "timeWindow": {"default": window.default, "max": window.max},
        "charts": written.get("charts") or [],
        "deleted": False,
        "isDefault": dashboard.is_default,
        "source": stored.source,
        "sourceCode": stored.source,
    }
    if stored.description is not None:
        body["description"] = stored.description
    if not dashboard.is_default:
        body.update(created=iso(stored.created), updated=iso(stored.updated))
    return body


def render_check(problems: Sequence[Problem]) -> dict[str, Any]:
    """Return what is to be said of a source; `constraints` is absent when it is valid (API-039)."""
    body: dict[str, Any] = {
        "index": 0,
        "outdated": False,
        "deprecationPaths": [],
        "warnings": [],
        "infos": [],
        "problems": [problem_body(problem) for problem in problems],
    }
    if problems:
        body["constraints"] = "\n".join(str(problem) for problem in problems)
    return body


def overrides_of(body: OverridesBody | None, now: Instant) -> Overrides:
    """Return what is asked for.

    Raises:
        InvalidRequestError: A date, a size or a filter cannot be read.
    """
    if body is None:
        return Overrides()
    for name, number in (("pageSize", body.page_size), ("pageNumber", body.page_number)):
        if number is not None and number < 1:
            raise InvalidRequestError(f"`{name}` must be a whole number from 1, not {number}")
    start = None if body.start_date is None else read_date("startDate", body.start_date)
    end = None if body.end_date is None else read_date("endDate", body.end_date)
    filters: list[Filter] = []
    namespace = [] if not body.namespace else [FilterBody("namespace", "PREFIX", body.namespace)]
    for one in body_filters([*namespace, *(body.filters or ())], now):
        if one.field == "startDate":
            start = one.value
        elif one.field == "endDate":
            end = one.value
        else:
            filters.append(one)
    return Overrides(start, end, filters, body.page_number or 1, body.page_size, body.labels or {})
