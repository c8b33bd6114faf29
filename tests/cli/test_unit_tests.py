"""`penstock test` as a real process."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from tests.cli.conftest import Command

pytestmark = pytest.mark.acceptance

FLOW = """
id: etl
namespace: company.team
inputs:
  - {id: city, type: STRING}
tasks:
  - {id: extract, type: io.kestra.plugin.core.execution.Fail}
  - id: work
    type: io.kestra.plugin.core.flow.WorkingDirectory
    tasks:
      - {id: inner, type: io.kestra.plugin.core.execution.Fail}
      - {id: show, type: io.kestra.plugin.core.debug.Return, format: "{{ outputs.inner.n }} {{ inputs.city }}"}
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    values: [a, b]
    tasks:
      - {id: call, type: io.kestra.plugin.core.debug.Return, format: "{{ taskrun.value }}"}
"""
SUITE = """
id: etl_test
namespace: company.team
flowId: etl
testCases:
  - id: works
    type: io.kestra.core.tests.flow.UnitTest
    fixtures:
      inputs: {city: "{{ read(fileURI('city.txt')) | trim }}"}
      tasks:
        - {id: extract}
        - {id: inner, outputs: {n: 7}}
        - {id: call, value: a, outputs: {value: mock}}
    assertions:
      - {value: "{{ outputs.show.value }}", equalTo: 7 Paris}
      - {value: "{{ outputs.call.a.value }} {{ outputs.call.b.value }}", equalsTo: mock b}
      - {taskId: show, value: "{{ taskrun.attemptsCount }}", in: [0, 1]}
  - id: differs
    type: io.kestra.core.tests.flow.UnitTest
    fixtures:
      inputs: {city: Rome}
      tasks: [{id: extract}, {id: work}]
    assertions:
      - {value: "{{ inputs.city }}", equalTo: Paris, errorMessage: the wrong city}
  - id: unknown
    type: io.kestra.core.tests.flow.UnitTest
    fixtures:
      tasks: [{id: nobody}]
    assertions:
      - {value: "{{ execution.state }}", equalTo: SUCCESS}
  - id: off
    type: io.kestra.core.tests.flow.UnitTest
    disabled: true
    assertions:
      - {value: x, isNotNull: true}
"""


def written(penstock: Command) -> tuple[str, ...]:
    penstock.write("tests/etl.yaml", FLOW)
    penstock.write("tests/etl_test.yaml", SUITE)
    penstock.write("tests/other.yaml", "services: {db: {image: postgres}}\n")
    penstock.write("data/city.txt", "Paris\n")
    return "test", "tests", "--files", "company.team=data"


def test_case_that_meets_its_assertions_passes(penstock: Command) -> None:
    """BEY-031, GOV-321, GOV-322, GOV-323, GOV-327: tasks inside others and values of loops have stand-ins too."""
    done = penstock(*written(penstock), "-k", "etl_test.works")
    assert done.code == 0, done.out + done.err
    assert "etl_test > works  passed" in done.out
    assert "1 passed" in done.out


def test_cases_that_do_not_pass_say_why(penstock: Command) -> None:
    """BEY-031, GOV-319, GOV-328."""
    done = penstock(*written(penstock), "--junit", "out/results.xml")
    assert done.code == 1
    assert "expected equalTo 'Paris', got 'Rome' (the wrong city)" in done.out
    assert "task `nobody`, which flow company.team.etl does not have" in done.out
    assert done.out.rstrip().endswith("1 passed, 1 failed, 1 in error, 1 skipped")
    suite = ET.parse(penstock.folder / "out/results.xml").getroot()[0]
    assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["4", "1", "1", "1"]
    failure = suite.find("testcase[@name='differs']/failure")
    assert failure is not None
    assert "Rome" in str(failure.get("message"))


def test_case_that_does_not_end_is_killed_and_is_an_error(penstock: Command) -> None:
    penstock.write("t/f.yaml", "id: f\nnamespace: a.b\ntasks: [{id: p, type: io.kestra.plugin.core.flow.Pause}]\n")
    penstock.write(
        "t/s.yaml",
        "id: s\nnamespace: a.b\nflowId: f\ntestCases: [{id: c, type: io.kestra.core.tests.flow.UnitTest, "
        "assertions: [{value: x, isNotNull: true}]}]\n",
    )
    done = penstock("test", "t", "--timeout", "0.5")
    assert done.code == 1
    assert "did not end within 0.5 s: it was PAUSED" in done.out


def test_suites_that_are_wrong_are_all_told_at_once_and_nothing_runs(penstock: Command) -> None:
    """BEY-031, GOV-317, GOV-318."""
    penstock.write("t/one.yaml", "id: one\nnamespace: a.b\nflowId: nowhere\ntestCases: []\n")
    case = "{id: c, type: io.kestra.core.tests.flow.UnitTest, assertions: [{value: x, equalTwo: 1}]}"
    penstock.write("t/two.yaml", f"id: two\nnamespace: a.b\nflowId: broken\ntestCases: [{case}]\n")
    penstock.write("t/broken.yaml", "id: broken\nnamespace: a.b\ntasks: [{id: t, type: io.kestra.Nope}]\n")
    done = penstock("test", "t")
    assert done.code == 2
    assert "there is no flow a.b.nowhere" in done.err
    assert "t/two.yaml:4:" in done.err
    assert "equalTwo" in done.err
    assert "did you mean" in done.err
    assert "t/broken.yaml:3:" in done.err
    assert "no test was run" in done.err
    checked = penstock("flow", "validate", "t")
    assert checked.code == 1
    assert "equalTwo" in checked.out


def test_folder_without_suites_is_told(penstock: Command) -> None:
    penstock.write("t/flow.yaml", FLOW)
    done = penstock("test", "t")
    assert done.code == 2
    assert "no tests here" in done.err
