"""The form made from declared inputs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.ui.flows import CHECKED, INPUTS
from tests.ui.server import Server

pytestmark = pytest.mark.browser


@pytest.fixture
def form(page: Page, server: Server, own_id: str) -> Page:
    """Open the execute form of the test's own flow with inputs of several types."""
    server.create_flow(INPUTS.format(id=own_id))
    page.goto(f"/ui/main/flows/edit/ui.tests/{own_id}?execute=1")
    page.get_by_role("dialog").wait_for()
    return page


def test_form_gives_each_type_its_control(form: Page) -> None:
    expect(form.locator("#input-age")).to_have_attribute("type", "number")
    expect(form.get_by_role("switch")).not_to_be_checked()
    expect(form.locator("#input-cloud option")).to_have_text(["Choose…", "AWS", "GCP"])
    expect(form.get_by_role("checkbox", name="eu-west")).to_be_visible()
    expect(form.locator("#input-day")).to_have_attribute("type", "date")
    expect(form.locator("#input-report")).to_have_attribute("type", "file")


def test_form_faults_stand_at_their_fields_and_nothing_starts(form: Page, server: Server, own_id: str) -> None:
    form.locator("#input-age").fill("17")
    form.get_by_role("dialog").get_by_role("button", name="Execute").click()
    expect(form.locator("#input-age-about")).to_contain_text("at least 18")
    expect(form.locator("#input-cloud-about")).to_contain_text("needs a value")
    found = server.client.get("/api/v1/main/executions/search", params={"filters[flowId][EQUALS]": own_id})
    assert found.json()["total"] == 0


def test_form_values_reach_the_execution(form: Page, server: Server, own_id: str, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    report.write_text("a,b\n")
    form.locator("#input-age").fill("42")
    form.get_by_role("switch").check()
    form.locator("#input-cloud").select_option("GCP")
    form.get_by_role("checkbox", name="us-east").check()
    form.locator("#input-report").set_input_files(report)
    form.get_by_role("dialog").get_by_role("button", name="Execute").click()
    form.wait_for_url(f"**/executions/ui.tests/{own_id}/*")
    expect(form.locator("header .state")).to_have_text("Success")
    inputs = server.client.get(f"/api/v1/main/executions/{form.url.rsplit('/', 1)[1]}").json()["inputs"]
    given = {"age": 42, "send": True, "cloud": "GCP", "regions": ["us-east"]}
    assert {name: inputs[name] for name in given} == given
    assert inputs["report"].startswith("kestra:///")


def test_form_tells_the_message_of_a_check_in_its_style_as_soon_as_it_does_not_hold(page: Page, server: Server) -> None:
    """ENG-195."""
    server.create_flow(CHECKED.format(id="checked"))
    page.goto("/ui/main/flows/edit/ui.tests/checked?execute=1")
    message = page.get_by_role("dialog").get_by_role("status").filter(has_text="Only for adults")
    expect(message).to_have_class(re.compile("warning"))
    page.locator("#input-age").fill("18")
    expect(message).to_have_count(0)
    page.locator("#input-age").fill("16")
    expect(message).to_be_visible()


def test_form_shows_the_equivalent_commands(form: Page, own_id: str) -> None:
    """ENG-306."""
    form.locator("#input-age").fill("42")
    form.get_by_role("button", name="From a terminal").click()
    commands = form.locator("pre")
    expect(commands.first).to_contain_text("-F age=42")
    expect(commands.first).to_contain_text(f"/api/v1/main/executions/ui.tests/{own_id}")
    expect(commands.last).to_contain_text(f"penstock run {own_id}.yaml")
