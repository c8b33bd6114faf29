"""Acting on one execution from its page: every action says what it does, and does it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.flows import FAILING, HELLO, PAUSED, QUEUED, STEPS
from tests.ui.server import Server
from tests.ui.test_execution import open_execution

pytestmark = pytest.mark.browser


def choose(page: Page, action: str) -> Locator:
    """Choose an action of the menu and return the dialog that asks about it."""
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name=action).click()
    return page.get_by_role("alertdialog")


def test_replay_with_other_inputs_is_a_new_execution_in_the_chosen_revision(page: Page, server: Server) -> None:
    """Implements UI-123 in the browser."""
    first = HELLO.format(id="replayed")
    server.create_flow(first)
    original = server.execute("ui.tests", "replayed")
    server.create_flow(first.replace("Hello, ", "Good day, "))
    open_execution(page, "replayed", original)
    dialog = choose(page, "Replay")
    dialog.get_by_label("Revision").select_option("2")
    dialog.get_by_role("checkbox", name="Change the inputs").check()
    dialog.get_by_label("name").fill("Grace")
    dialog.get_by_role("button", name="Replay").click()
    page.wait_for_url(lambda url: "/executions/ui.tests/replayed/" in url and original not in url)
    expect(page.locator("header.obj .state")).to_have_text("Success")
    page.get_by_role("link", name="Outputs").click()
    page.get_by_role("button", name="greeting").click()
    expect(page.get_by_role("main")).to_contain_text("Good day, Grace!")


def test_replay_from_a_task_run_reuses_what_came_before(page: Page, server: Server) -> None:
    server.create_flow(HELLO.format(id="replayed_from"))
    original = server.execute("ui.tests", "replayed_from")
    open_execution(page, "replayed_from", original)
    page.get_by_role("treeitem").filter(has_text="say").click()
    page.get_by_role("button", name="Actions on say").click()
    page.get_by_role("menuitem", name="Replay from here").click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_contain_text("Replay from say?")
    dialog.get_by_role("button", name="Replay").click()
    page.wait_for_url(lambda url: "/executions/ui.tests/replayed_from/" in url and original not in url)
    expect(page.locator("header .facts")).to_contain_text("Replay of " + original[:8])
    expect(page.locator("header.obj .state")).to_have_text("Success")


def test_labels_are_set_on_an_ended_execution(page: Page, server: Server) -> None:
    server.create_flow(HELLO.format(id="labelled"))
    open_execution(page, "labelled", server.execute("ui.tests", "labelled"))
    dialog = choose(page, "Set labels")
    dialog.get_by_label("Name of label 1").fill("owner")
    dialog.get_by_label("Value of label 1").fill("ada")
    dialog.get_by_role("button", name="Set labels").click()
    expect(page.locator("header .facts")).to_contain_text("owner=ada")


def test_state_of_an_ended_execution_is_changed(page: Page, server: Server) -> None:
    server.create_flow(FAILING.format(id="restated"))
    open_execution(page, "restated", server.execute("ui.tests", "restated"))
    dialog = choose(page, "Change state")
    dialog.get_by_role("radio", name="Warning").check()
    dialog.get_by_role("button", name="Change state").click()
    expect(page.locator("header.obj .state")).to_have_text("Warning")


def test_state_of_a_failed_task_run_is_changed_and_the_rest_runs(page: Page, server: Server) -> None:
    """Implements UI-124 in the browser."""
    server.create_flow(FAILING.format(id="forgiven"))
    open_execution(page, "forgiven", server.execute("ui.tests", "forgiven"))
    page.get_by_role("button", name="Actions on broken").click()
    page.get_by_role("menuitem", name="Change state").click()
    dialog = page.get_by_role("alertdialog")
    dialog.get_by_role("radio", name="Success").check()
    dialog.get_by_role("button", name="Change state").click()
    expect(page.locator("header.obj .state")).to_have_text("Success")
    expect(page.get_by_role("treeitem").filter(has_text="never")).to_be_visible()


def test_forced_execution_leaves_its_pause(page: Page, server: Server) -> None:
    server.create_flow(PAUSED.format(id="forced"))
    open_execution(page, "forced", server.execute("ui.tests", "forced", wait=False))
    expect(page.locator("header.obj .state")).to_have_text("Paused")
    dialog = choose(page, "Force run")
    expect(dialog).to_contain_text("may run twice")
    dialog.get_by_role("button", name="Force run").click()
    expect(page.locator("header.obj .state")).to_have_text("Success")


def test_queued_execution_is_taken_out_of_the_queue(page: Page, server: Server) -> None:
    server.create_flow(QUEUED.format(id="queues"))
    holder = server.execute("ui.tests", "queues", wait=False)
    open_execution(page, "queues", holder)
    expect(page.locator("header.obj .state")).to_have_text("Paused")
    open_execution(page, "queues", server.execute("ui.tests", "queues", wait=False))
    expect(page.locator("header.obj .state")).to_have_text("Queued")
    page.get_by_role("button", name="Unqueue").click()
    dialog = page.get_by_role("alertdialog")
    dialog.get_by_role("radio", name="End as cancelled").check()
    dialog.get_by_role("button", name="Unqueue").click()
    expect(page.locator("header.obj .state")).to_have_text("Cancelled")


def test_deleted_execution_is_gone_and_the_flow_is_shown(page: Page, server: Server) -> None:
    server.create_flow(HELLO.format(id="removed"))
    execution = server.execute("ui.tests", "removed")
    open_execution(page, "removed", execution)
    dialog = choose(page, "Delete")
    expect(dialog).to_contain_text("Nobody can bring it back")
    dialog.get_by_role("button", name="Delete").click()
    page.wait_for_url("**/flows/edit/ui.tests/removed/executions")
    assert server.client.get(f"/api/v1/main/executions/{execution}").status_code == 404


def test_replay_with_other_outputs_and_without_a_task_uses_and_marks_them(page: Page, server: Server) -> None:
    """BEY-042."""
    server.create_flow(STEPS.format(id="edited"))
    first = server.execute("ui.tests", "edited")
    open_execution(page, "edited", first)
    page.get_by_role("treeitem").filter(has_text="second").click()
    page.get_by_role("button", name="Actions on second").click()
    page.get_by_role("menuitem", name="Replay from here").click()
    dialog = page.get_by_role("alertdialog")
    dialog.get_by_text("Skip tasks").click()
    dialog.get_by_role("checkbox", name="third").check()
    dialog.get_by_text("Change outputs that are reused").click()
    dialog.locator(".output").get_by_role("checkbox", name="first").check()
    field = dialog.get_by_label("Outputs of first")
    field.fill("eins")
    dialog.get_by_role("button", name="Replay").click()
    expect(dialog.get_by_role("alert")).to_contain_text("must be a map")
    field.fill('{"value": "eins"}')
    dialog.get_by_role("button", name="Replay").click()
    page.wait_for_url(lambda url: "/executions/ui.tests/edited/" in url and first not in url)
    expect(page.locator("header .state")).to_have_text("Success")
    made = server.client.get(f"/api/v1/main/executions/{page.url.rsplit('/', 1)[1].partition('?')[0]}").json()
    runs = {run["taskId"]: run for run in made["taskRunList"]}
    assert runs["first"]["edited"]
    assert runs["second"]["outputs"] == {"value": "eins two"}
    assert runs["third"]["state"]["current"] == "SKIPPED"
    page.get_by_role("link", name="replay with changes", exact=True).click()
    changed = page.get_by_role("region", name="Changed for this replay", exact=True)
    expect(changed.get_by_role("link", name=first[:8])).to_be_visible()
    for fact in ("Outputs given by hand", "first", "Tasks skipped", "third"):
        expect(changed).to_contain_text(fact)
