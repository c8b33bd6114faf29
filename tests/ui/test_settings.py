"""The reader's own settings, saved searches, bookmarks, and the page of the instance."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

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
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(13, 16, 20)"
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
