"""Unsaved texts of flows, those of deleted flows too."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import PATIENCE
from tests.ui.flows import HELLO
from tests.ui.server import Server

pytestmark = pytest.mark.browser


def kept(server: Server) -> list[str]:
    """Return the names of the drafts."""
    return [draft["name"] for draft in server.client.get("/api/v1/me/drafts").json()["results"]]


def write(server: Server, flow_id: str) -> None:
    """Keep a draft of a flow."""
    body = {"source": HELLO.format(id=flow_id).replace("Greets someone.", "Half done."), "revision": 1}
    server.client.put(f"/api/v1/me/drafts/main:ui.tests:{flow_id}", json=body).raise_for_status()


def test_draft_goes_with_its_flow_when_its_writer_says_so(page: Page, server: Server) -> None:
    """BEY-043."""
    server.create_flow(HELLO.format(id="left_with_draft"))
    write(server, "left_with_draft")
    page.goto("/ui/main/flows/edit/ui.tests/left_with_draft")
    page.get_by_role("button", name="Delete flow", exact=True).click()
    dialog = page.get_by_role("alertdialog")
    dialog.get_by_label("Throw my unsaved draft of it away, too").check()
    dialog.get_by_role("button", name="Delete flow", exact=True).click()
    page.wait_for_url("**/ui/main/flows")
    assert kept(server) == []


def test_drafts_go_with_several_flows_when_their_writer_says_so(page: Page, server: Server, own_id: str) -> None:
    """BEY-043: as with one flow."""
    for flow_id in (f"{own_id}-a", f"{own_id}-b", f"{own_id}-c"):
        server.create_flow(HELLO.format(id=flow_id))
    for flow_id in (f"{own_id}-a", f"{own_id}-b", "elsewhere"):
        write(server, flow_id)
    page.goto(f"/ui/main/flows?q={own_id}")
    page.get_by_role("checkbox", name="Choose all rows of this page").check()
    page.get_by_role("toolbar").get_by_role("button", name="Delete", exact=True).click()
    dialog = page.get_by_role("alertdialog")
    dialog.get_by_label("Throw my 2 unsaved drafts of them away, too").check()
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="3 flows deleted.")).to_be_visible()
    assert kept(server) == ["main:ui.tests:elsewhere"]


def test_drafts_of_deleted_flows_are_listed_created_again_or_thrown_away(page: Page, server: Server) -> None:
    """BEY-043."""
    for flow_id in ("gone_one", "gone_two"):
        write(server, flow_id)
    page.goto("/ui/main/flows")
    page.get_by_role("button", name="Drafts").click()
    dialog = page.get_by_role("dialog", name="Drafts")
    expect(dialog.get_by_text("its flow was deleted")).to_have_count(2)
    dialog.get_by_role("button", name="Throw the draft of gone_two away", exact=True).click()
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    dialog.get_by_role("link", name="Continue with gone_one", exact=True).click()
    expect(page.locator(".view-lines")).to_contain_text("Half done.", timeout=PATIENCE)
    page.get_by_role("button", name="Create", exact=True).click()
    page.wait_for_url("**/flows/edit/ui.tests/gone_one/edit")
    expect(page.locator("header .facts")).to_contain_text("Revision 1")
    with page.expect_response(lambda answer: "/me/drafts" in answer.url):
        page.goto("/ui/main/flows")
    expect(page.get_by_role("button", name="Drafts")).to_have_count(0)
    assert kept(server) == []
