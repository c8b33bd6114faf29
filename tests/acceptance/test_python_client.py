"""The Python client that scripts know from `pip install kestra`, unchanged, against a real server."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.server import PASSWORD, USERNAME, Server, environment

pytestmark = pytest.mark.acceptance

FLOW = """
id: greeting
namespace: company.client
inputs:
  - {id: name, type: STRING, defaults: nobody}
  - {id: price, type: FLOAT, required: false}
  - {id: sold, type: FILE, required: false}
tasks:
  - id: hello
    type: io.kestra.plugin.core.log.Log
    message: "Hello {{ inputs.name }} {{ inputs.price }} {{ inputs.sold ? read(inputs.sold) : 'no file' }}"
  - id: fail
    type: io.kestra.plugin.core.execution.Fail
    condition: "{{ inputs.name == 'fail' }}"
"""
PROGRAM = f"""
import json
import sys

from kestra import Flow

flow = Flow(**json.loads(sys.argv[1]))
flow.user, flow.password = {USERNAME!r}, {PASSWORD!r}
inputs = json.loads(sys.argv[2])
if "sold" in inputs:
    inputs["files"] = ("sold", open(inputs.pop("sold"), "rb"), "text/csv")
try:
    ended = flow.execute("company.client", "greeting", inputs)
except Exception as error:
    print(json.dumps({{"problem": str(error)}}))
else:
    print(json.dumps({{"id": ended.execution_id, "status": ended.status, "log": ended.log, "error": ended.error}}))
"""


def execute(server: Server, inputs: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Execute the flow by a script of its own, as users do, and return what the client says."""
    server.put_flow(FLOW)
    variables = environment(server.folder, {"KESTRA_HOSTNAME": f"http://127.0.0.1:{server.port}"})
    command = [sys.executable, "-c", PROGRAM, json.dumps(options), json.dumps(inputs)]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("options", [{}, {"tenant": "main"}], ids=["without tenant", "with tenant"])
def test_client_that_waits_gets_state_and_logs(server: Server, options: dict[str, Any]) -> None:
    """ENG-132, GOV-414."""
    answer = execute(server, {"name": "Ada", "price": 1.5}, **options)
    assert (answer["status"], answer["error"]) == ("SUCCESS", None)
    assert "Hello Ada 1.5 no file" in answer["log"]


def test_client_without_inputs_that_does_not_wait_gets_the_execution(server: Server) -> None:
    """ENG-132."""
    answer = execute(server, {}, wait_for_completion=False)
    assert answer["status"] == "STARTED"
    assert server.ended(answer["id"])["state"]["current"] == "SUCCESS"


def test_client_that_sends_a_file_reaches_the_input_of_its_name(server: Server, tmp_path: Path) -> None:
    """ENG-132."""
    sold = tmp_path / "sold.csv"
    sold.write_text("a,b")
    answer = execute(server, {"name": "Bob", "sold": str(sold)}, labels_from_inputs=False)
    assert answer["status"] == "SUCCESS", answer
    assert "Hello Bob  a,b" in answer["log"]


def test_client_whose_inputs_become_labels_sets_them(server: Server) -> None:
    """ENG-132."""
    answer = execute(server, {"name": "Eve"}, labels_from_inputs=True)
    assert {"key": "name", "value": "Eve"} in server.execution(answer["id"])["labels"]


def test_client_of_a_flow_that_fails_is_told_so(server: Server) -> None:
    """ENG-132."""
    answer = execute(server, {"name": "fail"})
    assert "FAILED" in json.dumps(answer)
