"""Assets: found, looked into, and followed to what they are made of."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.ui.server import Server

pytestmark = pytest.mark.browser

MAKING = """\
id: making
namespace: ui.tests
tasks:
  - id: load
    type: io.kestra.plugin.core.debug.Return
    format: x
    assets:
      inputs: [{id: ui.source}]
      outputs:
        - {id: ui.orders, type: TABLE, namespace: ui.tests, description: All **orders**, metadata: {system: postgres}}
  - id: sum
    type: io.kestra.plugin.core.debug.Return
    format: x
    assets:
      inputs: [{id: ui.orders}]
      outputs: [{id: ui.sums, type: io.kestra.plugin.ee.assets.File}]
"""


def test_asset_is_found_by_type_and_shows_what_it_came_of_and_who_uses_it(page: Page, server: Server) -> None:
    """Implements GOV-333, GOV-336, GOV-339 in the browser."""
    server.create_flow(MAKING)
    execution_id = server.execute("ui.tests", "making")
    page.goto("/ui/main/assets?q=ui.")
    page.get_by_role("button", name="Filter", exact=True).click()
    page.get_by_label("Type", exact=True).fill("Table")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_role("row").filter(has_text="ui.sums")).to_have_count(0)
    page.get_by_role("link", name="ui.orders").click()
    expect(page.get_by_text("postgres")).to_be_visible()
    expect(page.get_by_role("link", name="making")).to_be_visible()
    page.get_by_role("link", name="Lineage", exact=True).click()
    graph = page.get_by_role("group", name="What it is made of, and what is made of it")
    for name in ("ui.source", "ui.orders", "ui.sums", "making"):
        expect(graph.get_by_role("button", name=name)).to_be_visible()
    page.get_by_role("link", name="Uses", exact=True).click()
    made = page.get_by_role("row").filter(has_text="load")
    expect(made).to_contain_text("Made")
    expect(made.get_by_role("link", name=execution_id[:8])).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="ui.sums")).to_contain_text("Used")


def test_asset_is_written_by_hand_changed_and_deleted(page: Page, server: Server) -> None:
    """Implements GOV-339, API-121 in the browser."""
    page.goto("/ui/main/assets/new")
    page.get_by_role("button", name="Create", exact=True).click()
    page.wait_for_url("**/assets/shop.orders")
    expect(page.get_by_role("heading", name="Orders of the shop")).to_be_visible()
    page.get_by_role("link", name="Source", exact=True).click()
    editor = page.locator(".monaco-editor").first
    expect(editor).to_contain_text("database: shop")
    editor.click()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text("\ndescription: Kept by hand\n")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Overview", exact=True).click()
    expect(page.get_by_text("Kept by hand")).to_be_visible()
    page.get_by_role("button", name="Delete the asset", exact=True).click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete the asset", exact=True).click()
    page.wait_for_url("**/ui/main/assets")
    assert server.client.get("/api/v1/main/assets/shop.orders").status_code == 404
