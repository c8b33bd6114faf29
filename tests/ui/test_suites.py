"""Test suites: made of a failed execution, written, run, and read."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.ui.flows import FAILING, HELLO
from tests.ui.server import Server

pytestmark = pytest.mark.browser


def test_failed_execution_becomes_a_suite_in_one_action_and_is_run(page: Page, server: Server) -> None:
    """Implements BEY-032, GOV-328 in the browser."""
    server.create_flow(FAILING.format(id="to_be_tested"))
    execution_id = server.execute("ui.tests", "to_be_tested")
    page.goto(f"/ui/main/executions/ui.tests/to_be_tested/{execution_id}")
    page.get_by_role("button", name="More actions", exact=True).click()
    page.get_by_role("menuitem", name="Make a test suite of it").click()
    page.wait_for_url(f"**/tests/ui.tests/to_be_tested-{execution_id}")
    page.get_by_role("button", name="Run", exact=True).first.click()
    case = page.get_by_role("region", name="as_it_happened", exact=True)
    expect(case.get_by_role("row").filter(has_text="tasks.broken.state")).to_contain_text("FAILED")
    expect(case.get_by_role("row").filter(has_text="tasks.fine.state")).to_contain_text("SUCCESS")
    expect(case).to_contain_text("Passed")
    page.get_by_role("link", name="to_be_tested", exact=True).click()
    expect(page.get_by_role("row").filter(has_text=f"to_be_tested-{execution_id}")).to_contain_text("1 of 1")


def test_suite_is_written_beside_its_flow_and_tells_expected_from_actual(page: Page, server: Server) -> None:
    """Implements GOV-317, GOV-331, GOV-332 in the browser."""
    server.create_flow(HELLO.format(id="greeter"))
    page.goto("/ui/main/flows/edit/ui.tests/greeter/tests")
    page.get_by_role("link", name="New test suite", exact=True).click()
    expect(page.get_by_role("region", name="Source of the flow that is tested")).to_contain_text("greeting")
    expect(page.get_by_role("region", name="Problems")).to_contain_text("None")
    page.get_by_role("button", name="Create", exact=True).click()
    page.wait_for_url("**/tests/ui.tests/greeter_tests")
    kept = server.client.get("/api/v1/main/tests/ui.tests/greeter_tests").json()["source"]
    wrong = kept.replace('"{{ execution.state }}"', '"{{ outputs.greeting.value }}"').replace("SUCCESS", "Hello, moon!")
    server.client.put("/api/v1/main/tests/ui.tests/greeter_tests", content=wrong).raise_for_status()
    page.goto("/ui/main/tests?namespace=ui.tests&flowId=greeter")
    row = page.get_by_role("row").filter(has_text="greeter_tests")
    row.get_by_role("button", name="Run greeter_tests", exact=True).click()
    expect(row).to_contain_text("0 of 1")
    row.get_by_role("link", name="greeter_tests").click()
    assertion = page.get_by_role("row").filter(has_text="outputs.greeting.value")
    expect(assertion).to_contain_text("equalTo Hello, moon!")
    expect(assertion.get_by_role("cell").last).to_have_text("Hello, world!")
    page.get_by_role("button", name="Delete the test suite", exact=True).click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete the test suite", exact=True).click()
    page.wait_for_url("**/ui/main/tests")
    assert server.client.get("/api/v1/main/tests/ui.tests/greeter_tests").status_code == 404
