"""All flows of `examples/`: they are valid, and none is left without a test of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.runners import EXAMPLES, SHOP
from tests.acceptance.server import PROGRAM, environment

pytestmark = pytest.mark.acceptance

FLOWS = sorted(EXAMPLES.rglob("*.yaml"))


def test_examples_validated_have_no_errors(tmp_path: Path) -> None:
    command = [str(PROGRAM), "flow", "validate", str(EXAMPLES), "--json"]

    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment(tmp_path))

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len(json.loads(ended.stdout)) >= len(FLOWS) > 30


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.stem)
def test_example_is_run_by_a_test(flow: Path) -> None:
    tests = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))

    assert f'"{flow.stem}"' in tests or f'/{flow.stem}"' in tests


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.stem)
def test_example_names_no_host_but_the_shop(flow: Path) -> None:
    assert "://" not in flow.read_text().replace(SHOP, "")
