"""Who is let in: Basic headers, sessions, set-up, forged requests, guessing."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from penstock.services.auth import Credentials
from tests.api.flows import HELLO
from tests.support.live import USER, LiveServer, live_server

FLOWS = "/api/v1/main/flows"
LOGIN = {"username": USER.username, "password": USER.password}
INTERFACE = {"X-Requested-With": "penstock"}


@pytest.mark.parametrize(
    "path",
    [
        f"{FLOWS}/search",
        "/api/v1/flows/search",
        "/api/v1/main/executions/search",
        "/api/v1/main/executions/unknown/follow",
        "/api/v1/main/schemas/flow.json",
        "/api/v1/plugins",
        "/api",
        "/openapi.json",
        "/nothing",
    ],
)
async def test_request_without_credentials_is_refused(server: LiveServer, path: str) -> None:
    """API-003."""
    async with server.visitor() as visitor:
        answer = await visitor.get(path)
    assert answer.status_code == 401
    assert answer.json()["code"] == "LOGIN_REQUIRED"
    assert answer.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize("path", ["executions/webhook/hello", "executions/team/basicAuth", "executions/webhook/eval/x"])
async def test_request_that_looks_like_an_open_one_is_refused(server: LiveServer, path: str) -> None:
    async with server.visitor() as visitor:
        assert (await visitor.post(f"/api/v1/main/{path}")).status_code == 401


async def test_request_with_a_wrong_password_is_refused(server: LiveServer) -> None:
    async with server.visitor(auth=httpx.BasicAuth(USER.username, "Wrong1234")) as visitor:
        assert (await visitor.get(f"{FLOWS}/search")).status_code == 401
    async with server.visitor(headers={"Authorization": "Bearer something"}) as visitor:
        assert (await visitor.get(f"{FLOWS}/search")).status_code == 401


async def test_browser_is_not_shown_its_own_dialog(server: LiveServer) -> None:
    async with server.visitor(headers=INTERFACE) as visitor:
        answer = await visitor.get(f"{FLOWS}/search")
    assert answer.status_code == 401
    assert "www-authenticate" not in answer.headers


async def test_login_begins_a_session_that_logout_ends(server: LiveServer) -> None:
    """API-003, OPS-181."""
    async with server.visitor(headers=INTERFACE) as visitor:
        answer = await visitor.post("/login", json=LOGIN)
        assert answer.status_code == 200
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("BASIC_AUTH=")
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert USER.password not in cookie
        assert (await visitor.get(f"{FLOWS}/search")).status_code == 200
        assert (await visitor.post(FLOWS, content=HELLO)).status_code == 200
        session = visitor.cookies["BASIC_AUTH"]
        await visitor.post("/logout")
        assert (await visitor.get(f"{FLOWS}/search")).status_code == 401
    async with server.visitor(cookies={"BASIC_AUTH": session}) as visitor:  # who kept it, or stole it
        assert (await visitor.get(f"{FLOWS}/search")).status_code == 401


async def test_login_takes_a_form_too_and_refuses_the_wrong_password(server: LiveServer) -> None:
    async with server.visitor() as visitor:
        assert (await visitor.post("/login", data=LOGIN)).status_code == 200
        wrong = await visitor.post("/login", json={**LOGIN, "password": "Wrong1234"})
        assert wrong.status_code == 401
        assert (await visitor.post("/login", json={"username": "a"})).status_code == 400


async def test_session_cookie_that_was_changed_is_refused(server: LiveServer) -> None:
    async with server.visitor(headers=INTERFACE) as visitor:
        await visitor.post("/login", json=LOGIN)
        value = visitor.cookies["BASIC_AUTH"]
    for forged in (value[:-1] + ("A" if value[-1] != "A" else "B"), "9" + value, "..", "a.b.c"):
        async with server.visitor(cookies={"BASIC_AUTH": forged}) as visitor:
            assert (await visitor.get(f"{FLOWS}/search")).status_code == 401


async def test_documented_cookie_with_name_and_password_is_accepted(server: LiveServer) -> None:
    """OPS-181."""
    value = base64.b64encode(f"{USER.username}:{USER.password}".encode()).decode()
    async with server.visitor(cookies={"BASIC_AUTH": value}) as visitor:
        assert (await visitor.get(f"{FLOWS}/search")).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://server"}, 200),
        ({"X-Requested-With": "penstock"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
async def test_change_by_cookie_needs_a_sign_of_the_interface(
    server: LiveServer, headers: dict[str, str], status: int
) -> None:
    async with server.visitor() as visitor:
        await visitor.post("/login", json=LOGIN)
        assert (await visitor.post(FLOWS, content=HELLO, headers=headers)).status_code == status
        assert (await visitor.get(f"{FLOWS}/search", headers=headers)).status_code == 200


async def test_login_asked_for_by_another_page_is_refused(server: LiveServer) -> None:
    async with server.visitor(headers={"Origin": "http://evil.example"}) as visitor:
        answer = await visitor.post("/login", json=LOGIN)
    assert answer.status_code == 403
    assert answer.json()["code"] == "FORGED_REQUEST"


async def test_guessing_is_stopped_for_the_guesser_alone(server: LiveServer) -> None:
    """MIG-061."""
    async with server.visitor() as visitor:
        for _ in range(10):
            assert (await visitor.post("/login", json={**LOGIN, "password": "Wrong1234"})).status_code == 401
        locked = await visitor.post("/login", json=LOGIN)
    assert locked.status_code == 429
    assert int(locked.json()["hint"].split()[3]) > 60
    elsewhere = httpx.ASGITransport(server.app, client=("10.0.0.9", 1))
    async with httpx.AsyncClient(transport=elsewhere, base_url="http://server") as other:
        assert (await other.post("/login", json=LOGIN)).status_code == 200


async def test_guesser_who_is_locked_out_is_not_told_that_a_guess_is_right(server: LiveServer) -> None:
    """MIG-061: a header that has been right before waits as well."""
    assert (await server.client.get(f"{FLOWS}/search")).status_code == 200
    here = httpx.ASGITransport(server.app, client=("10.0.0.7", 1))
    async with httpx.AsyncClient(transport=here, base_url="http://server") as guesser:
        for _ in range(10):
            await guesser.get(f"{FLOWS}/search", auth=(USER.username, "Wrong1234"))
        right = await guesser.get(f"{FLOWS}/search", auth=(USER.username, USER.password))
    assert right.status_code == 429
    assert (await server.client.get(f"{FLOWS}/search")).status_code == 200


async def test_first_account_is_made_on_the_set_up_page_once(tmp_path: Path) -> None:
    """OPS-180, MIG-060, UI-002."""
    async with live_server(tmp_path, credentials=None) as server, server.visitor() as visitor:
        assert (await visitor.get("/api/v1/configs")).json()["isBasicAuthInitialized"] is False
        assert (await visitor.get(f"{FLOWS}/search")).status_code == 401
        weak = await visitor.post("/api/v1/main/basicAuth", json={"username": "ada", "password": "short"})
        assert weak.status_code == 422
        assert "e-mail" in weak.json()["message"]
        made = await visitor.post("/api/v1/main/basicAuth", json={"uid": "1", **LOGIN})
        assert made.status_code == 204
        assert (await visitor.get("/api/v1/configs")).json()["isBasicAuthInitialized"] is True
        assert (await visitor.get(f"{FLOWS}/search", auth=(USER.username, USER.password))).status_code == 200
        again = await visitor.post(
            "/api/v1/main/basicAuth", json={"username": "eve@example.com", "password": "Evil1234"}
        )
        assert again.status_code == 409


async def test_account_made_by_set_up_outlives_a_restart(tmp_path: Path) -> None:
    async with live_server(tmp_path, credentials=None) as server, server.visitor(headers=INTERFACE) as visitor:
        await visitor.post("/api/v1/main/basicAuth", json=LOGIN)
        await visitor.post("/login", json=LOGIN)
        session = visitor.cookies["BASIC_AUTH"]
    async with (
        live_server(tmp_path, credentials=None) as server,
        server.visitor(cookies={"BASIC_AUTH": session}) as visitor,
    ):
        assert (await visitor.get(f"{FLOWS}/search")).status_code == 200


async def test_configured_credentials_that_are_weak_are_reported(tmp_path: Path) -> None:
    """OPS-208."""
    weak = Credentials("admin", "kestra")
    async with live_server(tmp_path, credentials=weak) as server, server.visitor() as visitor:
        problems = (await visitor.get("/api/v1/basicAuthValidationErrors")).json()
        assert len(problems) == 2
        answer = await visitor.post(
            "/api/v1/main/basicAuth", json={"username": "mallory@example.com", "password": "Secret1234"}
        )
        assert answer.status_code == 409, "a visitor must not make the account that the configuration got wrong"
        assert "kestra.server.basic-auth" in answer.text
        assert (await visitor.get("/api/v1/configs")).json()["isBasicAuthInitialized"] is False


async def test_configs_tell_a_visitor_only_what_the_login_page_needs(server: LiveServer) -> None:
    """API-041."""
    async with server.visitor() as visitor:
        assert set((await visitor.get("/api/v1/configs")).json()) == {"version", "edition", "isBasicAuthInitialized"}
    full = (await server.client.get("/api/v1/configs")).json()
    assert full["version"] == "1.2.3"
    assert len(full["uuid"]) == 36
    assert full["uuid"] == (await server.client.get("/api/v1/configs")).json()["uuid"]


async def test_open_urls_of_the_configuration_need_no_login(tmp_path: Path) -> None:
    """OPS-077."""
    opened = ("/api/v1/main/flows/",)
    async with (
        live_server(tmp_path, change=lambda given: replace(given, open_urls=opened)) as server,
        server.visitor() as visitor,
    ):
        assert (await visitor.get(f"{FLOWS}/search")).status_code == 200
        assert (await visitor.get("/api/v1/main/executions/search")).status_code == 401
