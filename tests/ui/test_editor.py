"""The editor of flows: form, documentation, completion and playground beside the source."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.ui.flows import HELLO, STEPS
from tests.ui.server import Server
from tests.ui.test_flows import write_source

pytestmark = pytest.mark.browser


def open_editor(page: Page, flow_id: str, panes: str) -> None:
    """Open the source of a flow beside another pane, once the editor is there."""
    page.goto(f"/ui/main/flows/edit/ui.tests/{flow_id}/edit?panes={panes}")
    page.locator(".monaco-editor .view-line").first.wait_for()


def test_form_and_text_follow_each_other_and_comments_stay(page: Page, server: Server) -> None:
    """ENG-382, UI-090, UI-091, UI-093."""
    commented = HELLO.format(id="formed").replace("tasks:", "tasks:  # in order")
    server.create_flow(commented)
    open_editor(page, "formed", "source,form")
    form = page.get_by_role("region", name="Form")
    form.get_by_label("description", exact=True).fill("Greets everyone.")
    expect(page.locator(".view-lines")).to_contain_text("Greets everyone.")
    form.get_by_role("button", name="greeting debug.Return").click()
    form.get_by_label("format", exact=True).fill("Good morning")
    form.get_by_role("button", name="Flow", exact=True).click()
    form.get_by_role("button", name="Add to tasks").click()
    form.get_by_label("type", exact=True).fill("io.kestra.plugin.core.log.Log")
    form.get_by_label("message", exact=True).fill("added")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("header .facts")).to_contain_text("Revision 2")
    saved = server.client.get("/api/v1/main/flows/ui.tests/formed", params={"source": "true"}).json()["source"]
    expected = commented.replace("Greets someone.", "Greets everyone.").replace(
        "Hello, {{ inputs.name }}!", "Good morning"
    )
    added = "  - id: task_1\n    type: io.kestra.plugin.core.log.Log\n    message: added\n"
    assert saved == expected + added
    write_source(page, commented.replace("Greets someone.", "Greets from the text."))
    expect(form.get_by_label("description", exact=True)).to_have_value("Greets from the text.")


def test_documentation_follows_the_cursor_and_topology_leads_to_the_lines(page: Page, server: Server) -> None:
    """ENG-055, UI-070, UI-074."""
    server.create_flow(HELLO.format(id="explained"))
    open_editor(page, "explained", "source,documentation")
    documentation = page.get_by_role("region", name="Documentation")
    expect(documentation).to_contain_text("Put the cursor into a task")
    page.locator(".view-line").filter(has_text="format:").click()
    expect(documentation).to_contain_text("debug.Return")
    expect(documentation.locator("[aria-current]")).to_contain_text("format")
    expect(documentation.locator("[aria-current]")).to_contain_text("expression")
    page.get_by_role("group", name="Panes").get_by_role("button", name="Topology").click()
    topology = page.get_by_role("group", name="Topology of the flow")
    topology.get_by_role("button", name="say").click()
    expect(page.locator(".monaco-editor.focused")).to_be_visible()
    write_source(
        page, HELLO.format(id="explained") + "  - {id: third, type: io.kestra.plugin.core.log.Log, message: x}\n"
    )
    expect(topology.get_by_role("button", name="third")).to_be_visible()


def test_expressions_are_completed_with_the_names_of_the_flow(page: Page, server: Server) -> None:
    """ENG-380."""
    server.create_flow(HELLO.format(id="completed"))
    open_editor(page, "completed", "source")
    page.locator(".view-line").filter(has_text="format:").click()
    page.keyboard.press("End")
    page.keyboard.type(" {{ outputs.greeting.")
    suggestions = page.locator(".suggest-widget")
    expect(suggestions).to_contain_text("value")
    page.keyboard.type("value | up")
    expect(suggestions).to_contain_text("upper")


def test_playground_plays_task_by_task_with_the_outputs_it_has(page: Page, server: Server) -> None:
    """ENG-381, UI-100, UI-101, UI-102, UI-163."""
    server.create_flow(STEPS.format(id="played"))
    open_editor(page, "played", "source,playground")
    pane = page.get_by_role("region", name="Playground")
    pane.get_by_role("button", name="Play third", exact=True).click()
    expect(pane.get_by_role("alert")).to_have_text("Play first, second first.")
    pane.get_by_role("button", name="Play first", exact=True).click()
    expect(pane.get_by_role("region", name="Outputs of first")).to_contain_text("one")
    pane.get_by_role("button", name="Play second", exact=True).click()
    expect(pane.get_by_role("region", name="Outputs of second")).to_contain_text("one two")
    write_source(page, STEPS.format(id="played").replace(" two", " zwei"))
    pane.get_by_role("button", name="Play second", exact=True).click()
    expect(pane.get_by_role("region", name="Outputs of second")).to_contain_text("one zwei")
    runs = server.client.get("/api/v1/main/executions/search", params={"filters[flowId][EQUALS]": "played"}).json()
    assert runs["total"] == 0
