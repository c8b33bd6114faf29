"""The tabs of an execution beside its timeline: outputs, topology, metrics; and what is drawn of large loops."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.ui.flows import COLOURED, FILES, HELLO, LONG_LOG, MANY, MEASURED, PAUSED_LOG, WIDE
from tests.ui.server import Server
from tests.ui.test_execution import open_execution

pytestmark = pytest.mark.browser
LABELS_APART = """() => {
  const labels = [...document.querySelectorAll(".axis .tick")].filter(label => label.textContent);
  const boxes = labels.map(label => label.getBoundingClientRect());
  return boxes.length > 0 && boxes.slice(1).every((box, before) => boxes[before].right <= box.left);
}"""
"""All labels are read at once: the axis is drawn anew, with others, as soon as its width is known."""


def test_expression_is_evaluated_as_the_selected_task_run_sees_it(page: Page, server: Server) -> None:
    """Implements UI-127, ENG-211 in the browser."""
    server.create_flow(HELLO.format(id="evaluated"))
    open_execution(page, "evaluated", server.execute("ui.tests", "evaluated"), "outputs")
    expect(page.get_by_role("button", name="Evaluate")).to_be_disabled()
    page.get_by_role("button", name="greeting").click()
    field = page.get_by_label("Debug an expression")
    field.fill("{{ outputs.greeting.value | upper }}")
    page.get_by_role("button", name="Evaluate").click()
    expect(page.get_by_role("status").filter(has_text="HELLO, WORLD!")).to_be_visible()
    field.fill("{{ outputs.nothing.value }}")
    field.press("Control+Enter")
    expect(page.get_by_role("status").filter(has_text="nothing")).to_be_visible()


def test_file_of_a_task_is_previewed_as_rows(page: Page, server: Server) -> None:
    server.create_flow(FILES.format(id="previewed"))
    open_execution(page, "previewed", server.execute("ui.tests", "previewed"), "outputs")
    page.get_by_role("button", name="write").click()
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("region", name="Preview")).to_contain_text("oranges")


def test_topology_shows_states_and_the_task_run_beside_them(page: Page, server: Server) -> None:
    """Implements UI-126 and UI-124 in the browser."""
    server.create_flow(MEASURED.format(id="drawn"))
    open_execution(page, "drawn", server.execute("ui.tests", "drawn"), "topology")
    graph = page.get_by_role("group", name="Topology of the flow")
    expect(graph.get_by_role("button", name="left Success")).to_be_visible()
    expect(graph.locator(".vue-flow__edge")).to_have_count(1)
    graph.get_by_role("button", name="right Failed").click()
    panel = page.get_by_role("region", name="Task run right")
    panel.get_by_role("tab", name="Source").click()
    expect(panel.locator("pre")).to_contain_text("type: io.kestra.plugin.core.execution.Fail")
    panel.get_by_role("link", name="Show in the timeline").click()
    expect(page.get_by_role("treeitem", selected=True)).to_contain_text("right")


def test_large_group_is_one_node_until_it_is_opened(page: Page, server: Server) -> None:
    """Implements UI-126 in the browser: a thousand tasks are no thousand boxes."""
    server.create_flow(WIDE.format(id="wide"))
    open_execution(page, "wide", server.execute("ui.tests", "wide"), "topology")
    graph = page.get_by_role("group", name="Topology of the flow")
    expect(graph.get_by_role("button", name="all Success 40 inside")).to_be_visible()
    expect(graph.locator(".vue-flow__node")).to_have_count(1)
    graph.get_by_role("button", name="Show all in place").click()
    expect(graph.locator(".vue-flow__node")).to_have_count(41)
    graph.get_by_role("button", name="Hide all").click()
    expect(graph.locator(".vue-flow__node")).to_have_count(1)


def test_metrics_are_listed_with_their_tags(page: Page, server: Server) -> None:
    """Implements UI-128 in the browser."""
    server.create_flow(MEASURED.format(id="measured"))
    open_execution(page, "measured", server.execute("ui.tests", "measured"), "metrics")
    row = page.get_by_role("row").filter(has_text="rows.loaded")
    expect(row).to_contain_text("42")
    expect(row).to_contain_text("table=orders")
    page.get_by_role("combobox", name="Metric").select_option("rows.loaded")
    chart = page.get_by_role("figure", name="Values of rows.loaded in the order they were measured")
    chart.get_by_role("link", name="count · 42 · table=orders").click()
    expect(page.get_by_role("treeitem", selected=True)).to_contain_text("count")


def test_execution_is_compared_with_those_around_it(page: Page, server: Server) -> None:
    """Implements UI-123 in the browser: the way to the executions before and after, and how long they took."""
    server.create_flow(HELLO.format(id="compared"))
    first, second = (server.execute("ui.tests", "compared") for _ in range(2))
    open_execution(page, "compared", second, "overview")
    expect(page.get_by_role("list", name="Last runs").get_by_role("link")).to_have_count(2)
    expect(page.get_by_text("Usually (median of 1 that succeeded)")).to_be_visible()
    expect(page.get_by_role("link", name="Later execution")).to_be_disabled()
    page.get_by_role("link", name="Earlier execution").click()
    page.wait_for_url(f"**/{first}/overview")
    expect(page.get_by_role("link", name="Later execution")).to_be_enabled()
    page.keyboard.press("]")
    page.wait_for_url(f"**/{second}/overview")


def test_large_loop_is_unfolded_by_state(page: Page, server: Server) -> None:
    server.create_flow(MANY.format(id="many"))
    open_execution(page, "many", server.execute("ui.tests", "many"))
    rows = page.get_by_role("treeitem")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Unfold each").click()
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Success 30").click()
    expect(rows).to_have_count(2 + 20 + 1)
    page.get_by_role("button", name="Show more of 10 others").click()
    expect(rows).to_have_count(2 + 30)


def test_colours_of_a_log_line_are_kept(page: Page, server: Server) -> None:
    """Implements UI-125 in the browser."""
    server.create_flow(COLOURED.format(id="coloured"))
    open_execution(page, "coloured", server.execute("ui.tests", "coloured"), "logs")
    painted = page.get_by_role("log").locator("i", has_text="red words")
    expect(painted).to_have_class("red")


def test_long_log_is_read_where_one_looks(page: Page, server: Server) -> None:
    """Implements UI-125 in the browser: by time and by task, from any place."""
    server.create_flow(LONG_LOG.format(id="long_log"))
    open_execution(page, "long_log", server.execute("ui.tests", "long_log"), "logs")
    log = page.get_by_role("log")
    expect(log).to_contain_text("row 1 of orders")
    expect(page.get_by_text("3,001 lines")).to_be_visible()
    log.press("End")
    expect(log).to_contain_text("that was all")
    assert log.locator(".line").count() < 150
    log.press("Home")
    expect(log).to_contain_text("row 1 of orders")
    half = "log => { log.scrollTop = log.scrollHeight / 2; return log.textContent.includes('row 1500 of orders') }"
    page.wait_for_function(half, arg=log.element_handle(), polling=500)
    page.get_by_label("Search the logs").fill("ROW 2999")
    expect(log.locator(".line")).to_have_count(1)
    expect(log.locator("mark")).to_have_text("row 2999")
    page.get_by_role("button", name="By task").click()
    expect(page.get_by_role("button", name="Lines of count")).to_contain_text("1 line")
    page.get_by_label("Search the logs").fill("")
    page.get_by_role("button", name="Lines of end").click()
    expect(log.filter(has_text="that was all")).to_be_visible()


def test_log_that_grows_is_kept_at_its_end(page: Page, server: Server) -> None:
    server.create_flow(PAUSED_LOG.format(id="growing_log"))
    open_execution(page, "growing_log", server.execute("ui.tests", "growing_log", wait=False), "logs")
    log = page.get_by_role("log")
    expect(log).to_contain_text("row 300 of orders")
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Resume").click()
    expect(log).to_contain_text("that was all")


def test_timeline_labels_do_not_touch_on_a_narrow_screen(page: Page, server: Server) -> None:
    server.create_flow(HELLO.format(id="narrow_axis"))
    page.set_viewport_size({"width": 360, "height": 740})
    open_execution(page, "narrow_axis", server.execute("ui.tests", "narrow_axis"))
    page.wait_for_function(LABELS_APART)
