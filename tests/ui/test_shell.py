"""What every page has: keyboard, palette, themes, small screens, and no request that leaves the instance."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.ui.conftest import settled
from tests.ui.flows import FAILING, HELLO
from tests.ui.server import Server

pytestmark = pytest.mark.browser


def test_palette_leads_to_a_flow_by_keyboard(page: Page, server: Server) -> None:
    server.create_flow(HELLO.format(id="by_keyboard"))
    page.goto("/ui/main/flows")
    settled(page)
    page.keyboard.press("Control+k")
    page.keyboard.type("by_key")
    expect(page.get_by_role("option", name="by_keyboard").first).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url("**/flows/edit/ui.tests/by_keyboard")


def test_shortcut_sheet_lists_the_keys_of_the_page(page: Page) -> None:
    page.goto("/ui/main/flows")
    settled(page)
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog")
    expect(sheet).to_contain_text("Go to executions")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("e")
    page.wait_for_url("**/ui/main/executions")


def test_rows_are_reached_and_opened_by_keyboard(page: Page, server: Server) -> None:
    server.create_flow(HELLO.format(id="row_one"))
    page.goto("/ui/main/flows?q=row_one")
    page.get_by_role("row").filter(has_text="row_one").wait_for()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/flows/edit/ui.tests/row_one")


def test_execution_filters_are_chips_in_the_address(page: Page, server: Server) -> None:
    server.create_flow(FAILING.format(id="filtered"))
    server.execute("ui.tests", "filtered")
    page.goto("/ui/main/executions?flowId=filtered")
    page.get_by_role("button", name="Filter", exact=True).click()
    page.get_by_role("menuitem", name="State").click()
    page.get_by_role("menuitemcheckbox", name="Success").click()
    page.wait_for_url("**/executions?flowId=filtered&state=SUCCESS")
    page.keyboard.press("Escape")
    expect(page.get_by_text("No execution fits these filters.")).to_be_visible()


def test_theme_is_chosen_and_kept(page: Page) -> None:
    page.goto("/ui/main/flows")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitemradio", name="Dark").click()
    expect(page.locator("html")).to_have_css("background-color", "rgb(13, 16, 20)")
    page.reload()
    page.get_by_role("heading", name="Flows").wait_for()
    expect(page.locator("html")).to_have_css("background-color", "rgb(13, 16, 20)")


NARROW = [
    "flows",
    "flows/new",
    "executions",
    "logs",
    "triggers",
    "blueprints",
    "plugins",
    "settings",
    "dashboards",
    "dashboards/new",
    "instance",
    "namespaces/ui.tests/kv",
    "namespaces/ui.tests/files",
    "flows/edit/ui.tests/narrow",
    "flows/edit/ui.tests/narrow/edit",
    "flows/edit/ui.tests/narrow/topology",
]


def test_narrow_screen_brings_the_current_tab_into_sight(page: Page, server: Server) -> None:
    server.create_flow(HELLO.format(id="narrow"))
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto("/ui/main/flows/edit/ui.tests/narrow/revisions")
    tabs = page.get_by_role("navigation", name="Tabs")
    expect(tabs.get_by_role("link", name="Revisions")).to_be_in_viewport(ratio=0.9)
    expect(tabs.get_by_role("link", name="Overview")).not_to_be_in_viewport()


def test_narrow_screen_needs_no_sideways_scrolling(page: Page, server: Server) -> None:
    server.create_flow(HELLO.format(id="narrow"))
    page.set_viewport_size({"width": 360, "height": 740})
    too_wide = []
    for path in NARROW:
        page.goto(f"/ui/main/{path}")
        settled(page)
        expect(page.get_by_role("navigation", name="Sections")).to_be_in_viewport()
        if page.evaluate("document.documentElement.scrollWidth - window.innerWidth") > 0:
            too_wide.append(path)
    assert too_wide == []


def test_side_bar_is_folded_in_a_narrow_window_until_its_reader_unfolds_it(page: Page) -> None:
    """What one chooses for narrow windows holds there, and says nothing about wide ones."""
    page.set_viewport_size({"width": 900, "height": 700})
    page.goto("/ui/main/plugins")
    settled(page)
    side = page.get_by_role("navigation", name="Sections", exact=True)
    fold = side.get_by_role("button", name="Collapse", exact=True)
    expect(fold).to_have_attribute("aria-expanded", "false")
    fold.click()
    expect(fold).to_have_attribute("aria-expanded", "true")
    page.set_viewport_size({"width": 1440, "height": 700})
    fold.click()
    expect(fold).to_have_attribute("aria-expanded", "false")
    page.set_viewport_size({"width": 900, "height": 700})
    expect(fold).to_have_attribute("aria-expanded", "true")


def test_palette_finds_every_kind_of_thing(page: Page, server: Server) -> None:
    """The search of everything: flows, values, types, settings, documentation."""
    server.create_flow(HELLO.format(id="findable"))
    server.client.put("/api/v1/main/namespaces/ui.tests/kv/findable_key", content='"x"')
    page.goto("/ui/main/flows")
    settled(page)
    page.keyboard.press("Control+k")
    page.keyboard.type("findable")
    expect(page.get_by_role("option", name="findable_key")).to_be_visible()
    page.get_by_role("combobox").or_(page.get_by_role("dialog").get_by_role("textbox")).first.fill("Return")
    expect(page.get_by_role("option", name="io.kestra.plugin.core.debug.Return")).to_be_visible()
    page.get_by_role("combobox").or_(page.get_by_role("dialog").get_by_role("textbox")).first.fill("time zone")
    page.get_by_role("option", name="Time zone").click()
    page.wait_for_url("**/settings#settings-region")
    page.keyboard.press("Control+k")
    page.keyboard.type("backfills")
    page.get_by_role("option", name="Backfills Schedules", exact=True).click()
    panel = page.get_by_role("complementary", name="Documentation")
    expect(panel.get_by_role("heading", name="Backfills", exact=True)).to_be_in_viewport()


def test_plugin_that_cannot_be_installed_says_why(page: Page) -> None:
    """ENG-321, ENG-322."""
    page.goto("/ui/main/instance/plugins")
    expect(page.get_by_text("No plugin is installed beside the server")).to_be_visible()
    page.get_by_label("Package").fill("no plugin!")
    page.get_by_role("button", name="Install").click()
    expect(page.get_by_role("alert")).to_contain_text("names no plugin")


def test_documentation_opens_beside_the_page_it_is_about(page: Page) -> None:
    """Implements UI-011 in the browser."""
    page.goto("/ui/main/executions")
    settled(page)
    page.keyboard.press("d")
    panel = page.get_by_role("complementary", name="Documentation")
    expect(panel.get_by_role("heading", name="Operating on executions")).to_be_visible()
    page.get_by_role("navigation", name="Sections").get_by_role("link", name="Triggers").click()
    expect(panel.get_by_role("heading", name="Schedules", exact=True)).to_be_visible()
    panel.get_by_role("link", name="configuration", exact=True).click()
    expect(panel.get_by_role("heading", name="Plugin defaults")).to_be_in_viewport()
    expect(page).to_have_url(re.compile("/ui/main/triggers$"))
    panel.get_by_role("button", name="Back").click()
    expect(panel.get_by_role("heading", name="Schedules", exact=True)).to_be_visible()
    panel.get_by_label("Search the documentation").fill("breakpoints")
    panel.get_by_role("button").filter(has_text="Operating on executions").first.click()
    expect(panel.get_by_role("heading", name="Breakpoints")).to_be_in_viewport()
    panel.get_by_role("button", name="Close the documentation").click()
    expect(panel).to_be_hidden()


def test_lost_connection_is_said_on_every_page_until_it_is_back(page: Page) -> None:
    page.goto("/ui/main/flows")
    settled(page)
    page.context.set_offline(True)
    banner = page.get_by_role("status").filter(has_text="Connection lost")
    expect(banner).to_be_visible()
    page.context.set_offline(False)
    expect(banner).to_be_hidden()


def test_page_whose_script_was_lost_on_its_way_is_loaded_anew(page: Page) -> None:
    """A broken line, or a server with a newer release, leaves no empty page behind."""
    lost = []

    def lose(route: Route) -> None:
        lost.append(route.request.url)
        if len(lost) == 1:
            route.abort()
        else:
            route.continue_()

    page.route("**/assets/FlowsPage-*.js", lose)
    page.goto("/ui/main/flows")
    settled(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Flows")
    assert len(lost) == 2
