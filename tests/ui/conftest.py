"""A server with its interface, and a browser page on it that notices what should not happen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

import penstock
from tests.ui.server import PASSWORD, USERNAME, Server, running_server

BUILT = Path(penstock.__file__).parent / "_ui" / "index.html"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a running server with the built interface; one for each worker of the test run."""
    assert BUILT.exists(), "the interface is not built: run `python -m scripts.ui_build`"
    with running_server(tmp_path_factory.mktemp("server")) as running:
        yield running


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


@contextmanager
def browser_on(chromium: Path) -> Iterator[Browser]:
    """Start Chromium for one test; a browser kept longer would hold the event loop of later async tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture
def browser(chromium_executable: Path) -> Iterator[Browser]:
    """Return a fresh browser."""
    with browser_on(chromium_executable) as started:
        yield started


@pytest.fixture
def visitor(browser: Browser, server: Server) -> Iterator[Page]:
    """Return a page of somebody who has not signed in."""
    watch = Watch(server.url)
    context = browser.new_context(base_url=server.url, viewport={"width": 1440, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.set_default_timeout(15_000)
    watch.follow(page)
    yield page
    assert watch.foreign == [], "a request left the instance"
    assert watch.errors == [], "the page reported errors"


@pytest.fixture
def page(visitor: Page) -> Page:
    """Return a page of somebody who has signed in."""
    visitor.goto("/ui/main/flows")
    sign_in(visitor)
    visitor.wait_for_url("**/ui/main/flows")
    return visitor


def sign_in(page: Page, password: str = PASSWORD) -> None:
    """Fill in and send the login form."""
    page.get_by_label("E-mail address").fill(USERNAME)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
