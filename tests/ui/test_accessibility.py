"""Every page as a screen reader meets it, in light and dark: no serious violation of the rules axe knows."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page

from tests.ui.conftest import settled
from tests.ui.flows import FAILING, HELLO, SCHEDULED
from tests.ui.server import Server

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = {
    "light": (
        *(
            "dashboards",
            "dashboards/new",
            "flows",
            "executions",
            "logs",
            "triggers",
            "namespaces",
            "plugins",
            "blueprints",
            "blueprints/first-flow",
            "settings",
        ),
        *("instance", "instance/kv", "instance/concurrency", "instance/audit", "namespaces/ui.tests/kv"),
        *(f"flows/edit/ui.tests/audible{tab}" for tab in ("", "/topology", "/edit", "/revisions")),
        *(f"executions/ui.tests/audible/{{id}}{tab}" for tab in ("", "/logs")),
    ),
    "kept": (
        *("blueprints/own", "blueprints/own/new", "tests", "tests/new", "tests/ui.tests/audible_tests"),
        *("assets", "assets/audible", "assets/audible/uses"),
    ),
    "dark": ("dashboards", "flows", "executions", "settings", "executions/ui.tests/audible/{id}"),
}
"""Colours alone differ in the dark: there the pages with the most of them are enough."""
ASSET = "{id: audible, type: Table, metadata: {system: postgres}}"
SUITE = """\
id: audible_tests
namespace: ui.tests
flowId: audible
testCases:
  - id: fails
    type: io.kestra.core.tests.flow.UnitTest
    assertions:
      - {value: "{{ execution.state }}", equalTo: SUCCESS}
"""
FOUND = """async () => {
  const runOnly = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'];
  const exclude = ['.monaco-editor', '.monaco-diff-editor'];
  const { violations } = await axe.run({ exclude }, { resultTypes: ['violations'], runOnly });
  return violations
    .filter((one) => ['serious', 'critical'].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.target.join(' ')).join(' | ')}`);
}"""


def violations(page: Page, path: str) -> list[str]:
    """Return what axe finds serious on a page, once it stands still; the inside of Monaco is not the page's own."""
    page.goto(f"/ui/main/{path}")
    settled(page)
    page.evaluate(AXE.read_text())  # not a script of the page: its policy allows none from elsewhere
    return [f"{path}: {one}" for one in page.evaluate(FOUND)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_violation(page: Page, server: Server, scheme: Literal["light", "dark"]) -> None:
    for flow in (HELLO, FAILING):
        server.create_flow(flow.format(id="audible"))
        execution_id = server.execute("ui.tests", "audible")
    server.create_flow(SCHEDULED.format(id="audible_schedule"))
    page.emulate_media(color_scheme=scheme)
    found = [one for path in PAGES[scheme] for one in violations(page, path.format(id=execution_id))]
    assert found == []


def test_no_page_of_what_people_keep_has_a_serious_violation(page: Page, server: Server) -> None:
    server.create_flow(HELLO.format(id="audible"))
    for path, body in (("assets", ASSET), ("tests", SUITE), ("tests/ui.tests/audible_tests/run", "")):
        server.client.post(f"/api/v1/main/{path}", content=body)
    server.client.post("/api/v1/main/blueprints/custom", json={"title": "Audible", "source": SUITE, "tags": ["a11y"]})
    assert [one for path in PAGES["kept"] for one in violations(page, path)] == []
