"""Every page as it is met: by a screen reader, on a telephone, in light and dark, and kept as a picture to look at.

`make pictures` leaves the pictures in test-results/pages; an ordinary run takes none, since each costs as much as the
page. CONTRIBUTING.md tells how to look at the same data in a browser.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.ui.conftest import settled
from tests.ui.seed import LONG, LONG_NAME, seed
from tests.ui.server import Server, running_server

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
AXE = ROOT / "ui" / "node_modules" / "axe-core" / "axe.min.js"
PICTURES = ROOT / "test-results" / "pages"
FLOW = "flows/edit/company.shop/orders_of_the_day"
ORDERS = "executions/company.shop/orders_of_the_day/{orders}"
PAGES = (
    *("dashboards", "dashboards/shop", "dashboards/new", "dashboards/shop/edit"),
    *("flows", "flows/new", "flows/edit/ui.tests/not_there", "flows/edit/ui.tests/waits_for_both/triggers"),
    *("flows/edit/ui.tests/measured/metrics", "flows/edit/ui.tests/one_at_a_time/concurrency"),
    *(f"{FLOW}{tab}" for tab in ("", "/topology", "/edit", "/executions", "/triggers", "/logs", "/revisions")),
    f"{FLOW}/dependencies",
    f"flows/edit/{LONG}/{LONG_NAME}",
    *("executions", "executions?state=BREAKPOINT", "executions/ui.tests/greeted/not_there"),
    *(f"{ORDERS}{tab}" for tab in ("", "/logs", "/outputs", "/topology", "/overview")),
    *("executions/ui.tests/measured/{measured}/metrics", "executions/ui.tests/painted/{painted}/logs"),
    f"executions/{LONG}/{LONG_NAME}/{{long}}",
    f"executions/{LONG}/{LONG_NAME}/{{long}}/logs",
    "executions/company.science/each_customer/{loop}",
    "executions/company.shop/release/{paused}",
    "executions/company.science/train_model/{running}",
    "executions/ui.tests/one_at_a_time/{queued}",
    *("logs", "triggers", "plugins", "plugins/io.kestra.plugin.core.flow.ForEach"),
    *("blueprints", "blueprints/first-flow", "settings", "nothing/here"),
    *("namespaces", f"namespaces/{LONG}", "namespaces/company.empty/kv"),
    *(f"namespaces/company.shop/{tab}" for tab in ("", "flows", "executions", "dependencies", "kv", "files")),
    *("namespaces/company.shop/secrets", "namespaces/company.shop/settings"),
    *("blueprints/own", "blueprints/own/new", "tests", "tests/new", "tests/ui.tests/greetings"),
    *("assets", "assets/orders", "assets/orders/uses"),
    *(f"instance/{tab}" for tab in ("", "kv", "concurrency", "accounts", "plugins", "audit")),
)
PARTS = 15
"""The pages are gone through side by side."""
COLOURFUL = {"dashboards", "flows", "executions", "settings", f"{ORDERS}", f"executions/{LONG}/{LONG_NAME}/{{long}}"}
"""Colours alone differ in the dark: there axe looks at the pages with the most of them."""
FOUND = """async () => {
  const runOnly = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'];
  const exclude = ['.monaco-editor', '.monaco-diff-editor'];
  const { violations } = await axe.run({ exclude }, { resultTypes: ['violations'], runOnly });
  return violations
    .filter((one) => ['serious', 'critical'].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.target.join(' ')).join(' | ')}`);
}"""
BEYOND = """async () => {
  const places = [document.documentElement, document.querySelector('main')];
  const wide = () => places.filter((one) => one.scrollWidth > one.clientWidth);
  for (let frame = 0; frame < 200 && wide().length > 0; frame++) await new Promise(requestAnimationFrame);
  return wide().map((one) => `${one.localName} ${one.scrollWidth}`);
}"""
"""What one would have to push aside, once all has its new size; tables scroll in frames of their own."""

WATCHED = """
window.shifted = 0;
const add = (list) => list.getEntries().forEach((one) => (window.shifted += one.hadRecentInput ? 0 : one.value));
new PerformanceObserver(add).observe({ type: 'layout-shift', buffered: true });
"""
STEADY = {
    *("dashboards", "flows", "executions", "logs", "triggers", FLOW, ORDERS, f"{ORDERS}/logs"),
    *(f"executions/{LONG}/{LONG_NAME}/{{long}}{tab}" for tab in ("", "/logs")),
    *("executions/ui.tests/measured/{measured}/metrics", "executions/company.shop/release/{paused}"),
}
"""The pages one opens all day: there nothing moves under the reader's eyes while they load."""
MOST_SHIFTED = 0.1
"""Up to here a page counts as steady."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server of these tests alone: its data fills every page and would be in the way of others."""
    with running_server(tmp_path_factory.mktemp("pages")) as running:
        yield running


@pytest.fixture(scope="module")
def ids(server: Server) -> dict[str, str]:
    """Return executions by what they show."""
    return seed(server)


def keep(page: Page, scheme: str, path: str) -> None:
    """Keep a picture of a page, if pictures are wanted."""
    if os.environ.get("PENSTOCK_PICTURES"):
        page.screenshot(path=PICTURES / scheme / f"{path.strip('/').replace('/', '.').replace('?', '-')}.png")


def violations(page: Page) -> list[str]:
    """Return what axe finds serious; the inside of Monaco is not the page's own."""
    found: list[str] = page.evaluate(FOUND)
    return found


@pytest.mark.parametrize("part", range(PARTS))
def test_no_page_has_a_serious_violation_or_is_wider_than_a_telephone(
    page: Page, ids: dict[str, str], part: int
) -> None:
    """Keeps pictures of all in light and wide, and in dark and narrow; the pages of every day hold still."""
    found = []
    page.emulate_media(reduced_motion="reduce")  # no colour is met halfway to another
    page.add_init_script(WATCHED)
    for path in PAGES[part::PARTS]:
        page.set_viewport_size({"width": 1440, "height": 900})
        page.emulate_media(color_scheme="light")
        page.goto(f"/ui/main/{path.format_map(ids)}")
        settled(page)
        if path in STEADY and (shifted := page.evaluate("window.shifted")) > MOST_SHIFTED:
            found.append(f"{path} moved by {shifted:.2f} while it was loaded")
        page.evaluate(AXE.read_text())  # not a script of the page: its policy allows none from elsewhere
        found += [f"{path}: {one}" for one in violations(page)]
        keep(page, "light", path)
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": 360, "height": 740})
        found += [f"{path} at 360 px: {one}" for one in page.evaluate(BEYOND)]
        if path in COLOURFUL:
            found += [f"{path} in the dark: {one}" for one in violations(page)]
        keep(page, "dark", path)
    assert found == []
