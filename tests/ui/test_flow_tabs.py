"""The tabs of a flow beside its source: triggers, logs, dependencies, concurrency; and why an execution waits."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.ui.flows import HELLO, LISTENING, MEASURED, QUEUED, WEBHOOK
from tests.ui.server import Server

pytestmark = pytest.mark.browser
FLOWS = "/ui/main/flows/edit/ui.tests"


def test_webhook_is_called_at_the_address_its_flow_shows(page: Page, server: Server) -> None:
    """ENG-306."""
    server.create_flow(WEBHOOK.format(id="hooked"))
    page.goto(f"{FLOWS}/hooked/triggers")
    hook = page.get_by_role("region", name="hook")
    expect(hook).to_contain_text("curl -X POST")
    address = hook.locator("pre").first.inner_text()
    assert server.client.post(address, json={}).status_code == 200
    page.get_by_label("Tabs").get_by_role("link", name="Executions").click()
    expect(page.get_by_role("row").filter(has_text="hook")).to_have_count(1)


def test_trigger_shows_what_is_met_and_dependencies_lead_to_the_flow(page: Page, server: Server) -> None:
    """BEY-006, UI-064."""
    server.create_flow(HELLO.format(id="upstream"))
    server.create_flow(LISTENING.format(id="listens"))
    page.goto(f"{FLOWS}/listens/triggers")
    trigger = page.get_by_role("region", name="after_both")
    expect(trigger.get_by_role("listitem").filter(has_text="ui.tests.upstream")).to_contain_text("not met yet")
    run = server.execute("ui.tests", "upstream")
    expect(trigger.get_by_role("listitem").filter(has_text="ui.tests.upstream")).to_contain_text(run[:8])
    page.get_by_label("Tabs").get_by_role("link", name="Dependencies").click()
    page.get_by_role("group", name="Flows that start one another").get_by_role("button", name="upstream").click()
    page.wait_for_url("**/flows/edit/ui.tests/upstream/dependencies")


def test_waiting_execution_says_for_what_and_its_flow_shows_the_slots(page: Page, server: Server) -> None:
    """BEY-002, UI-062."""
    server.create_flow(QUEUED.format(id="slots"))
    holder = server.execute("ui.tests", "slots", wait=False)
    waiting = server.execute("ui.tests", "slots", wait=False)
    page.goto(f"/ui/main/executions/ui.tests/slots/{waiting}")
    why = page.get_by_role("status").filter(has_text="It waits for a slot")
    expect(why.get_by_role("link", name=holder[:8])).to_be_visible()
    expect(why).to_contain_text("What helps")
    page.goto(f"{FLOWS}/slots/concurrency")
    expect(page.get_by_role("main")).to_contain_text("1 of 1 slots are taken")
    expect(page.locator("section", has_text="Executions that wait for one").get_by_role("row")).to_have_count(2)
    for execution in (holder, waiting):
        server.client.delete(f"/api/v1/main/executions/{execution}/kill")


def test_logs_and_description_of_a_flow_are_shown(page: Page, server: Server) -> None:
    """ENG-017, UI-062."""
    source = HELLO.format(id="described").replace("Greets someone.", "Greets **someone** with [manners](/docs).")
    server.create_flow(source)
    server.execute("ui.tests", "described")
    page.goto(f"{FLOWS}/described")
    expect(page.locator("strong", has_text="someone")).to_be_visible()
    expect(page.get_by_role("link", name="manners")).to_have_attribute("href", "/docs")
    page.get_by_label("Tabs").get_by_role("link", name="Logs").click()
    expect(page.get_by_role("list", name="Logs")).to_contain_text("Hello, world!")


def test_metrics_of_a_flow_are_drawn_over_time(page: Page, server: Server) -> None:
    """UI-062."""
    server.create_flow(MEASURED.format(id="measured-daily"))
    server.execute("ui.tests", "measured-daily")
    page.goto(f"{FLOWS}/measured-daily/metrics")
    chart = page.get_by_role("figure", name="rows.loaded")
    expect(chart.get_by_role("listitem")).to_have_count(1)
    expect(chart.get_by_role("listitem")).to_have_attribute("title", re.compile("42"))
    page.get_by_label("Task", exact=True).select_option("count")
    expect(chart).to_be_visible()
