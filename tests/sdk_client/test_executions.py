"""The official client's methods for executions (API-101, API-020 to API-026, API-202)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from kestrapy.exceptions import (
    ConflictException,
    NotFoundException,
    UnprocessableEntityException,
)
from kestrapy.models.execution_controller_set_labels_by_ids_request import ExecutionControllerSetLabelsByIdsRequest
from kestrapy.models.execution_controller_state_request import ExecutionControllerStateRequest
from kestrapy.models.execution_kind import ExecutionKind
from kestrapy.models.execution_repository_interface_flow_filter import ExecutionRepositoryInterfaceFlowFilter
from kestrapy.models.label import Label
from kestrapy.models.state_type import StateType

from tests.sdk_client.conftest import TENANT, Sdk
from tests.sdk_client.flows import CALLER, FAILING, HELLO, HOOKED, PAUSED, QUEUED, SLEEPY, WRITER


def test_create_execution_waits_for_its_outputs(sdk: Sdk) -> None:
    """API-020, API-202."""
    sdk.flow(HELLO)
    ended = sdk.run("hello", inputs={"name": "Ada"}, labels=["team:a"])
    assert (ended.state.current.value, ended.outputs) == ("SUCCESS", {"greeting": "Hello Ada"})
    assert [run.task_id for run in ended.task_run_list] == ["greet", "said"]
    assert ("team", "a") in [(label.key, label.value) for label in ended.labels]
    assert ended.url.endswith(ended.id)


def test_create_execution_takes_kind_revision_date_and_breakpoints(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    held = sdk.start("hello", kind=ExecutionKind.TEST, revision=1, breakpoints="said")
    assert sdk.until(held.id, "BREAKPOINT").kind.value == "TEST"
    later = sdk.start("hello", schedule_date="2096-01-01T00:00:00Z")
    assert later.schedule_date.year == 2096
    with pytest.raises(NotFoundException):
        sdk.start("hello", revision=7)


def test_create_execution_with_a_wrong_input_says_so(sdk: Sdk) -> None:
    sdk.flow(HELLO.replace("STRING\n    defaults: World", "INT"))
    with pytest.raises(UnprocessableEntityException, match="name"):
        sdk.start("hello", inputs={"name": "Ada"})


def test_execution_returns_it_with_its_task_runs(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    found = sdk.api.executions.execution(sdk.run("hello").id, TENANT)
    assert [run.outputs for run in found.task_run_list] == [{"value": "Hello World"}, None]
    assert found.state.duration.startswith("PT")
    with pytest.raises(NotFoundException):
        sdk.api.executions.execution("none", TENANT)


def test_search_executions_filters_pages_and_sorts(sdk: Sdk) -> None:
    """API-008 to API-010."""
    sdk.flow(HELLO)
    sdk.flow(FAILING)
    ids = [sdk.run("hello").id, sdk.run("failing").id]
    found = sdk.api.executions.search_executions(TENANT, size=1, sort=["state.startDate:asc"], filters=sdk.here)
    assert (found["total"], found["results"][0]["id"]) == (2, ids[0])
    for one in (
        {"field": "STATE", "operation": "IN", "value": ["FAILED", "KILLED"]},
        {"field": "FLOW_ID", "operation": "CONTAINS", "value": "ail"},
    ):
        found = sdk.api.executions.search_executions(TENANT, filters=[*sdk.here, one])
        assert [execution["id"] for execution in found["results"]] == ids[1:]


def test_search_executions_by_flow_id_has_only_those(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    mine = sdk.run("hello").id
    found = sdk.api.executions.search_executions_by_flow_id(TENANT, sdk.namespace, "hello", page=1, size=5)
    assert [one["id"] for one in found["results"]] == [mine]


def test_latest_executions_returns_one_for_each_flow(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    sdk.run("hello")
    last = sdk.run("hello").id
    wanted = [ExecutionRepositoryInterfaceFlowFilter(namespace=sdk.namespace, id="hello")]
    [found] = sdk.api.executions.latest_executions(TENANT, wanted)
    assert (found.id, found.status.value) == (last, "SUCCESS")


def test_execution_flow_graph_shows_the_runs_of_the_tasks(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    graph = sdk.api.executions.execution_flow_graph(sdk.run("hello").id, TENANT)
    [node] = [node for node in graph.nodes if node.uid == "root.greet"]
    assert node.additional_properties["taskRun"]["state"]["current"] == "SUCCESS"


def test_flow_from_execution_tells_what_is_needed_to_execute_it(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    by_name = sdk.api.executions.flow_from_execution(TENANT, sdk.namespace, "hello")
    by_id = sdk.api.executions.flow_from_execution_by_id(sdk.run("hello").id, TENANT)
    assert by_name.id == by_id.id == "hello"
    assert by_name.labels.to_dict() == {"owner": "ada"}
    assert [task.id for task in by_name.tasks] == ["greet", "said"]


def test_file_of_an_execution_is_downloaded(sdk: Sdk) -> None:
    sdk.flow(WRITER)
    ended = sdk.run("writer")
    uri = ended.task_run_list[0].outputs["uri"]
    assert sdk.api.executions.download_file_from_execution(ended.id, uri, TENANT) == b"a,b"
    assert sdk.api.executions.file_metadatas_from_execution(ended.id, uri, TENANT).size == 3


def test_eval_expression_sees_the_execution(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    ended = sdk.run("hello")
    found = sdk.api.executions.eval_expression(ended.id, TENANT, "{{ inputs.name }} {{ outputs.greet.value }}")
    assert found["result"] == "World Hello World"


def test_kill_execution_ends_it(sdk: Sdk) -> None:
    sdk.flow(SLEEPY)
    started = sdk.start("sleepy")
    sdk.until(started.id, "RUNNING")
    sdk.api.executions.kill_execution(started.id, TENANT, is_on_kill_cascade=False)
    assert sdk.until(started.id, "KILLED").state.current.value == "KILLED"
    with pytest.raises(ConflictException):
        sdk.api.executions.kill_execution(started.id, TENANT)


def test_kill_executions_by_ids_refuses_all_when_one_has_ended(sdk: Sdk) -> None:
    """API-011."""
    sdk.flow(SLEEPY)
    sdk.flow(HELLO)
    running, ended = sdk.start("sleepy").id, sdk.run("hello").id
    sdk.until(running, "RUNNING")
    with pytest.raises(UnprocessableEntityException, match=ended):
        sdk.api.executions.kill_executions_by_ids(TENANT, [running, ended])
    assert sdk.api.executions.kill_executions_by_ids(TENANT, [running])["count"] == 1


def test_kill_executions_by_query_counts_them(sdk: Sdk) -> None:
    sdk.flow(SLEEPY)
    sdk.until(sdk.start("sleepy").id, "RUNNING")
    assert sdk.api.executions.kill_executions_by_query(TENANT, sdk.here)["count"] == 1


def test_delete_execution_leaves_none(sdk: Sdk) -> None:
    """API-025."""
    sdk.flow(HELLO)
    ended = sdk.run("hello")
    sdk.api.executions.delete_execution(ended.id, TENANT, delete_logs=True, delete_metrics=True, delete_storage=True)
    with pytest.raises(NotFoundException):
        sdk.api.executions.execution(ended.id, TENANT)


def test_delete_executions_by_ids_counts_them(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    ids = [sdk.run("hello").id, sdk.run("hello").id]
    assert sdk.api.executions.delete_executions_by_ids(TENANT, ids, include_non_terminated=False).count == 2


def test_delete_executions_by_query_counts_them(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    sdk.run("hello")
    assert sdk.api.executions.delete_executions_by_query(TENANT, sdk.here, delete_logs=False)["count"] == 1


def test_pause_and_resume_of_a_running_execution(sdk: Sdk) -> None:
    sdk.flow(SLEEPY)
    started = sdk.start("sleepy")
    sdk.until(started.id, "RUNNING")
    sdk.api.executions.pause_execution(started.id, TENANT)
    sdk.until(started.id, "PAUSED")
    sdk.api.executions.resume_execution(started.id, TENANT)
    sdk.until(started.id, "RUNNING")
    sdk.api.executions.kill_execution(started.id, TENANT)


def paused(sdk: Sdk) -> str:
    sdk.flow(PAUSED)
    started: str = sdk.start("paused").id
    sdk.until(started, "PAUSED")
    return started


def test_resume_execution_hands_over_inputs(sdk: Sdk) -> None:
    sdk.flow(PAUSED.replace("flow.Pause}", "flow.Pause, onResume: [{id: reason, type: STRING}]}"))
    started = sdk.start("paused").id
    sdk.until(started, "PAUSED")
    sdk.api.executions.resume_execution(started, TENANT, inputs={"reason": "done"})
    ended = sdk.until(started, "SUCCESS")
    assert ended.task_run_list[0].outputs["onResume"] == {"reason": "done"}


def test_resume_executions_by_ids_counts_them(sdk: Sdk) -> None:
    started = paused(sdk)
    assert sdk.api.executions.resume_executions_by_ids(TENANT, [started])["count"] == 1
    sdk.until(started, "SUCCESS")


def test_resume_executions_by_query_counts_them(sdk: Sdk) -> None:
    started = paused(sdk)
    assert sdk.api.executions.resume_executions_by_query(TENANT, sdk.here)["count"] == 1
    sdk.until(started, "SUCCESS")


@pytest.mark.parametrize("how", ["ids", "query"])
def test_pause_executions_counts_them(sdk: Sdk, how: str) -> None:
    sdk.flow(SLEEPY)
    started = sdk.start("sleepy").id
    sdk.until(started, "RUNNING")
    executions = sdk.api.executions
    paused = (
        executions.pause_executions_by_ids(TENANT, [started])
        if how == "ids"
        else executions.pause_executions_by_query(TENANT, sdk.here)
    )
    assert paused["count"] == 1
    executions.kill_execution(started, TENANT)


def test_restart_execution_runs_what_failed(sdk: Sdk) -> None:
    """API-026."""
    sdk.flow(FAILING)
    failed = sdk.run("failing")
    again = sdk.api.executions.restart_execution(failed.id, TENANT)
    assert again.id == failed.id
    ended = sdk.until(failed.id, "FAILED")
    assert "system.restarted" in [label.key for label in ended.labels]


def test_restart_executions_by_ids_and_query_count_them(sdk: Sdk) -> None:
    sdk.flow(FAILING)
    failed = sdk.run("failing").id
    assert sdk.api.executions.restart_executions_by_ids(TENANT, [failed])["count"] == 1
    sdk.until(failed, "FAILED")
    assert sdk.api.executions.restart_executions_by_query(TENANT, sdk.here)["count"] == 1


def test_replay_execution_makes_another_one(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    first = sdk.run("hello", inputs={"name": "Ada"})
    again = sdk.api.executions.replay_execution(first.id, TENANT, task_run_id=first.task_run_list[1].id, revision=1)
    assert again.original_id == first.id
    assert sdk.until(again.id, "SUCCESS").outputs == {"greeting": "Hello Ada"}


def test_replay_execution_with_inputs_uses_them(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    first = sdk.run("hello")
    again = sdk.api.executions.replay_execution_with_inputs(first.id, TENANT, inputs={"name": "Moon"})
    assert sdk.until(again.id, "SUCCESS").outputs == {"greeting": "Hello Moon"}


def test_replay_executions_by_ids_and_query_count_them(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    ended = sdk.run("hello").id
    assert sdk.api.executions.replay_executions_by_ids(TENANT, [ended], latest_revision=True)["count"] == 1
    only = [*sdk.here, {"field": "ID", "operation": "EQUALS", "value": ended}]
    assert sdk.api.executions.replay_executions_by_query(TENANT, only)["count"] == 1


def queued(sdk: Sdk) -> tuple[str, str]:
    """Return an execution that runs, and one that waits for it."""
    sdk.flow(QUEUED)
    first, second = sdk.start("queued").id, sdk.start("queued").id
    sdk.until(first, "RUNNING")
    sdk.until(second, "QUEUED")
    return first, second


def test_force_run_execution_takes_it_past_the_limit(sdk: Sdk) -> None:
    _, waiting = queued(sdk)
    sdk.api.executions.force_run_execution(waiting, TENANT)
    sdk.until(waiting, "RUNNING")
    sdk.api.executions.kill_executions_by_query(TENANT, sdk.here)


@pytest.mark.parametrize("how", ["ids", "query"])
def test_force_run_of_several_counts_them(sdk: Sdk, how: str) -> None:
    _, waiting = queued(sdk)
    executions = sdk.api.executions
    found = (
        executions.force_run_by_ids(TENANT, [waiting])
        if how == "ids"
        else executions.force_run_executions_by_query(TENANT, sdk.here)
    )
    assert found["count"] == 1
    executions.kill_executions_by_query(TENANT, sdk.here)


def test_unqueue_execution_ends_it_as_told(sdk: Sdk) -> None:
    _, waiting = queued(sdk)
    sdk.api.executions.unqueue_execution(waiting, TENANT, StateType.CANCELLED)
    sdk.until(waiting, "CANCELLED")
    sdk.api.executions.kill_executions_by_query(TENANT, sdk.here)


@pytest.mark.parametrize("how", ["ids", "query"])
def test_unqueue_of_several_counts_them(sdk: Sdk, how: str) -> None:
    _, waiting = queued(sdk)
    executions = sdk.api.executions
    found = (
        executions.unqueue_executions_by_ids(TENANT, StateType.CANCELLED, [waiting])
        if how == "ids"
        else executions.unqueue_executions_by_query(TENANT, StateType.FAILED, sdk.here)
    )
    assert found["count"] == 1
    executions.kill_executions_by_query(TENANT, sdk.here)


def test_set_labels_on_terminated_execution_keeps_the_others(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    ended = sdk.run("hello")
    labelled = sdk.api.executions.set_labels_on_terminated_execution(ended.id, TENANT, [Label(key="seen", value="yes")])
    assert ("seen", "yes") in [(label.key, label.value) for label in labelled.labels]


def test_set_labels_on_several_counts_them(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    ended = sdk.run("hello").id
    wanted = ExecutionControllerSetLabelsByIdsRequest(
        executionsId=[ended], executionLabels=[Label(key="seen", value="yes")]
    )
    assert sdk.api.executions.set_labels_on_terminated_executions_by_ids(TENANT, wanted)["count"] == 1
    labels = [Label(key="read", value="too")]
    assert sdk.api.executions.set_labels_on_terminated_executions_by_query(TENANT, labels, sdk.here)["count"] == 1


def test_update_execution_status_gives_it_another_end(sdk: Sdk) -> None:
    sdk.flow(FAILING)
    failed = sdk.run("failing").id
    changed = sdk.api.executions.update_execution_status(failed, StateType.WARNING, TENANT)
    assert changed.state.current.value == "WARNING"


@pytest.mark.parametrize("how", ["ids", "query"])
def test_update_status_of_several_counts_them(sdk: Sdk, how: str) -> None:
    sdk.flow(FAILING)
    failed = sdk.run("failing").id
    executions = sdk.api.executions
    found = (
        executions.update_executions_status_by_ids(TENANT, StateType.SUCCESS, [failed])
        if how == "ids"
        else executions.update_executions_status_by_query(TENANT, StateType.SUCCESS, sdk.here)
    )
    assert found["count"] == 1
    assert sdk.state(failed) == "SUCCESS"


def test_update_task_run_state_changes_it(sdk: Sdk) -> None:
    sdk.flow(FAILING)
    failed = sdk.run("failing")
    wanted = ExecutionControllerStateRequest(taskRunId=failed.task_run_list[0].id, state=StateType.SUCCESS)
    sdk.api.executions.update_task_run_state(failed.id, TENANT, wanted)
    assert sdk.until(failed.id, "SUCCESS").task_run_list[0].state.current.value == "SUCCESS"


@pytest.mark.parametrize(
    "call",
    [
        lambda api, *names: api.trigger_execution_by_get_webhook(TENANT, *names),
        lambda api, *names: api.trigger_execution_by_get_webhook_with_path(TENANT, *names, "more"),
        lambda api, *names: api.trigger_execution_by_post_webhook_with_path(TENANT, *names, "more"),
        lambda api, *names: api.trigger_execution_by_put_webhook_with_path(TENANT, *names, "more"),
    ],
    ids=["get", "get-path", "post-path", "put-path"],
)
def test_webhook_starts_the_flow(sdk: Sdk, call: Callable[..., Any]) -> None:
    """API-022."""
    sdk.flow(HOOKED)
    started = call(sdk.api.executions, sdk.namespace, "hooked", "abc123")
    assert (started.flow_id, started.trigger.id) == ("hooked", "hook")
    with pytest.raises(NotFoundException):
        call(sdk.api.executions, sdk.namespace, "hooked", "wrong")


def test_follow_execution_ends_with_it(sdk: Sdk) -> None:
    """API-023, API-202."""
    sdk.flow(HELLO)
    *_, last = sdk.api.executions.follow_execution(sdk.start("hello").id, TENANT)
    assert (last.state.current.value, last.outputs) == ("SUCCESS", {"greeting": "Hello World"})


def test_follow_dependencies_execution_tells_of_all_that_belong_together(sdk: Sdk) -> None:
    """API-024."""
    sdk.flow(HELLO)
    sdk.flow(CALLER)
    started = sdk.run("caller")
    seen = set()
    for event in sdk.api.executions.follow_dependencies_execution(started.id, TENANT):
        seen.add((event.flow_id, event.state.current.value))
        if len(seen) == 2:
            break
    assert seen == {("caller", "SUCCESS"), ("hello", "SUCCESS")}


@pytest.mark.parametrize(
    "path", ["../../secret", "kestra:///../../etc/passwd", "/etc/passwd", "kestra:///%2e%2e/x", "x\x00y"]
)
def test_file_path_of_an_execution_never_leaves_it(sdk: Sdk, path: str) -> None:
    sdk.flow(WRITER)
    ended = sdk.run("writer").id
    for call in (sdk.api.executions.download_file_from_execution, sdk.api.executions.file_metadatas_from_execution):
        with pytest.raises(Exception, match=r"\((400|403|404|422)\)"):
            call(ended, path, TENANT)
