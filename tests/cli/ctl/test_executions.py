from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.base.errors import InvalidRequestError, NotFoundError
from penstock.cli.ctl.triggers import _is_disabled
from penstock.cli.remote import RefusedError
from tests.cli.conftest import wait_until
from tests.cli.ctl.conftest import Ctl

GREETING = """
id: greeting
namespace: {namespace}
inputs:
  - {id: name, type: STRING, defaults: nobody}
  - {id: rows, type: FILE, required: false}
tasks:
  - id: hello
    type: io.kestra.plugin.core.log.Log
    message: "Hello {{ inputs.name }} {{ inputs.rows ? read(inputs.rows) : 'no file' }}"
  - id: fail
    type: io.kestra.plugin.core.execution.Fail
    runIf: "{{ inputs.name == 'fail' }}"
  - id: wait
    type: io.kestra.plugin.core.flow.Pause
    runIf: "{{ inputs.name == 'wait' }}"
outputs:
  - {id: said, type: STRING, value: "Hello {{ inputs.name }}"}
triggers:
  - {id: nightly, type: io.kestra.plugin.core.trigger.Schedule, cron: "0 3 * * *"}
"""


@pytest.fixture
def greeting(ctl: Ctl, tmp_path: Path) -> Ctl:
    (tmp_path / "greeting.yaml").write_text(GREETING.replace("{namespace}", ctl.namespace))
    ctl("flows", "deploy", "greeting.yaml")
    return ctl


def test_run_that_waits_prints_the_execution_as_json(greeting: Ctl) -> None:
    """ENG-131, OPS-122."""
    ended = greeting.json("executions", "run", greeting.namespace, "greeting", "--wait")
    assert ended["state"]["current"] == "SUCCESS"
    assert ended["outputs"] == {"said": "Hello nobody"}


def test_run_with_inputs_files_and_labels_shows_tasks_and_outputs(greeting: Ctl, tmp_path: Path) -> None:
    """ENG-131."""
    (tmp_path / "rows.csv").write_text("a,b")
    (tmp_path / "more.yaml").write_text("name: Eve")
    arguments = ["-i", "rows=@rows.csv", "--input-file", "more.yaml", "--label", "team=sales", "--revision", "1"]
    shown = greeting("executions", "run", greeting.namespace, "greeting", "--wait", *arguments).stdout
    head, row, _, tasks, *_ = shown.splitlines()
    assert head.split() == ["ID", "NAMESPACE", "FLOW", "STATE", "STARTED", "DURATION"]
    assert tasks.split() == ["TASK", "VALUE", "STATE", "DURATION"]
    assert shown.splitlines()[-1].split() == ["said", "Hello", "Eve"]
    execution = row.split()[0]
    assert "Hello Eve a,b" in greeting("executions", "logs", execution).stdout
    assert greeting.json("executions", "logs", execution, "--level", "error") == []
    labels = greeting.json("executions", "get", execution)["labels"]
    assert {"key": "team", "value": "sales"} in labels


def test_run_that_does_not_wait_answers_at_once(greeting: Ctl) -> None:
    """ENG-131."""
    started = greeting.json("executions", "run", greeting.namespace, "greeting")
    assert started["id"]
    found = greeting.json("executions", "list", greeting.namespace, "--flow", "greeting", "--since", "PT1H")
    assert [one["id"] for one in found] == [started["id"]]
    assert "no executions" in greeting("executions", "list", greeting.namespace, "--state", "killed").stderr


def test_run_that_fails_ends_with_one(greeting: Ctl) -> None:
    """ENG-131."""
    result = greeting.run("executions", "run", greeting.namespace, "greeting", "--wait", "-i", "name=fail")
    assert result.exit_code == 1
    assert "FAILED" in result.stdout
    execution = result.stdout.splitlines()[1].split()[0]
    assert "runs again" in greeting("executions", "restart", execution).stdout
    assert greeting.json("executions", "replay", execution)["id"] != execution


def test_run_of_what_is_not_there_or_with_wrong_inputs_is_an_error(greeting: Ctl) -> None:
    """ENG-131."""
    assert isinstance(greeting.error("executions", "run", greeting.namespace, "none"), NotFoundError)
    wrong = ("executions", "run", greeting.namespace, "greeting", "-i")
    assert isinstance(greeting.error(*wrong, "rows=@none.csv"), InvalidRequestError)
    assert isinstance(greeting.error(*wrong, "name"), InvalidRequestError)


def test_paused_execution_is_resumed_or_killed(greeting: Ctl) -> None:
    """OPS-119."""
    for action, end in (("resume", "SUCCESS"), ("kill", "KILLED")):
        started = greeting.json("executions", "run", greeting.namespace, "greeting", "-i", "name=wait")["id"]
        with greeting.client as client, client.stream("GET", f"executions/{started}/follow") as changes:
            assert any('"current":"PAUSED"' in line for line in changes.iter_lines())
        assert isinstance(greeting.error("executions", "pause", started), RefusedError)
        greeting("executions", action, started)
        with greeting.client as client, client.stream("GET", f"executions/{started}/follow") as changes:
            assert list(changes.iter_lines())
        assert greeting.json("executions", "get", started)["state"]["current"] == end


@pytest.mark.parametrize(("context", "source", "is_off"), [
    ({"disabled": True}, {}, True),
    ({"disabled": False}, {"disabled": True}, True),
    ({"disabled": False, "switch": {"state": "ENABLED"}}, {"disabled": True}, False),
    ({"disabled": False}, None, False),
])  # fmt: skip
def test_trigger_is_listed_as_disabled_when_its_source_or_somebody_says_so(
    context: dict[str, Any], source: dict[str, Any] | None, is_off: bool
) -> None:
    """OPS-119."""
    assert _is_disabled({"triggerContext": context, "abstractTrigger": source}) is is_off


def test_triggers_are_listed_and_switched(greeting: Ctl) -> None:
    """OPS-119."""
    trigger = (greeting.namespace, "greeting", "nightly")
    wait_until(lambda: greeting.json("triggers", "list", greeting.namespace) != [], "the scheduler to meet the trigger")
    assert "disabled" in greeting("triggers", "disable", *trigger).stdout
    [row] = greeting.json("triggers", "list", greeting.namespace, "--flow", "greeting")
    assert row["triggerContext"]["disabled"] is True
    greeting("triggers", "enable", *trigger)
    assert greeting("triggers", "list", greeting.namespace).stdout.splitlines()[1].split()[3] == "no"
    assert isinstance(greeting.error("triggers", "unlock", greeting.namespace, "greeting", "none"), NotFoundError)
