"""The test suites of `examples/testing`, run by the command line."""

from __future__ import annotations

import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.acceptance.runners import EXAMPLES
from tests.acceptance.server import PROGRAM, environment

pytestmark = pytest.mark.acceptance


def test_suite_of_the_example_passes_without_a_server(tmp_path: Path) -> None:
    """BEY-031, GOV-317 to GOV-329, GOV-429: the flow "products" with the suite "products_test"."""
    results = tmp_path / "results.xml"
    command = [str(PROGRAM), "test", str(EXAMPLES / "testing"), "--junit", str(results)]

    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment(tmp_path))

    assert ended.returncode == 0, ended.stdout + ended.stderr
    suite = ET.parse(results).getroot()[0]
    assert {case.get("name") for case in suite} == {
        "names_are_upper_case",
        "who_ordered_is_logged",
        "a_failed_download_raises_the_alarm",
    }
    assert (suite.get("failures"), suite.get("errors")) == ("0", "0")
