"""Blueprints: found, looked at, and made into flows."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.ui.flows import HELLO
from tests.ui.server import Server

pytestmark = pytest.mark.browser


def test_blueprint_is_found_by_tag_and_text_and_becomes_a_flow(page: Page, server: Server) -> None:
    """Implements ENG-378 in the browser."""
    page.goto("/ui/main/blueprints")
    page.get_by_role("button", name="Getting started").click()
    page.get_by_label("Search blueprints").fill("greets")
    page.get_by_role("link", name="A first flow").first.click()
    expect(page.get_by_role("heading", name="A first flow")).to_be_visible()
    expect(page.locator(".monaco-editor").first).to_contain_text("first-flow")
    page.get_by_role("link", name="Use", exact=True).click()
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/flows/edit/company.team/first-flow/edit*")
    assert server.client.get("/api/v1/main/flows/company.team/first-flow").json()["tasks"][0]["id"] == "greet"


def test_blueprint_search_that_finds_nothing_offers_a_way_back(page: Page) -> None:
    page.goto("/ui/main/blueprints?q=nothing-like-this")
    page.get_by_role("button", name="Clear filters").click()
    expect(page.get_by_role("link", name="Use A first flow")).to_be_visible()


def test_blueprint_taken_into_a_flow_keeps_its_names_and_is_undone(page: Page, server: Server) -> None:
    """Implements UI-076."""
    server.create_flow(HELLO.format(id="with_blueprint"))
    page.goto("/ui/main/flows/edit/ui.tests/with_blueprint/edit?panes=source,blueprints")
    page.get_by_role("button", name="Use A first flow").click()
    editor = page.locator(".monaco-editor").first
    expect(editor).to_contain_text("id: greet")
    expect(editor).to_contain_text("with_blueprint")
    page.get_by_role("button", name="Undo").click()
    expect(editor).to_contain_text("id: greeting")
