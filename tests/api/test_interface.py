"""The files of the web interface, as a browser gets them."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from penstock.api.routes.interface import InterfaceRoutes
from scripts.ui_build import compress

_SCRIPT = "export const answer = 42;\n" * 200


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "app-1234.js").write_text(_SCRIPT)
    (tmp_path / "assets" / "small-1234.js").write_text("1")
    (tmp_path / "index.html").write_text("<html>page</html>")
    compress(tmp_path)
    app = Starlette(routes=InterfaceRoutes(tmp_path, "").routes())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


@pytest.mark.parametrize("accepted", ["gzip", "br, gzip;q=0.5", "*", "GZIP"])
async def test_asset_for_a_browser_that_takes_gzip_is_sent_compressed(
    browser: httpx.AsyncClient, accepted: str
) -> None:
    async with browser.stream("GET", "/ui/assets/app-1234.js", headers={"Accept-Encoding": accepted}) as answer:
        raw = b"".join([piece async for piece in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    assert int(answer.headers["content-length"]) == len(raw) < len(_SCRIPT) / 5
    assert gzip.decompress(raw).decode() == _SCRIPT


@pytest.mark.parametrize("accepted", ["identity", "", "br", "gzip;q=0", "*;q=0", "gzip;q=0.0, *"])
async def test_asset_for_a_browser_without_gzip_is_sent_as_it_is(browser: httpx.AsyncClient, accepted: str) -> None:
    answer = await browser.get("/ui/assets/app-1234.js", headers={"Accept-Encoding": accepted})
    assert "content-encoding" not in answer.headers
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.text == _SCRIPT


async def test_asset_without_compressed_form_is_sent_as_it_is(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/ui/assets/small-1234.js", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    assert answer.text == "1"


async def test_page_of_the_interface_is_asked_for_again_each_time(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/ui/flows/company.team/hello", headers={"Accept-Encoding": "gzip"})
    assert answer.text == "<html>page</html>"
    assert answer.headers["cache-control"] == "no-cache"


async def test_forms_of_an_asset_have_different_tags(browser: httpx.AsyncClient) -> None:
    plain, packed = [
        await browser.get("/ui/assets/app-1234.js", headers={"Accept-Encoding": accepted})
        for accepted in ("identity", "gzip")
    ]
    assert plain.headers["etag"] != packed.headers["etag"]
