"""The page of one execution: cause, timeline, logs, facts, actions."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.ui.flows import FAILING, HELLO, LOOP, PAUSED
from tests.ui.server import Server

pytestmark = pytest.mark.browser


def open_execution(page: Page, flow_id: str, execution_id: str, tab: str = "") -> None:
    """Open the page of an execution."""
    page.goto(f"/ui/main/executions/ui.tests/{flow_id}/{execution_id}/{tab}".rstrip("/"))


def test_failed_execution_shows_its_cause_first(page: Page, server: Server) -> None:
    server.create_flow(FAILING.format(id="fails"))
    open_execution(page, "fails", server.execute("ui.tests", "fails"))
    cause = page.get_by_role("alert").filter(has_text="broken")
    expect(cause).to_contain_text("the orders are missing")
    expect(page.get_by_role("treeitem", selected=True)).to_contain_text("broken")
    expect(page.get_by_role("log")).to_contain_text("the orders are missing")
    expect(page.locator(".idle")).to_contain_text("never")
    expect(page).to_have_title("Failed · fails " + page.url.rsplit("/", 1)[1][:8] + " · Penstock")


def test_loop_is_folded_with_its_count_and_opens(page: Page, server: Server) -> None:
    server.create_flow(LOOP.format(id="loops"))
    open_execution(page, "loops", server.execute("ui.tests", "loops"))
    rows = page.get_by_role("treeitem")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("4 Success")
    page.get_by_role("button", name="Unfold each").click()
    expect(rows).to_have_count(5)


def test_paused_execution_is_resumed_live(page: Page, server: Server) -> None:
    server.create_flow(PAUSED.format(id="pauses"))
    open_execution(page, "pauses", server.execute("ui.tests", "pauses", wait=False))
    state = page.locator("header .state")
    expect(state).to_have_text("Paused")
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Resume").click()
    expect(state).to_have_text("Success")
    page.get_by_label("Tabs").get_by_role("link", name="Logs").click()
    expect(page.get_by_role("log")).to_contain_text("after the pause")


def test_kill_says_what_it_ends_and_ends_it(page: Page, server: Server) -> None:
    server.create_flow(PAUSED.format(id="killed"))
    open_execution(page, "killed", server.execute("ui.tests", "killed", wait=False))
    expect(page.locator("header .state")).to_have_text("Paused")
    page.get_by_role("button", name="Kill").click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_contain_text("is ended now")
    dialog.get_by_role("button", name="Kill").click()
    expect(page.locator("header .state")).to_have_text("Killed")


def test_logs_are_filtered_by_level_and_text(page: Page, server: Server) -> None:
    server.create_flow(FAILING.format(id="logs_of"))
    open_execution(page, "logs_of", server.execute("ui.tests", "logs_of"), "logs")
    log = page.get_by_role("log")
    expect(log).to_contain_text("all is well")
    page.get_by_label("Level").select_option("ERROR")
    expect(log).not_to_contain_text("all is well")
    expect(log).to_contain_text("the orders are missing")
    page.get_by_label("Search the logs").fill("no such text")
    expect(log).to_contain_text("No line fits.")


def test_execute_again_starts_with_the_same_inputs(page: Page, server: Server) -> None:
    server.create_flow(HELLO.format(id="repeated"))
    answer = server.client.post(
        "/api/v1/main/executions/ui.tests/repeated", params={"wait": "true"}, files={"name": (None, "Ada")}
    )
    open_execution(page, "repeated", answer.json()["id"])
    page.get_by_role("link", name="Execute again").click()
    expect(page.get_by_label("name")).to_have_value("Ada")
    page.get_by_role("dialog").get_by_role("button", name="Execute").click()
    page.wait_for_url(lambda url: "/executions/ui.tests/repeated/" in url and answer.json()["id"] not in url)
    expect(page.locator("header .state")).to_have_text("Success")
    page.get_by_role("link", name="Outputs").click()
    page.get_by_role("button", name="greeting").click()
    expect(page.get_by_role("main")).to_contain_text("Hello, Ada!")


def test_overview_shows_inputs_and_states(page: Page, server: Server) -> None:
    """ENG-135."""
    server.create_flow(HELLO.format(id="facts"))
    open_execution(page, "facts", server.execute("ui.tests", "facts"), "overview")
    main = page.get_by_role("main")
    expect(main).to_contain_text("world")
    expect(main.locator("section", has_text="States").locator(".state").first).to_have_text("Created")
