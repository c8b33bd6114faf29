"""Namespaces and plugins: key-value pairs, files, settings, and the documentation of types."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.ui.flows import FAILING, HELLO
from tests.ui.server import Server
from tests.ui.test_flows import write_source

pytestmark = pytest.mark.browser

SECRETIVE = """
id: reads
namespace: ui.secretive
tasks:
  - id: check
    type: io.kestra.plugin.core.execution.Fail
    condition: "{{ secret('API_KEY') != 'swordfish' }}"
"""
API = "/api/v1/main/namespaces"


def test_key_is_made_changed_and_deleted(page: Page, server: Server) -> None:
    """Implements UI-142 in the browser; ENG-369."""
    page.goto("/ui/main/namespaces/ui.pairs/kv")
    page.get_by_role("button", name="New key").first.click()  # the list that is still empty offers it too
    dialog = page.get_by_role("alertdialog")
    dialog.get_by_label("Key").fill("limit")
    dialog.get_by_label("Type").select_option("NUMBER")
    dialog.get_by_label("Value").fill("many")
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("not a number")
    dialog.get_by_label("Value").fill("12")
    dialog.get_by_label("Time to live").fill("P7D")
    dialog.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Copy the expression of limit").click()
    expect(page.get_by_role("status").filter(has_text="Copied")).to_be_attached()
    assert page.evaluate("navigator.clipboard.readText()") == "{{ kv('limit') }}"
    page.get_by_role("button", name="limit", exact=True).click()
    expect(dialog.get_by_label("Value")).to_have_value("12")
    dialog.get_by_label("Type").select_option("STRING")
    dialog.get_by_label("Value").fill("13")
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog).to_be_hidden()
    kept = server.client.get("/api/v1/main/namespaces/ui.pairs/kv/limit").json()
    assert (kept["type"], kept["value"]) == ("STRING", "13")
    page.get_by_role("button", name="Delete limit").click()
    dialog.get_by_role("button", name="Delete key").click()
    expect(page.get_by_text("No key yet")).to_be_visible()


def test_keys_of_all_namespaces_are_listed_filtered_and_deleted(page: Page, server: Server) -> None:
    """Implements UI-004."""
    for namespace in ("ui.everywhere.one", "ui.everywhere.two"):
        server.client.put(f"{API}/{namespace}/kv/shared-key", content="1").raise_for_status()
    page.goto("/ui/main/instance/kv?q=shared-key")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("ui.everywhere.one")
    rows.first.get_by_role("button", name="Delete shared-key").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete key").click()
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("ui.everywhere.two")
    left = server.client.get(f"{API}/ui.everywhere.one/kv").json()
    assert left == []


def test_file_is_made_written_moved_restored_and_deleted(page: Page, server: Server) -> None:
    """ENG-353: what is not saved yet outlives a reload, and earlier revisions come back."""
    page.goto("/ui/main/namespaces/ui.filed/files")
    page.get_by_role("button", name="New file").first.click()
    dialog = page.get_by_role("alertdialog")
    dialog.get_by_label("Path").fill("scripts/load.py")
    dialog.get_by_role("button", name="New file").click()
    editor = page.get_by_role("region", name="/scripts/load.py")
    write_source(page, "print('loaded')\n")
    expect(editor.get_by_text("Unsaved changes")).to_be_visible()
    page.reload()
    expect(editor.get_by_text("Unsaved changes")).to_be_visible()
    editor.get_by_role("button", name="Save", exact=True).click()
    expect(editor.get_by_text("Unsaved changes")).to_be_hidden()
    files = f"{API}/ui.filed/files"
    assert server.client.get(files, params={"path": "/scripts/load.py"}).text == "print('loaded')\n"

    editor.get_by_role("button", name="Revisions").click()
    expect(editor.get_by_role("region", name="Revision 0 compared with now")).to_contain_text("loaded")
    editor.get_by_role("button", name="Restore").click()
    expect(editor.get_by_label("Revision").locator("option")).to_have_count(2)
    assert server.client.get(files, params={"path": "/scripts/load.py"}).text == ""

    page.get_by_role("button", name="Actions on load.py").click()
    page.get_by_role("menuitem", name="Rename or move").click()
    dialog.get_by_label("Path").fill("jobs/first.py")
    dialog.get_by_role("button", name="Move").click()
    expect(page.get_by_role("region", name="/jobs/first.py")).to_be_visible()
    expect(
        page.get_by_role("navigation", name="Open files").get_by_role("button", name="first.py", exact=True)
    ).to_be_visible()
    page.get_by_role("button", name="Actions on first.py").click()
    page.get_by_role("menuitem", name="Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No file is open")).to_be_visible()


def test_file_is_uploaded_and_dragged_into_a_folder(page: Page, server: Server) -> None:
    """ENG-353."""
    server.client.post(f"{API}/ui.dragged/files/directory", params={"path": "/queries"})
    page.goto("/ui/main/namespaces/ui.dragged/files")
    folder = page.get_by_role("button", name="queries", exact=True)
    folder.wait_for()
    text = {"name": "orders.sql", "mimeType": "text/plain", "buffer": b"select 1"}
    page.locator("input[type=file]").set_input_files(text)  # type: ignore[arg-type]
    uploaded = page.get_by_role("button", name="orders.sql", exact=True)
    uploaded.hover()
    page.mouse.down()
    folder.hover()
    folder.hover()  # browsers tell of what is dragged over from the second move on
    page.mouse.up()
    expect(page.get_by_role("list", name="/queries")).to_contain_text("orders.sql")
    moved = server.client.get(f"{API}/ui.dragged/files", params={"path": "/queries/orders.sql"})
    assert moved.text == "select 1"


def test_files_far_from_sight_are_drawn_once_one_comes_near(page: Page, server: Server) -> None:
    """ENG-353: a folder of very many files is shown at once; the rows beyond the window leave room, and are no more."""
    for number in range(130):
        path = {"path": f"/table_{number:03}.sql"}
        server.client.post(f"{API}/ui.many/files", params=path, files={"fileContent": b"select 1"}).raise_for_status()
    page.goto("/ui/main/namespaces/ui.many/files")
    page.get_by_role("button", name="table_000.sql", exact=True).wait_for()
    last = page.get_by_role("button", name="table_129.sql", exact=True)
    expect(last).to_have_count(0)
    room = page.get_by_role("list", name="Files").evaluate("list => list.scrollHeight")
    page.get_by_role("list", name="Files").evaluate("list => list.scrollIntoView({ block: 'end' })")
    last.click()
    expect(page.get_by_role("region", name="/table_129.sql")).to_contain_text("select 1")
    assert page.get_by_role("list", name="Files").evaluate("list => list.scrollHeight") == room


def test_flows_of_a_namespace_are_edited_among_its_files(page: Page, server: Server) -> None:
    """ENG-013, ENG-353, UI-075: a flow as a file, with the way to execute it; several files in tabs."""
    server.create_flow(HELLO.format(id="as_file").replace("ui.tests", "ui.virtual"))
    server.client.post(f"{API}/ui.virtual/files", params={"path": "/notes.md"}, files={"fileContent": b"# Notes"})
    page.goto("/ui/main/namespaces/ui.virtual/files")
    page.get_by_role("button", name="notes.md", exact=True).click()
    file = page.get_by_role("list", name="Flows").get_by_role("button", name="as_file.yml")
    page.get_by_role("button", name="_flows").press("ArrowRight")
    file.wait_for()
    page.keyboard.press("ArrowDown")
    expect(file).to_be_focused()
    page.keyboard.press("Enter")
    flow = page.get_by_role("region", name="as_file")
    expect(flow).to_contain_text("Greets someone.")
    write_source(page, HELLO.format(id="as_file").replace("ui.tests", "ui.virtual") + "disabled: false\n")
    flow.get_by_role("button", name="Save", exact=True).click()
    expect(flow.get_by_text("Saved", exact=True)).to_be_visible()
    assert server.client.get("/api/v1/main/flows/ui.virtual/as_file").json()["revision"] == 2
    tabs = page.get_by_role("navigation", name="Open files")
    tabs.get_by_role("button", name="notes.md", exact=True).click()
    expect(page.get_by_role("region", name="/notes.md")).to_contain_text("# Notes")
    tabs.get_by_role("button", name="Close notes.md").click()
    flow.get_by_role("link", name="Execute").click()
    page.wait_for_url("**/flows/edit/ui.virtual/as_file?execute=1")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_overview_of_a_namespace_tells_what_ran_and_failed(page: Page, server: Server) -> None:
    """ENG-020, UI-142."""
    server.create_flow(FAILING.format(id="falls").replace("ui.tests", "ui.seen"))
    server.execute("ui.seen", "falls")
    page.goto("/ui/main/namespaces/ui.seen")
    main = page.get_by_role("main")
    expect(main.locator("dl")).to_contain_text("Failed, last 7 days1")
    expect(main.locator("section", has_text="Failed lately").get_by_role("link", name="falls")).to_be_visible()
    page.get_by_label("Tabs").get_by_role("link", name="Executions").click()
    expect(page.get_by_role("row").filter(has_text="falls")).to_have_count(1)
    page.get_by_label("Tabs").get_by_role("link", name="Secrets").click()
    expect(main).to_contain_text("No secret is set up")


def test_variables_of_a_namespace_are_kept(page: Page, server: Server) -> None:
    server.create_flow(HELLO.format(id="settled").replace("ui.tests", "ui.settings"))
    page.goto("/ui/main/namespaces/ui.settings/settings")
    write_source(page, '{"region": "eu"}')
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert server.client.get("/api/v1/main/namespaces/ui.settings").json()["variables"] == {"region": "eu"}


def test_namespaces_are_found_and_lead_to_their_flows(page: Page, server: Server) -> None:
    """Implements UI-141 in the browser."""
    server.create_flow(HELLO.format(id="housed"))
    page.goto("/ui/main/namespaces")
    page.get_by_role("searchbox").fill("ui.tests")
    page.get_by_role("link", name="ui.tests", exact=True).click()
    page.get_by_label("Tabs").get_by_role("link", name="Flows").click()
    expect(page.get_by_role("row").filter(has_text="housed").first).to_be_visible()


def test_documentation_of_a_type_tells_its_properties(page: Page) -> None:
    """Implements UI-147 in the browser."""
    page.goto("/ui/main/plugins")
    page.get_by_role("searchbox").fill("core.log.log")
    page.get_by_role("main").get_by_role("link", name="Log").first.click()
    page.wait_for_url("**/plugins/io.kestra.plugin.core.log.Log")
    main = page.get_by_role("main")
    expect(main).to_contain_text("message")
    expect(main).to_contain_text("The text, or a list of texts that give a line each.")
    expect(main).not_to_contain_text("Implements")


def test_secret_is_set_told_of_read_and_deleted_and_never_shown(page: Page, server: Server) -> None:
    """ENG-374 in the browser."""
    server.create_flow(SECRETIVE)
    page.goto("/ui/main/namespaces/ui.secretive/secrets")
    page.get_by_role("button", name="New secret").click()
    dialog = page.get_by_role("alertdialog")
    dialog.get_by_label("Name").fill("API_KEY")
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("a name and a value")
    dialog.get_by_label("Value").fill("swordfish")
    dialog.get_by_label("Tags").fill("owner:ops")
    dialog.get_by_role("button", name="Save", exact=True).click()
    row = page.get_by_role("row").filter(has_text="API_KEY")
    expect(row).to_contain_text("owner:ops")
    row.get_by_role("button", name="API_KEY", exact=True).click()
    expect(dialog.get_by_label("Value")).to_have_value("")
    dialog.get_by_label("Description").fill("Of the shop")
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(row).to_contain_text("Of the shop")
    execution = server.client.get(f"/api/v1/main/executions/{server.execute('ui.secretive', 'reads')}").json()
    assert execution["state"]["current"] == "SUCCESS"
    row.get_by_role("button", name="Delete API_KEY").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete secret").click()
    expect(page.get_by_text("No secret is set up")).to_be_visible()
