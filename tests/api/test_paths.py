"""Paths: with and without a tenant, under a context path; answers for what is not there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.api.flows import HELLO
from tests.support.live import LiveServer, live_server


async def test_path_of_a_tenant_is_that_of_the_only_one(client: httpx.AsyncClient) -> None:
    """API-001: `main` is the tenant, and nothing of the configuration changes that."""
    assert (await client.get("/api/v1/main/flows/search")).status_code == 200
    assert (await client.get("/api/v1/me")).json()["tenants"][0]["id"] == "main"
    assert (await client.get("/api/v1/other/flows/search")).status_code == 404


async def test_path_without_a_tenant_means_the_only_one(server: LiveServer) -> None:
    """API-002."""
    answer = await server.client.post("/api/v1/flows", content=HELLO)
    assert answer.status_code == 200
    answer = await server.client.post("/api/v1/executions/team/hello", params={"wait": "true"})
    assert answer.json()["state"]["current"] == "SUCCESS"
    assert (await server.client.get("/api/v1/schemas/flow.json")).status_code == 200


async def test_header_chooses_the_tenant_of_a_path_without_one(client: httpx.AsyncClient) -> None:
    """API-002."""
    good = await client.get("/api/v1/flows/search", headers={"X-Kestra-Tenant": "main"})
    assert good.status_code == 200
    unknown = await client.get("/api/v1/flows/search", headers={"X-Kestra-Tenant": "other"})
    assert unknown.status_code == 404
    assert unknown.json()["message"] == "there is no tenant `other`"


async def test_everything_lives_under_the_context_path(tmp_path: Path) -> None:
    """OPS-096."""
    async with live_server(tmp_path, change=lambda given: replace(given, context_path="penstock/")) as server:
        answer = await server.client.post("/penstock/api/v1/main/flows", content=HELLO)
        assert answer.status_code == 200
        execution = await server.client.post("/penstock/api/v1/main/executions/team/hello")
        assert execution.json()["url"].startswith("/penstock/ui/executions/team/hello/")
        home = await server.client.get("/penstock")
        assert home.headers["location"] == "/penstock/ui/"


async def test_unknown_path_is_answered_in_json(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/main/nothing/here")
    assert answer.status_code == 404
    assert answer.json() == {
        "message": "there is no /api/v1/main/nothing/here",
        "code": "HTTP_404",
        "path": "/api/v1/main/nothing/here",
    }


async def test_parameter_of_the_wrong_type_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/main/flows/team/hello", params={"revision": "first"})
    assert answer.status_code == 422
    assert "query.revision" in answer.json()["message"]


async def test_answers_carry_headers_that_bind_browsers(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/configs")
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


async def test_unexpected_error_is_answered_with_a_number_and_no_trace(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*arguments: object) -> None:
        raise RuntimeError("the secret is 42")

    monkeypatch.setattr(type(server.services.reader), "search", broken)
    answer = await server.client.get("/api/v1/main/executions/search")
    assert answer.status_code == 500
    assert answer.json()["code"] == "INTERNAL"
    assert "42" not in answer.text
    assert "content-security-policy" in answer.headers


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_name_with_an_encoded_slash_is_not_found_whatever_follows_it(server: LiveServer, method: str) -> None:
    """API-007: routes see paths decoded, and would answer about another name."""
    await server.flow(HELLO)
    for path in ("/api/v1/main/flows/team/hello%2Frevisions", "/api/v1/flows/team/hel%2flo"):
        answer = await server.client.request(method, path, content=HELLO)
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
        assert answer.json()["message"] == f"there is no {path}"
        assert "slash" in answer.json()["hint"]
