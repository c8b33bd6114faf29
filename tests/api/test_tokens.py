"""API tokens over HTTP: made, used instead of a password, revoked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from penstock.api import schemas
from penstock.base.clock import SECOND
from penstock.services.auth import NewToken, Tokens
from tests.api.flows import HELLO
from tests.api.test_shapes import check
from tests.support.live import USER, LiveServer

TOKENS = "/api/v1/me/api-tokens"
DAY = 24 * 3600 * SECOND


class Watch:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = 1_700_000_000 * SECOND

    def now(self) -> int:
        return self.time


async def made(client: httpx.AsyncClient, **wanted: Any) -> dict[str, Any]:
    answer = await client.post(TOKENS, json={"name": "ci", **wanted})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    check(schemas.CreatedApiToken, body)
    return body


@asynccontextmanager
async def bearer(server: LiveServer, token: str) -> AsyncIterator[httpx.AsyncClient]:
    async with server.visitor(headers={"Authorization": f"Bearer {token}"}) as visitor:
        yield visitor


async def test_token_stands_for_its_owner_wherever_a_password_does(server: LiveServer) -> None:
    """API-003, API-043, API-115, ENG-286, GOV-076, GOV-078."""
    token = await made(server.client, description="deploys", maxAge="P30D", extended=True)
    await server.flow(HELLO)
    async with bearer(server, token["fullToken"]) as program:
        answer = await program.post(
            "/api/v1/executions/team/hello", params={"wait": "true"}, headers={"X-Kestra-Tenant": "main"}
        )
        assert answer.status_code == 200, answer.text
        labels = {one["key"]: one["value"] for one in answer.json()["labels"]}
        assert labels.get("system.username", USER.username) == USER.username
        listed = (await program.get(TOKENS)).json()
    check(schemas.ApiTokenList, listed)
    [known] = listed["results"]
    assert listed["total"] == 1
    assert token["fullToken"].startswith(known["prefix"])
    assert (known["name"], known["description"], known["extended"], known["expired"]) == ("ci", "deploys", True, False)
    assert known["lastUsed"] >= known["iat"]
    assert token["fullToken"] not in str(listed)


async def test_token_is_kept_as_its_digest_alone(server: LiveServer) -> None:
    """GOV-076."""
    token = (await made(server.client))["fullToken"]
    [kept] = await server.core.store.tokens.of_user(USER.username)
    assert token not in str([getattr(kept, name) for name in kept.__slots__])
    assert kept.digest not in repr(kept)


async def test_token_revoked_is_worthless_at_once(server: LiveServer) -> None:
    """API-115."""
    token = await made(server.client)
    async with bearer(server, token["fullToken"]) as program:
        assert (await program.get("/api/v1/main/flows/search")).status_code == 200
        assert (await server.client.delete(f"{TOKENS}/{token['id']}")).status_code == 204
        answer = await program.get("/api/v1/main/flows/search")
    assert (answer.status_code, answer.json()["code"]) == (401, "LOGIN_REQUIRED")
    assert (await server.client.delete(f"{TOKENS}/{token['id']}")).status_code == 404


async def test_token_nobody_made_is_refused(server: LiveServer) -> None:
    """API-003."""
    for value in ("", "pst_guess", USER.password):
        async with bearer(server, value) as program:
            assert (await program.get("/api/v1/main/flows/search")).status_code == 401


async def test_tokens_are_of_nobody_who_is_not_logged_in(server: LiveServer) -> None:
    """API-115."""
    async with server.visitor() as visitor:
        assert (await visitor.get(TOKENS)).status_code == 401
        assert (await visitor.post(TOKENS, json={"name": "x"})).status_code == 401


@pytest.mark.parametrize(
    "wanted",
    [{"name": ""}, {"name": "a\nb"}, {"name": "x" * 64}, {"maxAge": "soon"}, {"maxAge": "PT0S"}, {"extended": True}],
)
async def test_token_that_cannot_be_is_refused(client: httpx.AsyncClient, wanted: dict[str, Any]) -> None:
    """GOV-075."""
    assert (await client.post(TOKENS, json={"name": "ci", **wanted})).status_code == 422


async def test_token_of_a_name_there_is_is_refused(client: httpx.AsyncClient) -> None:
    """GOV-075."""
    await made(client)
    assert (await client.post(TOKENS, json={"name": "ci"})).status_code == 409


async def test_token_ends_with_its_age_unless_use_extends_it(server: LiveServer) -> None:
    """GOV-075."""
    watch = Watch()
    tokens = Tokens(server.core.store.tokens, watch)
    _, plain = await tokens.create("ada", NewToken("plain", max_age=2 * DAY))
    _, extended = await tokens.create("ada", NewToken("extended", max_age=2 * DAY, extended=True))
    _, unlimited = await tokens.create("ada", NewToken("unlimited"))
    for values in ({plain, extended, unlimited}, {extended, unlimited}):
        watch.time += DAY + DAY // 2
        assert {one for one in (plain, extended, unlimited) if await tokens.owner(one) == "ada"} == values
    watch.time += 2 * DAY
    assert await tokens.owner(extended) is None


async def test_token_revoked_by_another_server_is_trusted_for_seconds_only(server: LiveServer) -> None:
    """GOV-076."""
    watch = Watch()
    one, other = (Tokens(server.core.store.tokens, watch) for _ in range(2))
    token, value = await one.create("ada", NewToken("ci"))
    assert await one.owner(value) == "ada"
    await other.revoke("ada", token.id)
    assert await other.owner(value) is None
    watch.time += 11 * SECOND
    assert await one.owner(value) is None
