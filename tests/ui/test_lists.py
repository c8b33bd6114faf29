"""Lists: choosing rows and acting on many at once, columns, all logs, all triggers."""

from __future__ import annotations

import zipfile

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.flows import FAILING, HELLO, POLLED, SCHEDULED
from tests.ui.server import Server

pytestmark = pytest.mark.browser


def chosen_action(page: Page, action: str) -> Locator:
    """Choose an action of the bulk bar's menu and return the dialog that asks about it."""
    page.get_by_role("toolbar").get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name=action).click()
    return page.get_by_role("alertdialog")


def states_of(server: Server, flow_id: str) -> list[str]:
    """Return the states of all executions of a flow."""
    answer = server.client.get("/api/v1/main/executions/search", params={"filters[flowId][EQUALS]": flow_id})
    return [one["state"]["current"] for one in answer.json()["results"]]


def test_chosen_executions_are_changed_together(page: Page, server: Server) -> None:
    """Implements UI-120 in the browser."""
    server.create_flow(FAILING.format(id="together"))
    for _ in range(3):
        server.execute("ui.tests", "together")
    page.goto("/ui/main/executions?flowId=together")
    boxes = page.get_by_role("checkbox", name="Choose 0")
    boxes.nth(0).check()
    boxes.nth(1).check()
    expect(page.get_by_role("toolbar")).to_contain_text("2 chosen")
    dialog = chosen_action(page, "Change state")
    expect(dialog).to_contain_text("Change state: 2 executions?")
    dialog.get_by_role("radio", name="Cancelled").check()
    dialog.get_by_role("button", name="Change state").click()
    expect(page.get_by_role("status").filter(has_text="2 executions done.")).to_be_visible()
    assert sorted(states_of(server, "together")) == ["CANCELLED", "CANCELLED", "FAILED"]


def test_all_executions_that_fit_are_deleted_beyond_the_page(page: Page, server: Server) -> None:
    server.create_flow(HELLO.format(id="crowd"))
    for _ in range(27):
        server.execute("ui.tests", "crowd")
    page.goto("/ui/main/executions?flowId=crowd")
    page.get_by_role("checkbox", name="Choose all rows of this page").check()
    page.get_by_role("button", name="Choose all 27 that fit").click()
    dialog = chosen_action(page, "Delete")
    expect(dialog).to_contain_text("All 27 executions")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No execution fits these filters.")).to_be_visible()
    assert states_of(server, "crowd") == []


def test_refusal_of_one_execution_is_told_and_nothing_is_done(page: Page, server: Server) -> None:
    server.create_flow(HELLO.format(id="refusing"))
    server.execute("ui.tests", "refusing")
    page.goto("/ui/main/executions?flowId=refusing")
    page.get_by_role("checkbox", name="Choose 0").check()
    dialog = chosen_action(page, "Pause")
    dialog.get_by_role("button", name="Pause").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    assert states_of(server, "refusing") == ["SUCCESS"]


def test_column_is_left_out_and_stays_so(page: Page, server: Server) -> None:
    server.create_flow(HELLO.format(id="columns"))
    server.execute("ui.tests", "columns")
    page.goto("/ui/main/executions?flowId=columns")
    expect(page.get_by_role("columnheader", name="Duration")).to_be_visible()
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("menuitemcheckbox", name="Duration").click()
    page.reload()
    expect(page.get_by_role("columnheader", name="Started")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Duration")).to_have_count(0)


def test_logs_of_all_executions_are_filtered_and_lead_to_the_task_run(page: Page, server: Server) -> None:
    """Implements UI-140 in the browser."""
    server.create_flow(FAILING.format(id="logged"))
    server.execute("ui.tests", "logged")
    page.goto("/ui/main/logs?flowId=logged")
    lines = page.get_by_role("list", name="Logs").get_by_role("listitem")
    expect(lines.filter(has_text="all is well")).to_have_count(1)
    page.get_by_label("Level").select_option("ERROR")
    page.wait_for_url("**/logs?flowId=logged&level=ERROR")
    expect(lines.filter(has_text="all is well")).to_have_count(0)
    lines.filter(has_text="the orders are missing").first.get_by_role("link").click()
    expect(page.get_by_role("treeitem", selected=True)).to_contain_text("broken")


def test_trigger_is_switched_and_its_dates_are_run_again(page: Page, server: Server) -> None:
    """Implements UI-062 in the browser."""
    server.create_flow(SCHEDULED.format(id="scheduled"))
    page.goto("/ui/main/flows/edit/ui.tests/scheduled/triggers")
    row = page.get_by_role("row").filter(has_text="yearly")
    expect(row).to_contain_text("On")

    def act(action: str) -> None:
        row.get_by_role("button", name="Actions on yearly").click()
        page.get_by_role("menuitem", name=action).click()

    act("Switch off")
    expect(row).to_contain_text("Off")
    act("Switch on")
    expect(row).to_contain_text("On")
    act("Backfill")
    dialog = page.get_by_role("alertdialog")
    dialog.get_by_role("button", name="Start backfill").click()
    expect(dialog.get_by_role("alert")).to_contain_text("from when and until when")
    dialog.get_by_label("From").fill("2020-06-01T00:00")
    dialog.get_by_label("Until").fill("2023-06-01T00:00")
    dialog.get_by_role("button", name="Start backfill").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("link", name="Executions").last.click()
    expect(page.get_by_role("row").filter(has_text="Success")).to_have_count(3, timeout=20_000)


def test_all_triggers_are_listed_with_their_flows(page: Page, server: Server) -> None:
    server.create_flow(SCHEDULED.format(id="listed"))
    page.goto("/ui/main/triggers?flowId=listed")
    row = page.get_by_role("row").filter(has_text="yearly")
    expect(row).to_contain_text("0 0 1 1 *")
    row.get_by_role("link", name="listed").click()
    page.wait_for_url("**/flows/edit/ui.tests/listed/triggers")


def test_chosen_flows_are_deleted_together(page: Page, server: Server) -> None:
    """Implements UI-060 (bulk actions) in the browser."""
    for name in ("surplus_one", "surplus_two", "surplus_kept"):
        server.create_flow(HELLO.format(id=name))
    page.goto("/ui/main/flows?q=surplus")
    page.get_by_role("checkbox", name="Choose surplus_one").check()
    page.get_by_role("checkbox", name="Choose surplus_two").check()
    page.get_by_role("toolbar").get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_contain_text("Delete 2 flows?")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status").filter(has_text="2 flows deleted.")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="surplus")).to_have_count(1)


def test_last_runs_of_a_flow_are_bars_that_lead_to_them(page: Page, server: Server) -> None:
    server.create_flow(FAILING.format(id="barred"))
    server.execute("ui.tests", "barred")
    last = server.execute("ui.tests", "barred")
    page.goto("/ui/main/flows?q=barred")
    bars = page.get_by_role("row").filter(has_text="barred").get_by_role("link", name="Failed,")
    expect(bars).to_have_count(2)
    bars.last.click()
    page.wait_for_url(f"**/executions/ui.tests/barred/{last}")


def test_chosen_flows_are_disabled_enabled_and_exported(page: Page, server: Server) -> None:
    for name in ("switched_one", "switched_two"):
        server.create_flow(HELLO.format(id=name))
    page.goto("/ui/main/flows?q=switched")
    for action, label in (("Disable", "2 flows disabled."), ("Enable", "2 flows enabled.")):
        page.get_by_role("checkbox", name="Choose all rows of this page").check()
        page.get_by_role("toolbar").get_by_role("button", name=action).click()
        page.get_by_role("alertdialog").get_by_role("button", name=action).click()
        expect(page.get_by_role("status").filter(has_text=label)).to_be_visible()
        expect(page.get_by_role("row").filter(has_text="disabled")).to_have_count(2 if action == "Disable" else 0)
    page.get_by_role("checkbox", name="Choose switched_one").check()
    with page.expect_download() as saved:
        page.get_by_role("toolbar").get_by_role("button", name="Export").click()
    with zipfile.ZipFile(saved.value.path()) as archive:
        assert [name.split("/")[-1] for name in archive.namelist()] == ["ui.tests.switched_one.yml"]


def test_flow_whose_trigger_fails_is_marked_in_the_list(page: Page, server: Server) -> None:
    """Implements BEY-005 in the browser."""
    server.create_flow(POLLED.format(id="polled"))
    page.goto("/ui/main/flows")
    found = "fetch('/api/v1/main/flows/search?filters[flowId][EQUALS]=polled').then(answer => answer.json())"
    page.wait_for_function(f"() => {found}.then(page => page.results[0].failingTriggers > 0)", polling=250)
    page.goto("/ui/main/flows?q=polled")
    row = page.get_by_role("row").filter(has_text="polled")
    row.get_by_role("link", name="failing").click()
    page.wait_for_url("**/polled/triggers")
    server.client.delete("/api/v1/main/flows/ui.tests/polled")
