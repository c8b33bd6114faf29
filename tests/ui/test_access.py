"""Signing in and out, and addresses that lead to pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.ui.conftest import sign_in
from tests.ui.flows import HELLO
from tests.ui.server import PASSWORD, USERNAME, Server, running_server

pytestmark = pytest.mark.browser


def test_login_wrong_password_is_said_at_the_form(visitor: Page) -> None:
    visitor.goto("/ui/")
    sign_in(visitor, password="Wrong1234")
    expect(visitor.get_by_role("alert")).to_contain_text("do not fit together")
    expect(visitor.get_by_label("Password")).to_be_visible()


def test_login_after_a_page_was_asked_for_leads_back_to_it(visitor: Page) -> None:
    visitor.goto("/ui/main/executions?state=FAILED")
    visitor.wait_for_url("**/ui/main/login?from=**")
    sign_in(visitor)
    visitor.wait_for_url("**/ui/main/executions?state=FAILED")
    expect(visitor.get_by_role("button", name="Remove the filter State")).to_be_visible()


def test_address_without_tenant_opens_the_execution(page: Page, server: Server) -> None:
    server.create_flow(HELLO.format(id="linked"))
    execution_id = server.execute("ui.tests", "linked")
    page.goto(f"/ui/executions/ui.tests/linked/{execution_id}")
    page.wait_for_url(f"**/ui/main/executions/ui.tests/linked/{execution_id}")
    expect(page.get_by_role("heading", name="linked")).to_be_visible()


def test_unknown_address_offers_the_way_back(page: Page) -> None:
    page.goto("/ui/main/nothing/here")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Flows").click()
    page.wait_for_url("**/ui/main/flows")


def test_first_start_creates_the_first_user(browser: Browser, tmp_path: Path) -> None:
    """ENG-384; implements UI-003 in the browser: from nothing to an execution."""
    with running_server(tmp_path, has_user=False) as server:
        page = browser.new_page(base_url=server.url)
        page.goto("/ui/main/executions")
        page.wait_for_url("**/ui/main/setup")
        page.get_by_label("E-mail address").fill(USERNAME)
        page.get_by_label("Password").fill("short")
        page.get_by_role("button", name="Create and sign in").click()
        expect(page.locator("#rules .unmet").first).to_be_visible()
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Create and sign in").click()
        page.wait_for_url("**/ui/main/dashboards")
        assert server.client.get("/api/v1/main/flows/search").json()["total"] == 0
        page.get_by_role("link", name="Create my first flow").click()
        tour = page.get_by_role("complementary", name="Tour")
        expect(tour).to_contain_text("step 1 of 4")
        page.set_viewport_size({"width": 360, "height": 740})  # the card leaves a telephone's page to be used
        page.get_by_role("button", name="Create").click()
        page.wait_for_url("**/flows/edit/company.team/hello/edit")
        page.set_viewport_size({"width": 1280, "height": 720})
        expect(tour).to_contain_text("step 2 of 4")
        page.get_by_role("link", name="Dashboards").click()
        expect(tour).to_contain_text("The tour waits for you")
        page.get_by_role("link", name="Go on with hello").click()
        page.get_by_role("dialog").get_by_role("button", name="Execute").click()
        page.wait_for_url("**/executions/company.team/hello/*")
        expect(tour).to_contain_text("Your first execution has succeeded")
        tour.get_by_role("link", name="To the dashboard").click()
        expect(tour).to_be_hidden()
        expect(page.get_by_role("region", name="Executions", exact=True)).to_contain_text("1")


def test_sign_out_ends_the_session(page: Page) -> None:
    page.goto("/ui/main/flows")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.wait_for_url("**/ui/main/login")
    page.goto("/ui/main/flows")
    page.wait_for_url("**/ui/main/login?from=**")
