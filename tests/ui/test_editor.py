"""The editor of flows: form, documentation, completion and playground beside the source."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from playwright.sync_api import Browser, Page, Response, expect

from tests.ui.conftest import PATIENCE
from tests.ui.flows import HELLO, SCHEDULED, STEPS
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
    page.get_by_role("button", name="Save", exact=True).click()
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
    play_as_a_colleague(server, "played")
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


def play_as_a_colleague(server: Server, flow: str) -> None:
    """Play a flow to its end as somebody else, whose runs are no business of one's own playground."""
    name = f"colleague-{uuid.uuid4().hex[:8]}"
    account = server.client.post("/api/v1/service-accounts", json={"name": name}).json()
    token = server.client.post(f"/api/v1/service-accounts/{account['id']}/api-tokens", json={"name": "play"}).json()
    played = httpx.post(
        f"{server.url}/api/v1/main/executions/ui.tests/{flow}",
        params={"kind": "PLAYGROUND", "wait": "true"},
        headers={"Authorization": f"Bearer {token['fullToken']}"},
        timeout=PATIENCE / 1000,
    )
    assert played.json()["state"]["current"] == "SUCCESS"


def test_panes_are_resized_moved_and_remembered(page: Page, server: Server) -> None:
    """UI-070."""
    server.create_flow(HELLO.format(id="resized"))
    open_editor(page, "resized", "source,form,topology")
    expect(page.locator("[data-panel]")).to_have_count(3)
    widths = [pane.bounding_box() for pane in page.locator("[data-panel]").all()]
    page.get_by_role("separator").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    source = page.get_by_role("region", name="Source")
    assert widths[0] is not None
    before = widths[0]["width"]
    page.wait_for_function("before => document.querySelector('[data-panel]').clientWidth > before + 50", arg=before)
    kept = "() => !localStorage['reka:penstock.editor'].includes('[33.333')"  # the first of them, once it stands still
    page.wait_for_function(kept)
    page.get_by_role("button", name="Move Source to the right").click()
    page.wait_for_url("**panes=form,source,topology**")
    expect(source.locator(".view-line").first).to_be_visible()
    page.get_by_role("button", name="Close Form").click()
    page.wait_for_url("**panes=source,topology**")
    open_editor(page, "resized", "source,form,topology")
    page.wait_for_function("before => document.querySelector('[data-panel]').clientWidth > before + 50", arg=before)


def test_files_and_values_of_the_namespace_stand_beside_the_source(page: Page, server: Server) -> None:
    """UI-070, UI-075, UI-077."""
    server.create_flow(HELLO.format(id="surrounded").replace("ui.tests", "ui.values"))
    server.client.put(
        "/api/v1/main/namespaces/ui.values", json={"id": "ui.values", "variables": {"db": {"host": "pg1"}}}
    )
    server.client.put("/api/v1/main/namespaces/ui.values/kv/last_run", content='"yesterday"')
    server.client.post(
        "/api/v1/main/namespaces/ui.values/files",
        params={"path": "/query.sql"},
        files={"fileContent": ("query.sql", b"select 1")},
    )
    page.goto("/ui/main/flows/edit/ui.values/surrounded/edit?panes=source,files,context")
    source = page.get_by_role("region", name="Source")
    source.locator(".view-line").first.wait_for()
    page.get_by_role("region", name="Files").get_by_role("button", name="query.sql", exact=True).click()
    expect(page.get_by_role("region", name="/query.sql").locator(".view-lines")).to_contain_text("select 1")
    values = page.get_by_role("region", name="Values", exact=True)
    expect(values).to_contain_text("pg1")
    values.get_by_role("button", name="Show the value of last_run").click()
    expect(values).to_contain_text("yesterday")
    source.locator(".view-line").filter(has_text="format:").click()
    page.keyboard.press("End")
    values.get_by_role("button", name="Insert db.host at the cursor").click()
    expect(source.locator(".view-lines")).to_contain_text("{{ namespace.db.host }}")
    values.get_by_role("button", name="Try an expression with db.host").click()
    values.get_by_label("Try an expression", exact=True).press_sequentially(" on {{ kv('last_run') }}")
    values.get_by_role("button", name="Evaluate").click()
    expect(values.get_by_role("status").filter(has_text="pg1 on yesterday")).to_be_visible()


def test_form_completes_expressions_with_the_names_of_the_flow(page: Page, server: Server) -> None:
    """UI-092."""
    server.create_flow(HELLO.format(id="completed-form"))
    open_editor(page, "completed-form", "form,source")
    form = page.get_by_role("region", name="Form")
    form.get_by_role("button", name="say log.Log").click()
    message = form.get_by_label("message", exact=True)
    message.fill("")
    message.press_sequentially("{{ inp")
    offers = form.get_by_role("listbox")
    expect(offers.get_by_role("option").first).to_contain_text("inputs")
    message.press("Enter")
    message.press_sequentially(".")
    expect(offers.get_by_role("option")).to_have_text(["nameinput"])
    message.press("Tab")
    message.press_sequentially(" }}")
    expect(page.locator(".view-lines")).to_contain_text("{{ inputs.name }}")


def test_topology_opens_called_flows_in_place_and_is_saved_as_a_picture(page: Page, server: Server) -> None:
    """UI-065, UI-073."""
    server.create_flow(HELLO.format(id="called"))
    server.create_flow(
        "id: caller\nnamespace: ui.tests\ntasks:\n"
        "  - {id: call, type: io.kestra.plugin.core.flow.Subflow, namespace: ui.tests, flowId: called}\n"
    )
    page.goto("/ui/main/flows/edit/ui.tests/caller/topology")
    topology = page.get_by_role("group", name="Topology of the flow")
    topology.get_by_role("button", name="Show called in place").click()
    expect(topology).to_contain_text("greeting")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as a picture").click()
    assert saved.value.suggested_filename == "caller.png"
    assert saved.value.path().read_bytes().startswith(b"\x89PNG")
    topology.get_by_role("button", name="Hide called").click()
    expect(topology).not_to_contain_text("greeting")


def test_saving_shows_first_how_the_dates_of_a_flow_change(page: Page, server: Server) -> None:
    """BEY-040: what changes no date is saved at once."""
    source = SCHEDULED.format(id="planned")
    server.create_flow(source)
    open_editor(page, "planned", "source")
    described = f"description: By the year\n{source}"
    write_source(page, described)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("header .facts")).to_contain_text("Revision 2")
    write_source(page, described.replace("0 0 1 1 *", "0 0 1 7 *"))
    page.get_by_role("button", name="Save", exact=True).click()
    plan = page.get_by_role("region", name="What saving changes", exact=True)
    expect(plan).to_contain_text("yearly")
    expect(plan.get_by_role("listitem")).to_have_count(10)
    assert server.client.get("/api/v1/main/flows/ui.tests/planned").json()["revision"] == 2
    plan.get_by_role("button", name="Save it so", exact=True).click()
    expect(page.locator("header .facts")).to_contain_text("Revision 3")
    expect(plan).to_have_count(0)


def test_save_that_was_overtaken_shows_what_both_changed(page: Page, server: Server) -> None:
    """BEY-043."""
    source = HELLO.format(id="contested")
    server.create_flow(source)
    open_editor(page, "contested", "source")
    write_source(page, source.replace("Greets someone.", "Mine."))
    server.create_flow(source.replace("Greets someone.", "Theirs."))
    page.get_by_role("button", name="Save", exact=True).click()
    conflict = page.get_by_role("region", name="Somebody saved this flow while you edited it", exact=True)
    expect(conflict.locator(".modified")).to_contain_text("Mine.")
    expect(conflict.locator(".original")).to_contain_text("Theirs.")
    conflict.get_by_role("button", name="What they changed since revision 1", exact=True).click()
    expect(conflict.locator(".original")).to_contain_text("Greets someone.")
    expect(conflict.locator(".modified")).to_contain_text("Theirs.")
    conflict.get_by_role("button", name="Save over the newer revision", exact=True).click()
    expect(page.locator("header .facts")).to_contain_text("Revision 3")
    assert server.client.get("/api/v1/main/flows/ui.tests/contested").json()["description"] == "Mine."


def test_draft_follows_its_writer_to_another_device_until_it_is_saved(
    page: Page, browser: Browser, server: Server
) -> None:
    """BEY-043."""
    source = HELLO.format(id="drafted")
    server.create_flow(source)
    open_editor(page, "drafted", "source")
    with drafts_told(page):
        write_source(page, source.replace("Greets someone.", "Half done."))
    with browser.new_context(base_url=server.url, storage_state={"cookies": page.context.cookies()}) as other:
        other.grant_permissions(["clipboard-read", "clipboard-write"])
        elsewhere = other.new_page()
        elsewhere.set_default_timeout(PATIENCE)
        open_editor(elsewhere, "drafted", "source")
        offer = elsewhere.get_by_role("region", name="You have unsaved changes from elsewhere", exact=True)
        offer.get_by_role("button", name="Continue with them", exact=True).click()
        expect(elsewhere.locator(".view-lines")).to_contain_text("Half done.", timeout=PATIENCE)
        expect(offer).to_have_count(0)
        with drafts_told(elsewhere, "DELETE"):
            elsewhere.get_by_role("button", name="Save", exact=True).click()
        expect(elsewhere.locator("header .facts")).to_contain_text("Revision 2", timeout=PATIENCE)
    assert server.client.get("/api/v1/me/drafts").json()["results"] == []
    page.reload()
    expect(page.locator("header .facts")).to_contain_text("Revision 2")
    expect(page.locator(".bench > .bar")).to_contain_text("Saved")


def test_two_windows_with_one_draft_each_keep_their_text_until_it_is_chosen(page: Page, server: Server) -> None:
    """BEY-043."""
    source = HELLO.format(id="twofold")
    server.create_flow(source)
    second = page.context.new_page()
    second.set_default_timeout(PATIENCE)
    for window in (page, second):
        open_editor(window, "twofold", "source")
    page.bring_to_front()
    with drafts_told(page):
        write_source(page, source.replace("Greets someone.", "The first."))
    second.bring_to_front()
    write_source(second, source.replace("Greets someone.", "The second."))
    offer = second.get_by_role("region", name="You have unsaved changes from elsewhere", exact=True)
    offer.get_by_role("button", name="Compare", exact=True).click()
    expect(offer.locator(".modified")).to_contain_text("The first.", timeout=PATIENCE)
    assert kept_drafts(server) == [source.replace("Greets someone.", "The first.")]
    with drafts_told(second):
        offer.get_by_role("button", name="Keep what is here", exact=True).click()
    expect(offer).to_have_count(0)
    assert kept_drafts(server) == [source.replace("Greets someone.", "The second.")]
    expect(page.locator(".view-lines")).to_contain_text("The first.")
    with drafts_told(second, "DELETE"):
        second.get_by_role("button", name="Discard changes", exact=True).click()
    assert kept_drafts(server) == []


def kept_drafts(server: Server) -> list[str]:
    """Return the unsaved texts that the server has."""
    return [draft["source"] for draft in server.client.get("/api/v1/me/drafts").json()["results"]]


@contextmanager
def drafts_told(page: Page, method: str = "PUT") -> Iterator[None]:
    """Wait until the server was told of a draft, or that one is gone."""

    def is_told(response: Response) -> bool:
        return "/me/drafts/" in response.url and response.request.method == method and response.ok

    with page.expect_response(is_told, timeout=PATIENCE):
        yield
