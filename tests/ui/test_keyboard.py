"""The work of a day without a mouse: each step by keys alone, each focus in sight, none lost with a dialog."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.conftest import settled
from tests.ui.flows import PAUSED, SCHEDULED
from tests.ui.server import PASSWORD, USERNAME, Server

pytestmark = pytest.mark.browser

MOST_TABS = 80
HAS_FOCUS = "(element) => element === document.activeElement"
IN_SIGHT = "(element) => element.matches(':focus-visible') && getComputedStyle(element).outlineStyle !== 'none'"


def reach(page: Page, wanted: Locator) -> None:
    """Press Tab until something has the focus, which shows."""
    wanted.wait_for()
    for _ in range(MOST_TABS):
        if wanted.evaluate(HAS_FOCUS):
            assert wanted.evaluate(IN_SIGHT), f"the focus on {wanted} does not show"
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no Tab leads to {wanted}")


def press(page: Page, wanted: Locator) -> None:
    """Reach a button or link, and press Enter."""
    reach(page, wanted)
    page.keyboard.press("Enter")


def choose(page: Page, menu: Locator, item: str) -> Locator:
    """Open a menu, go down to an item, and return the dialog that it opens."""
    press(page, menu)
    wanted = page.get_by_role("menuitem", name=item)
    wanted.wait_for()
    while not wanted.evaluate(HAS_FOCUS):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("alertdialog")
    dialog.wait_for()
    return dialog


def jump(page: Page, text: str, option: str) -> None:
    """Go where the palette leads."""
    page.keyboard.press("Control+k")
    page.get_by_role("dialog").wait_for()
    page.keyboard.type(text)
    expect(page.get_by_role("option", name=option).first).to_have_attribute("data-highlighted", "")
    page.keyboard.press("Enter")


def test_flow_is_made_executed_followed_and_replayed_by_keys_alone(visitor: Page, server: Server) -> None:
    """Begins where nobody has signed in."""
    page = visitor
    page.goto("/ui/main/flows/new?namespace=keys.alone")
    reach(page, page.get_by_label("E-mail address"))
    page.keyboard.type(USERNAME)
    reach(page, page.get_by_label("Password"))
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/flows/new?namespace=keys.alone")
    settled(page)
    press(page, page.get_by_role("link", name="Skip to the content"))
    press(page, page.get_by_role("button", name="Create", exact=True))
    page.wait_for_url("**/flows/edit/keys.alone/**")
    press(page, page.get_by_role("button", name="Execute", exact=True))
    form = page.get_by_role("dialog")
    form.get_by_role("button", name="Execute", exact=True).wait_for()
    page.keyboard.press("Escape")
    expect(form).to_be_hidden()
    expect(page.get_by_role("button", name="Execute", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    press(page, form.get_by_role("button", name="Execute", exact=True))
    page.wait_for_url("**/executions/keys.alone/**")
    first = page.url
    expect(page.locator("header.obj .state")).to_have_text("Success")
    tabs = page.get_by_role("navigation", name="Tabs")
    reach(page, tabs.get_by_role("link", name="Logs"))
    page.keyboard.press("ArrowRight")
    expect(tabs.get_by_role("link", name="Outputs")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/outputs")
    menu = page.get_by_role("button", name="More actions")
    expect(choose(page, menu, "Set labels")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("alertdialog")).to_be_hidden()
    expect(menu).to_be_focused()
    dialog = choose(page, menu, "Replay")
    press(page, dialog.get_by_role("button", name="Replay"))
    page.wait_for_url(lambda url: "/executions/keys.alone/" in url and not url.startswith(first.split("?")[0]))
    expect(page.locator("header.obj .state")).to_have_text("Success")


def test_pause_is_resumed_and_dates_are_run_again_by_keys_alone(page: Page, server: Server) -> None:
    server.create_flow(PAUSED.format(id="paused_for_keys"))
    server.create_flow(SCHEDULED.format(id="dated_for_keys"))
    execution = server.execute("ui.tests", "paused_for_keys", wait=False)
    page.goto("/ui/main/flows")
    settled(page)
    jump(page, execution, execution)
    page.wait_for_url(f"**/{execution}")
    press(page, page.get_by_role("button", name="Resume", exact=True))
    press(page, page.get_by_role("alertdialog").get_by_role("button", name="Resume", exact=True))
    expect(page.locator("header.obj .state")).to_have_text("Success")
    jump(page, "dated_for_keys", "dated_for_keys")
    page.wait_for_url("**/flows/edit/ui.tests/dated_for_keys")
    press(page, page.get_by_role("navigation", name="Tabs").get_by_role("link", name="Triggers"))
    dialog = choose(page, page.get_by_role("button", name="Actions on yearly"), "Backfill")
    for field, day in (("From", "06012020"), ("Until", "06012022")):
        reach(page, dialog.get_by_label(field))
        page.keyboard.type(day)
        page.keyboard.press("Tab")
        page.keyboard.type("1200AM")
    press(page, dialog.get_by_role("button", name="Start backfill"))
    expect(dialog).to_be_hidden()
    press(page, page.get_by_role("navigation", name="Tabs").get_by_role("link", name="Executions"))
    expect(page.get_by_role("row").filter(has_text="Success")).to_have_count(2)


def test_list_is_searched_and_its_rows_are_changed_by_keys_alone(page: Page, server: Server) -> None:
    server.create_flow(PAUSED.format(id="chosen_by_keys"))
    server.execute("ui.tests", "chosen_by_keys", wait=False)
    page.goto("/ui/main/executions")
    settled(page)
    page.keyboard.press("/")
    page.keyboard.type("flow:chosen_by_keys")
    page.keyboard.press("Enter")
    page.wait_for_url("**/executions?flowId=chosen_by_keys")
    expect(page.get_by_role("row").filter(has_text="chosen_by_keys")).to_have_count(1)
    reach(page, page.get_by_role("checkbox", name="Choose all rows of this page"))
    page.keyboard.press("Space")
    toolbar = page.get_by_role("toolbar")
    expect(toolbar).to_contain_text("1 chosen")
    page.keyboard.press("Shift+Tab")
    kill = toolbar.get_by_role("button", name="Kill")
    press(page, kill)
    dialog = page.get_by_role("alertdialog")
    dialog.wait_for()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(kill).to_be_focused()
    page.keyboard.press("Enter")
    press(page, dialog.get_by_role("button", name="Kill"))
    expect(page.get_by_role("row").filter(has_text="Killed")).to_have_count(1)
