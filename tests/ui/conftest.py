"""A server with its interface, and a browser page on it that notices what should not happen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

import penstock
from tests.support.second_try import is_second_try
from tests.ui.server import PASSWORD, USERNAME, Server, running_server

PATIENCE = 60_000
"""How many milliseconds a test waits for what the page shall show: machines are busy with other tests."""
expect.set_options(timeout=PATIENCE)
BUILT = Path(penstock.__file__).parent / "_ui" / "index.html"


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a running server with the built interface; one for each worker of the test run."""
    assert BUILT.exists(), "the interface is not built: run `python -m scripts.ui_build`"
    with running_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def server(shared_server: Server, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """Return the server of all tests; a second try has one of its own, without what the first has left behind."""
    if not is_second_try(request.node):
        yield shared_server
        return
    with running_server(tmp_path) as fresh:
        yield fresh


@pytest.fixture
def own_id() -> str:
    """Return the id of something no other test of the server has, nor an earlier try of the same test."""
    return f"own-{uuid4().hex[:8]}"


@dataclass
class Watch:
    """What a page did that it should not: foreign requests, script errors, refused resources."""

    origin: str
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        """Listen to a page from now on."""
        page.on("request", self._request)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._console)

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.origin, "data:", "blob:")):
            self.foreign.append(request.url)

    def _console(self, message: ConsoleMessage) -> None:
        # The browser itself reports every answer of 400 and more; tests that provoke one look at the page.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.errors.append(message.text)


@pytest.fixture(scope="module")
def browser(chromium_executable: Path) -> Iterator[Browser]:
    """Return a browser; kept beyond these tests it would hold the event loop of asynchronous ones."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(chromium_executable), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def visitor(browser: Browser, server: Server) -> Iterator[Page]:
    """Return a page of somebody who has not signed in, and who has set and starred nothing yet."""
    assert server.client.delete("/api/v1/me/preferences").status_code == 204
    for draft in server.client.get("/api/v1/me/drafts").json()["results"]:
        server.client.delete(f"/api/v1/me/drafts/{quote(draft['name'], safe='')}", params={"seen": draft["version"]})
    watch = Watch(server.url)
    context = browser.new_context(base_url=server.url, viewport={"width": 1440, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    watch.follow(page)
    yield page
    context.close()
    assert watch.foreign == [], "a request left the instance"
    assert watch.errors == [], "the page reported errors"


@pytest.fixture
def page(visitor: Page, server: Server) -> Page:
    """Return an empty page of somebody who has signed in."""
    visitor.context.add_cookies([{"name": name, "value": value, "url": server.url} for name, value in server.session()])
    return visitor


def sign_in(page: Page, password: str = PASSWORD) -> None:
    """Fill in and send the login form."""
    page.get_by_label("E-mail address").fill(USERNAME)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def settled(page: Page) -> None:
    """Wait until a page shows what it has instead of that it loads."""
    page.get_by_role("main").wait_for()
    page.get_by_role("heading", level=1).first.wait_for(state="attached")
    expect(page.locator(".skeleton, .waiting")).to_have_count(0)
