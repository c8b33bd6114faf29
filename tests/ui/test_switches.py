"""Flows and triggers paused on the instance, and plans of what is done to many flows."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import settled
from tests.ui.flows import HELLO, SCHEDULED
from tests.ui.server import Server

pytestmark = pytest.mark.browser
REASON = "the warehouse moves"


def test_flow_is_paused_with_a_reason_and_resumed(page: Page, server: Server, own_id: str) -> None:
    """BEY-041 in the browser: its page, its row in the list, and the way back."""
    server.create_flow(HELLO.format(id=own_id))
    page.goto(f"/ui/main/flows/edit/ui.tests/{own_id}")
    settled(page)
    page.get_by_role("button", name="Pause", exact=True).click()
    dialog = page.get_by_role("alertdialog")
    dialog.get_by_role("button", name="Apply", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("in the future")
    dialog.get_by_label("Until").fill("2999-01-01T00:00")
    dialog.get_by_label("Reason").fill(REASON)
    dialog.get_by_role("button", name="Apply", exact=True).click()
    expect(dialog).to_be_hidden()
    said = page.get_by_role("status").filter(has_text="Paused until")
    expect(said).to_contain_text(REASON)
    expect(said).to_contain_text("The source says: enabled")
    expect(page.get_by_role("button", name="Execute", exact=True).first).to_be_disabled()

    page.goto(f"/ui/main/flows?q={own_id}")
    row = page.get_by_role("row").filter(has_text=own_id)
    expect(row).to_contain_text("Paused until")
    page.get_by_role("checkbox", name=f"Choose {own_id}", exact=True).check()
    page.get_by_role("toolbar").get_by_role("button", name="Resume", exact=True).click()
    expect(row).not_to_contain_text("Paused until")
    flow = server.client.get(f"/api/v1/main/flows/ui.tests/{own_id}").json()
    assert (flow["revision"], "switches" in flow) == (1, False)


def test_trigger_of_a_paused_flow_says_that_its_flow_holds_it(page: Page, server: Server, own_id: str) -> None:
    """BEY-041 in the browser."""
    server.create_flow(SCHEDULED.format(id=own_id))
    order = {"state": "DISABLED", "reason": REASON}
    server.client.put(f"/api/v1/main/flows/ui.tests/{own_id}/switch", json=order).raise_for_status()
    page.goto(f"/ui/main/triggers?flowId={own_id}")
    row = page.get_by_role("row").filter(has_text="yearly")
    expect(row).to_contain_text("Held by its flow")
    expect(row).to_contain_text(REASON)
    server.client.delete(f"/api/v1/main/flows/ui.tests/{own_id}/switch").raise_for_status()
    page.reload()
    expect(row).to_contain_text("On")


def test_chosen_triggers_are_disabled_on_the_instance(page: Page, server: Server, own_id: str) -> None:
    """BEY-041 in the browser."""
    server.create_flow(SCHEDULED.format(id=own_id))
    page.goto(f"/ui/main/triggers?flowId={own_id}")
    row = page.get_by_role("row").filter(has_text="yearly")
    row.get_by_role("checkbox").check()
    page.get_by_role("toolbar").get_by_role("button", name="Pause", exact=True).click()
    dialog = page.get_by_role("alertdialog")
    dialog.get_by_label("On this instance").select_option("DISABLED")
    dialog.get_by_role("button", name="Apply", exact=True).click()
    expect(row).to_contain_text("Disabled here")
    row.get_by_role("button", name="Actions on yearly").click()
    page.get_by_role("menuitem", name="Switch on").click()
    expect(row).not_to_contain_text("Disabled here")


def test_import_and_deletion_show_their_plans_first(page: Page, server: Server, own_id: str) -> None:
    """BEY-040 in the browser: nothing is done before what it would do is seen."""
    text = SCHEDULED.format(id=own_id)
    page.goto(f"/ui/main/flows?q={own_id}")
    settled(page)
    page.get_by_label("File with flows").set_input_files(
        [{"name": "flows.yaml", "mimeType": "application/x-yaml", "buffer": text.encode()}]
    )
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_contain_text("To create: 1")
    expect(dialog.get_by_role("listitem").filter(has_text="yearly").get_by_role("listitem")).to_have_count(5)
    assert server.client.get(f"/api/v1/main/flows/ui.tests/{own_id}").status_code == 404
    dialog.get_by_role("button", name="Import", exact=True).click()
    expect(dialog).to_be_hidden()

    page.get_by_role("checkbox", name=f"Choose {own_id}", exact=True).check()
    page.get_by_role("toolbar").get_by_role("button", name="Delete", exact=True).click()
    expect(dialog).to_contain_text("To delete: 1")
    expect(dialog).to_contain_text("Not by itself")
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="1 flow deleted.")).to_be_visible()
