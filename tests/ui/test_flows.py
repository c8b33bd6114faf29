"""The list of flows, creating, editing, revisions and deleting."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.ui.flows import FAILING, HELLO
from tests.ui.server import Server

pytestmark = pytest.mark.browser


def write_source(page: Page, source: str) -> None:
    """Replace the whole text of the editor."""
    page.locator(".monaco-editor .view-lines").first.click()
    page.keyboard.press("Control+A")
    # Pasted, because the editor indents and completes what is typed.
    page.evaluate("text => navigator.clipboard.writeText(text)", source)
    page.keyboard.press("Control+V")


def test_new_flow_runs_as_it_is_offered(page: Page) -> None:
    """ENG-379: created, executed, and its timeline right after the launch."""
    page.goto("/ui/main/flows")
    page.get_by_role("link", name="New flow").first.click()
    page.locator(".monaco-editor .view-line").first.wait_for()
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/flows/edit/company.team/hello/edit")
    page.get_by_role("button", name="Execute").click()
    page.get_by_label("name").fill("Ada")
    page.get_by_role("dialog").get_by_role("button", name="Execute").click()
    page.wait_for_url("**/executions/company.team/hello/*")
    expect(page.locator("header .state")).to_have_text("Success")
    page.get_by_role("treeitem").filter(has_text="say").click()
    expect(page.get_by_role("log")).to_contain_text("Hello, Ada!")


def test_invalid_source_is_marked_at_its_line_and_not_saved(page: Page) -> None:
    page.goto("/ui/main/flows/new")
    write_source(page, HELLO.format(id="misspelt").replace("core.log.Log", "core.log.Nothing"))
    problems = page.get_by_role("region", name="Problems")
    expect(problems).to_contain_text("io.kestra.plugin.core.log.Nothing")
    expect(problems).to_contain_text("13:")
    page.get_by_role("button", name="Create").click()
    expect(problems).to_contain_text("io.kestra.plugin.core.log.Nothing")
    expect(page).to_have_url(page.url)
    assert page.url.endswith("/flows/new")


def test_unsaved_source_survives_a_reload(page: Page, server: Server) -> None:
    server.create_flow(HELLO.format(id="draft"))
    page.goto("/ui/main/flows/edit/ui.tests/draft/edit")
    write_source(page, HELLO.format(id="draft") + "\ndisabled: true\n")
    expect(page.get_by_text("Unsaved changes")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Unsaved changes")).to_be_visible()
    page.get_by_role("button", name="Discard changes").click()
    expect(page.get_by_text("Unsaved changes")).to_be_hidden()


def test_saved_source_is_a_new_revision_and_an_old_one_can_be_restored(page: Page, server: Server) -> None:
    """ENG-379, UI-063."""
    first = HELLO.format(id="revised")
    server.create_flow(first)
    page.goto("/ui/main/flows/edit/ui.tests/revised/edit")
    write_source(page, first.replace("Greets someone.", "Greets everyone."))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("header .facts")).to_contain_text("Revision 2")
    page.get_by_role("link", name="Revisions").click()
    difference = page.get_by_role("region", name="Revision 2 compared with revision 1")
    expect(difference).to_contain_text("Greets everyone.")
    expect(difference).to_contain_text("Greets someone.")
    page.get_by_role("button", name="Revision 1").click()
    page.get_by_role("button", name="Restore").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Restore").click()
    expect(page.locator("header .facts")).to_contain_text("Revision 3")
    restored = server.client.get("/api/v1/main/flows/ui.tests/revised", params={"source": "true"}).json()
    assert restored["source"] == first


def test_list_search_and_namespace_stay_in_the_address(page: Page, server: Server) -> None:
    server.create_flow(HELLO.format(id="findable"))
    server.create_flow(HELLO.format(id="elsewhere").replace("ui.tests", "ui.others"))
    page.goto("/ui/main/flows")
    page.get_by_role("searchbox").fill("findable")
    page.wait_for_url("**/flows?q=findable")
    expect(page.get_by_role("link", name="findable").first).to_be_visible()
    expect(page.get_by_role("link", name="elsewhere")).to_have_count(0)
    page.goto("/ui/main/flows?namespace=ui.others")
    expect(page.get_by_role("link", name="elsewhere").first).to_be_visible()
    expect(page.get_by_role("link", name="findable")).to_have_count(0)
    page.get_by_role("button", name="Remove the filter Namespace").click()
    page.wait_for_url("**/flows")


def test_list_shows_the_last_execution_state(page: Page, server: Server) -> None:
    server.create_flow(FAILING.format(id="fails_here"))
    server.execute("ui.tests", "fails_here")
    page.goto("/ui/main/flows?q=fails_here")
    expect(page.get_by_role("row").filter(has_text="fails_here").locator(".state")).to_have_text("Failed")


def test_delete_names_what_is_deleted_and_leads_to_the_list(page: Page, server: Server) -> None:
    server.create_flow(HELLO.format(id="doomed"))
    page.goto("/ui/main/flows/edit/ui.tests/doomed")
    page.get_by_role("button", name="Delete flow").click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_contain_text("The flow doomed of ui.tests")
    dialog.get_by_role("button", name="Delete flow").click()
    page.wait_for_url("**/ui/main/flows")
    assert server.client.get("/api/v1/main/flows/ui.tests/doomed").status_code == 404
