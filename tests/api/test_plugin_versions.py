"""Plugins with environments of their own, through the API."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.support.live import live_server

PLACES = ["/api/v1/instance/versioned-plugins", "/api/v1/cluster/versioned-plugins"]


@pytest.mark.parametrize("place", PLACES)
async def test_versions_of_plugins_are_listed_and_removed(tmp_path: Path, place: str) -> None:
    """ENG-322, GOV-377: also under the older path."""
    for version in ("1.9", "1.10"):
        (tmp_path / "plugins" / "penstock-paint" / version / "lib").mkdir(parents=True)
    for other in ("penstock-paint/notes/lib", "penstock-paint/2.0", "repository"):  # what is none of them
        (tmp_path / "plugins" / other).mkdir(parents=True)
    (tmp_path / "plugins" / "plugin.jar").touch()
    async with live_server(tmp_path, managed_plugins=tmp_path / "plugins") as server:
        listed = (await server.client.get(place)).json()
        assert listed["total"] == 2
        assert listed["results"][0] == {"groupId": "python", "artifactId": "penstock-paint", "version": "1.9"}
        one = (await server.client.get(f"{place}/python/penstock-paint")).json()
        assert one["versions"] == ["1.10", "1.9"]
        body = {"plugins": ["python:penstock-paint:1.9"]}
        gone = await server.client.request("DELETE", f"{place}/uninstall", json=body)
        assert gone.json() == {"plugins": listed["results"][:1]}
        again = await server.client.request("DELETE", f"{place}/uninstall", json=body)
        assert again.status_code == 404
        assert (await server.client.get(f"{place}/python/other")).status_code == 404


async def test_plugin_that_cannot_be_installed_says_why(tmp_path: Path) -> None:
    """ENG-322."""
    async with live_server(tmp_path, managed_plugins=tmp_path / "plugins") as server:
        answer = await server.client.post(f"{PLACES[0]}/install", json={"plugins": ["no plugin!"]})
        assert answer.status_code == 422
        assert "names no plugin" in answer.text
        async with server.visitor() as visitor:
            assert (await visitor.post(f"{PLACES[0]}/install", json={"plugins": ["x"]})).status_code == 401


async def test_plugins_are_not_managed_where_the_operator_wants_none(tmp_path: Path) -> None:
    """GOV-373."""
    async with live_server(tmp_path) as server:
        answer = await server.client.get(PLACES[0])
        assert answer.status_code == 409
        assert "kestra.plugins.management.enabled" in answer.text


async def test_lists_of_what_could_be_installed_are_empty(client: httpx.AsyncClient) -> None:
    """API-110: there is no catalogue of packages."""
    for kind in ("", "/secrets-managers", "/storages"):
        answer = await client.get(f"/api/v1/instance/versioned-plugins/available{kind}")
        assert (answer.status_code, answer.json()) == (200, []), kind
