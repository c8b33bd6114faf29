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


TEMPLATE = """\
extend:
  templateArguments:
    - id: tables
      displayName: Tables to load
      type: MULTISELECT
      values: [orders, customers]

id: load_tables
namespace: ui.tests
tasks:
<% for value in arg.tables %>
  - id: load_<< value >>
    type: io.kestra.plugin.core.log.Log
    message: loading << value >>
<% endfor %>
"""


def test_flow_is_kept_as_a_blueprint_changed_and_deleted(page: Page, server: Server) -> None:
    """Implements GOV-347, API-111 in the browser."""
    server.create_flow(HELLO.format(id="worth_keeping"))
    page.goto("/ui/main/flows/edit/ui.tests/worth_keeping")
    page.get_by_role("link", name="Keep as a blueprint", exact=True).click()
    page.get_by_label("Tags", exact=True).fill("greeting, team")
    title = page.get_by_label("Title", exact=True)
    expect(title).to_have_value("worth_keeping")
    title.fill("Worth keeping")
    page.get_by_role("button", name="Save", exact=True).first.click()
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_label("Description", exact=True).fill("Greets whoever there is")
    page.get_by_role("button", name="Save", exact=True).first.click()
    expect(page.get_by_role("heading", name="Worth keeping", exact=True)).to_be_visible()
    page.goto("/ui/main/blueprints/own?tags=greeting")
    expect(page.get_by_role("link", name="Greets whoever there is")).to_be_visible()
    page.get_by_role("link", name="Worth keeping").first.click()
    page.get_by_role("button", name="Delete the blueprint", exact=True).click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete the blueprint", exact=True).click()
    page.wait_for_url("**/blueprints/own")
    assert "Worth keeping" not in server.client.get("/api/v1/main/blueprints/custom").text


def test_template_asks_shows_the_flow_it_makes_and_becomes_one(page: Page, server: Server) -> None:
    """Implements GOV-348 in the browser."""
    body = {"title": "Load tables", "source": TEMPLATE, "tags": ["loading"]}
    server.client.post("/api/v1/main/blueprints/custom", json=body).raise_for_status()
    page.goto("/ui/main/blueprints/own?q=load")
    page.get_by_role("link", name="Use Load tables", exact=True).click()
    expect(page.get_by_role("region", name="What it asks for")).to_contain_text("Tables to load")
    page.get_by_role("checkbox", name="customers").check()
    expect(page.get_by_role("region", name="The flow that comes of it")).to_contain_text("load_customers")
    page.get_by_role("button", name="Use", exact=True).click()
    page.get_by_role("button", name="Create", exact=True).click()
    page.wait_for_url("**/flows/edit/ui.tests/load_tables/edit*")
    tasks = server.client.get("/api/v1/main/flows/ui.tests/load_tables").json()["tasks"]
    assert [task["id"] for task in tasks] == ["load_customers"]
