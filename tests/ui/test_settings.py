"""The reader's own settings, saved searches, bookmarks, and the page of the instance."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.ui.conftest import PATIENCE
from tests.ui.flows import FAILING, HELLO
from tests.ui.server import Server

pytestmark = pytest.mark.browser


def test_settings_take_effect_and_are_kept(page: Page, server: Server) -> None:
    """Implements UI-020, UI-022, UI-023 in the browser."""
    server.create_flow(HELLO.format(id="dated"))
    execution_id = server.execute("ui.tests", "dated")
    page.goto("/ui/main/flows")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Settings").click()
    page.get_by_label("Theme").first.select_option("Dark")
    page.get_by_label("Name of this environment").fill("staging")
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    page.get_by_label("Date format").select_option("iso")
    expect(page.locator("html")).to_have_css("background-color", "rgb(13, 16, 20)")
    expect(page.get_by_role("navigation", name="Sections")).to_contain_text("staging")
    page.goto(f"/ui/main/executions?q={execution_id}")
    started = page.get_by_role("row").filter(has_text="dated").get_by_role("time")
    expect(started).to_have_attribute("title", re.compile(r"T\d\d:\d\d:\d\d\+09:00$"))


def test_settings_are_reset_after_a_question(page: Page) -> None:
    page.goto("/ui/main/settings")
    page.get_by_label("Rows of a page").select_option("100")
    page.get_by_role("button", name="Reset all").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Reset all").click()
    expect(page.get_by_label("Rows of a page")).to_have_value("25")


def test_flow_opens_on_the_tab_of_the_settings(page: Page, server: Server) -> None:
    """Implements UI-021 in the browser."""
    server.create_flow(HELLO.format(id="tabbed"))
    page.goto("/ui/main/settings")
    page.get_by_label("A flow opens on").select_option("Executions")
    page.goto("/ui/main/flows/edit/ui.tests/tabbed")
    expect(page.get_by_role("link", name="Executions").last).to_have_attribute("aria-current", "page")


def test_search_is_saved_under_a_name_and_found_again(page: Page, server: Server) -> None:
    """Implements UI-121 (saved filters), UI-161 in the browser."""
    server.create_flow(FAILING.format(id="searched"))
    server.execute("ui.tests", "searched")
    page.goto("/ui/main/executions")
    page.get_by_role("searchbox").fill("state:failed flow:searched")
    page.keyboard.press("Enter")
    page.wait_for_url("**/executions?state=FAILED&flowId=searched")
    page.get_by_role("button", name="Saved").click()
    page.get_by_label("Name of this search").fill("Broken ones")
    page.keyboard.press("Enter")
    page.goto("/ui/main/executions")
    page.get_by_role("button", name="Saved").click()
    page.get_by_role("menuitem", name="Broken ones").first.click()
    page.wait_for_url("**/executions?state=FAILED&flowId=searched")
    expect(page.get_by_role("row").filter(has_text="searched")).to_have_count(1)


def test_list_has_a_time_range_until_it_is_taken_away(page: Page, server: Server) -> None:
    """Implements BEY-022 (default time range) in the browser."""
    server.create_flow(HELLO.format(id="ranged"))
    server.execute("ui.tests", "ranged")
    page.goto("/ui/main/executions?flowId=ranged")
    expect(page.get_by_text("last 30 days")).to_be_visible()
    page.get_by_role("button", name="Remove the filter Time").click()
    page.wait_for_url("**/executions?flowId=ranged&timeRange=*")
    expect(page.get_by_text("last 30 days")).to_be_hidden()
    expect(page.get_by_role("row").filter(has_text="ranged")).to_have_count(1)


def test_page_is_starred_renamed_and_removed(page: Page) -> None:
    """Implements UI-010 in the browser."""
    page.goto("/ui/main/executions?state=FAILED")
    page.get_by_role("button", name="Star this page").click()
    starred = page.get_by_role("region", name="Starred")
    starred.get_by_role("button", name="Rename the bookmark Executions").click()
    page.keyboard.type("Broken")
    page.keyboard.press("Enter")
    page.goto("/ui/main/flows")
    starred.get_by_role("link", name="Broken").click()
    page.wait_for_url("**/executions?state=FAILED")
    starred.get_by_role("button", name="Remove the bookmark Broken").click()
    expect(starred).to_be_hidden()


def test_settings_and_bookmarks_are_the_same_in_another_browser(page: Page, browser: Browser, server: Server) -> None:
    """Implements UI-020 and UI-160 in the browser."""
    page.goto("/ui/main/settings")
    page.get_by_label("Theme").first.select_option("Dark")
    page.get_by_label("Rows of a page").select_option("50")
    page.wait_for_function("() => (localStorage.getItem('penstock.settings.known') ?? '').includes('pageSize')")
    page.get_by_role("button", name="Star this page").click()
    expect(page.get_by_role("region", name="Starred").get_by_role("link")).to_have_text("Settings")
    with browser.new_context(base_url=server.url, storage_state={"cookies": page.context.cookies()}) as other:
        elsewhere = other.new_page()
        elsewhere.goto("/ui/main/settings")
        expect(elsewhere.get_by_label("Rows of a page")).to_have_value("50", timeout=PATIENCE)
        expect(elsewhere.locator("html")).to_have_attribute("data-theme", "dark", timeout=PATIENCE)
        starred = elsewhere.get_by_role("region", name="Starred")
        expect(starred.get_by_role("link")).to_have_text("Settings", timeout=PATIENCE)


def test_what_a_browser_kept_before_is_taken_over_once(page: Page, server: Server) -> None:
    """Implements UI-160 (what was in the browser) in the browser."""
    kept = {"pageSize": 100, "bookmarks": [{"name": "Broken", "path": "/main/executions?state=FAILED"}]}
    page.goto("/ui/favicon.svg")
    page.evaluate("kept => localStorage.setItem('penstock.settings', kept)", json.dumps(kept))
    page.goto("/ui/main/settings")
    expect(page.get_by_role("region", name="Starred").get_by_role("link")).to_have_text("Broken")
    expect(page.get_by_label("Rows of a page")).to_have_value("100")
    page.wait_for_function("() => (localStorage.getItem('penstock.settings.known') ?? '').includes('pageSize')")
    assert server.client.get("/api/v1/me/preferences").json()["values"] == {"pageSize": 100}
    server.client.delete("/api/v1/me/preferences")
    page.reload()
    expect(page.get_by_label("Rows of a page")).to_have_value("25")
    expect(page.get_by_role("region", name="Starred")).to_be_hidden()


def test_bookmark_of_a_deleted_flow_says_so(page: Page, server: Server) -> None:
    """Implements UI-160 (dead links) in the browser."""
    server.create_flow(HELLO.format(id="doomed"))
    page.goto("/ui/main/flows/edit/ui.tests/doomed")
    page.get_by_role("button", name="Star this page").click()
    link = page.get_by_role("region", name="Starred").get_by_role("link")
    expect(link).to_have_text("ui.tests / doomed")
    assert server.client.delete("/api/v1/main/flows/ui.tests/doomed").status_code == 204
    page.goto("/ui/main/flows")
    expect(link).to_have_text("ui.tests / doomed (not there any more)")


def test_log_by_task_is_unfolded_as_the_settings_say(page: Page, server: Server) -> None:
    """Implements UI-021 (Default Log Display) in the browser."""
    server.create_flow(FAILING.format(id="displayed"))
    execution_id = server.execute("ui.tests", "displayed")
    for display, states in (("all", {"true"}), ("none", {"false"}), ("failed", {"true", "false"})):
        page.goto("/ui/main/settings")
        page.get_by_label("The log of an execution is ordered").select_option("by task")
        page.get_by_label("In a log by task").select_option(display)
        page.goto(f"/ui/main/executions/ui.tests/displayed/{execution_id}/logs")
        heads = page.get_by_role("button", name=re.compile("^Lines of "))
        heads.first.wait_for()
        for state in ("true", "false"):
            these = page.locator(f"[aria-label^='Lines of '][aria-expanded={state}]")
            expect(these).not_to_have_count(0) if state in states else expect(these).to_have_count(0)


def test_instance_page_shows_its_numbers_limits_and_last_audit(page: Page, server: Server) -> None:
    """Implements BEY-001 (the page of the last audit) in the browser."""
    limited = HELLO.format(id="bounded") + "concurrency:\n  limit: 7\n"
    server.create_flow(limited)
    page.goto("/ui/main/instance")
    numbers = page.get_by_role("list", name="The instance in numbers")
    expect(numbers.get_by_role("link").filter(has_text="flows")).to_contain_text(re.compile(r"\d"))
    page.get_by_role("link", name="Concurrency").click()
    expect(page.get_by_role("row").filter(has_text="bounded")).to_contain_text("0 of 7")
    page.get_by_role("link", name="Audit").click()
    expect(page.get_by_text("Found adrift so far")).to_be_visible()
    expect(page.get_by_text("Nothing has been found adrift")).to_be_visible()


def test_page_speaks_the_language_that_is_chosen(page: Page) -> None:
    """UI-023."""
    page.goto("/ui/main/settings")
    page.get_by_label("Language", exact=True).select_option(label="Deutsch")
    expect(page.get_by_role("heading", name="Einstellungen")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.goto("/ui/main/flows")
    expect(page.get_by_role("navigation", name="Bereiche").get_by_role("link", name="Ausführungen")).to_be_visible()
    page.goto("/ui/main/settings")
    page.get_by_label("Farben der Diagramme").select_option(label="Ohne Rot und Grün zu unterscheiden")
    expect(page.locator("html")).to_have_attribute("data-charts", "distinct")
    page.get_by_label("Sprache", exact=True).select_option(label="English")
    expect(page.get_by_role("heading", name="Settings", exact=True)).to_be_visible()
