"""Namespaces and plugins: key-value pairs, files, settings, and the documentation of types."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.ui.flows import HELLO
from tests.ui.server import Server
from tests.ui.test_flows import write_source

pytestmark = pytest.mark.browser


def test_key_is_made_changed_and_deleted(page: Page, server: Server) -> None:
    """Implements UI-142 in the browser."""
    page.goto("/ui/main/namespaces/ui.pairs/kv")
    page.get_by_role("button", name="New key").click()
    dialog = page.get_by_role("alertdialog")
    dialog.get_by_label("Key").fill("limit")
    dialog.get_by_label("Type").select_option("NUMBER")
    dialog.get_by_label("Value").fill("many")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("not a number")
    dialog.get_by_label("Value").fill("12")
    dialog.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="limit", exact=True).click()
    expect(dialog.get_by_label("Value")).to_have_value("12")
    dialog.get_by_label("Type").select_option("STRING")
    dialog.get_by_label("Value").fill("13")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    kept = server.client.get("/api/v1/main/namespaces/ui.pairs/kv/limit").json()
    assert (kept["type"], kept["value"]) == ("STRING", "13")
    page.get_by_role("button", name="Delete limit").click()
    dialog.get_by_role("button", name="Delete key").click()
    expect(page.get_by_text("No key yet")).to_be_visible()


def test_file_is_made_written_and_deleted(page: Page, server: Server) -> None:
    page.goto("/ui/main/namespaces/ui.filed/files")
    page.get_by_role("button", name="New file").click()
    dialog = page.get_by_role("alertdialog")
    dialog.get_by_label("Path").fill("scripts/load.py")
    dialog.get_by_role("button", name="New file").click()
    editor = page.get_by_role("region", name="/scripts/load.py")
    expect(editor).to_be_visible()
    write_source(page, "print('loaded')\n")
    editor.get_by_role("button", name="Save").click()
    expect(editor.get_by_text("Unsaved changes")).to_be_hidden()
    kept = server.client.get("/api/v1/main/namespaces/ui.filed/files", params={"path": "/scripts/load.py"})
    assert kept.text.strip() == "print('loaded')"
    editor.get_by_role("button", name="Delete file").click()
    dialog.get_by_role("button", name="Delete file").click()
    expect(page.get_by_text("No file is open")).to_be_visible()


def test_variables_of_a_namespace_are_kept(page: Page, server: Server) -> None:
    server.create_flow(HELLO.format(id="settled").replace("ui.tests", "ui.settings"))
    page.goto("/ui/main/namespaces/ui.settings/settings")
    write_source(page, '{"region": "eu"}')
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert server.client.get("/api/v1/main/namespaces/ui.settings").json()["variables"] == {"region": "eu"}


def test_namespaces_are_found_and_lead_to_their_flows(page: Page, server: Server) -> None:
    """Implements UI-141 in the browser."""
    server.create_flow(HELLO.format(id="housed"))
    page.goto("/ui/main/namespaces")
    page.get_by_role("searchbox").fill("ui.tests")
    page.get_by_role("link", name="ui.tests", exact=True).click()
    expect(page.get_by_role("row").filter(has_text="housed").first).to_be_visible()


def test_documentation_of_a_type_tells_its_properties(page: Page) -> None:
    """Implements UI-147 in the browser."""
    page.goto("/ui/main/plugins")
    page.get_by_role("searchbox").fill("core.log.log")
    page.get_by_role("main").get_by_role("link", name="Log").first.click()
    page.wait_for_url("**/plugins/io.kestra.plugin.core.log.Log")
    main = page.get_by_role("main")
    expect(main).to_contain_text("message")
    expect(main).to_contain_text("The text, or a list of texts that give a line each.")
    expect(main).not_to_contain_text("Implements")
