"""From flows as written to flows ready to run."""

from __future__ import annotations

import pytest

from penstock.base.clock import SECOND
from penstock.engine.flow import ResolvedFlow, RetryPolicy
from penstock.engine.resolve import resolve
from penstock.model.defaults import PluginDefaults
from penstock.model.flow import ParsedFlow, parse_flow, read_flow
from penstock.model.problems import InvalidFlow
from penstock.model.registry import TypeEntry, TypeRegistry
from tests.model.conftest import CLASSES

REGISTRY = TypeRegistry(TypeEntry.of(cls) for cls in CLASSES)
NESTED = """
id: f
namespace: n
labels: {team: a}
variables: {x: 1}
disabled: true
workerGroup: {key: gpu}
tasks:
  - {id: first, type: test.old.Return, runIf: true, allowFailure: true, timeout: PT1S}
  - id: group
    type: test.Group
    tasks:
      - {id: one, type: test.Return}
      - id: choose
        type: test.Choose
        value: v
        cases:
          a: [{id: a1, type: test.Return}, {id: a2, type: test.log.Log, message: m}]
          b.c: [{id: b1, type: test.Return}]
    errors: [{id: failed, type: test.Return}]
    finally: [{id: cleaned, type: test.Return}]
  - id: graph
    type: test.Graph
    tasks:
      - {task: {id: node, type: test.Return, workerGroup: {key: cpu}}}
errors: [{id: on_error, type: test.Return}]
finally: [{id: at_end, type: test.Return}, {id: at_end2, type: test.Return}]
afterExecution: [{id: after, type: test.Return}]
outputs: [{id: o, type: STRING, value: "{{ x }}"}]
concurrency: {limit: 2}
sla: [{id: s, type: MAX_DURATION, duration: PT1H, behavior: NONE}]
retry: {type: random, minInterval: PT1S, maxInterval: PT3S, maxAttempts: 3, behavior: CREATE_NEW_EXECUTION}
"""


def resolved(source: str, *defaults: list[PluginDefaults]) -> ResolvedFlow:
    return resolve(read_flow(source, REGISTRY), REGISTRY, tenant="main", revision=7, defaults=defaults)


def task_lines(*lines: str) -> str:
    return "id: f\nnamespace: n\ntasks:\n" + "".join(f"  - {line}\n" for line in lines)


def test_resolved_flow_knows_who_it_is() -> None:
    flow = resolved(NESTED)
    assert (flow.tenant, flow.namespace, flow.id, flow.revision, flow.disabled) == ("main", "n", "f", 7, True)
    assert flow.labels == (("team", "a"),)
    assert flow.variables == {"x": 1}
    assert flow.outputs == [{"id": "o", "type": "STRING", "value": "{{ x }}"}]
    assert flow.concurrency == {"limit": 2, "behavior": "QUEUE"}
    assert flow.sla == [{"id": "s", "type": "MAX_DURATION", "duration": "PT1H", "behavior": "NONE"}]
    assert flow.source.id == "f"


def test_resolved_tasks_are_linked_to_their_list_the_next_and_their_parent() -> None:
    flow = resolved(NESTED)
    assert {name: [task.id for task in tasks] for name, tasks in flow.lists.items()} == {
        "tasks": ["first", "group", "graph"],
        "errors": ["on_error"],
        "finally": ["at_end", "at_end2"],
        "afterExecution": ["after"],
    }
    group = flow.tasks["group"]
    assert {name: [task.id for task in tasks] for name, tasks in group.lists.items()} == {
        "tasks": ["one", "choose"],
        "errors": ["failed"],
        "finally": ["cleaned"],
    }
    assert list(flow.tasks["choose"].lists) == ["cases.a", "cases.b.c"]
    assert {name: task.id for name, task in flow.following.items()} == {
        "first": "group",
        "group": "graph",
        "one": "choose",
        "a1": "a2",
        "at_end": "at_end2",
    }
    assert flow.parents == {
        "one": "group",
        "choose": "group",
        "failed": "group",
        "cleaned": "group",
        "a1": "choose",
        "a2": "choose",
        "b1": "choose",
        "node": "graph",
    }
    assert {flow.tasks[name].branch for name in ("first", "one", "node")} == {"tasks"}
    branches = {"a1": "cases.a", "b1": "cases.b.c", "failed": "errors", "at_end": "finally", "after": "afterExecution"}
    assert {name: flow.tasks[name].branch for name in branches} == branches


def test_resolved_task_has_its_common_properties_and_its_canonical_type() -> None:
    """Implements MIG-010."""
    task = resolved(NESTED).tasks["first"]
    assert task.type == "test.Return"
    assert task.properties["type"] == "test.Return"
    assert (task.run_if, task.allow_failure, task.timeout, task.worker_group) == ("true", True, "PT1S", "gpu")
    assert task.flowable is None
    assert resolved(NESTED).tasks["node"].worker_group == "cpu"


def test_quick_types_make_quick_tasks() -> None:
    flow = resolved(NESTED)
    assert (flow.tasks["a2"].quick, flow.tasks["first"].quick) == (True, False)


def test_definition_of_a_resolved_task_makes_its_instance_again() -> None:
    task = resolved(task_lines("{id: a, type: test.Script, script: 3.10, containerImage: x}")).tasks["a"]
    found = REGISTRY.find(task.type)
    assert found is not None
    instance = found.entry.cls.model_validate(task.properties)
    assert (instance.script.raw, instance.image) == ("3.10", "x")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("written", "policy"),
    [
        (
            "{type: constant, interval: PT0.25S, maxAttempts: 5, maxDuration: PT1M, warningOnRetry: true}",
            RetryPolicy("constant", SECOND // 4, 5, 60 * SECOND, warning_on_retry=True),
        ),
        ("{type: constant, interval: PT1S, maxAttempt: 2}", RetryPolicy("constant", SECOND, 2)),
        ("{interval: PT1S, type: exponential}", RetryPolicy("exponential", SECOND)),
        (
            "{type: exponential, interval: PT1S, maxInterval: PT9S, delayFactor: 3}",
            RetryPolicy("exponential", SECOND, max_interval=9 * SECOND, factor=3.0),
        ),
        (
            "{type: random, minInterval: PT1S, maxInterval: PT3S}",
            RetryPolicy("random", SECOND, max_interval=3 * SECOND),
        ),
    ],
)
def test_retry_as_written_becomes_a_policy(written: str, policy: RetryPolicy) -> None:
    """Implements ENG-235, ENG-236, ENG-392."""
    assert resolved(task_lines(f"{{id: a, type: test.Return, retry: {written}}}")).tasks["a"].retry == policy


def test_retry_of_a_flow_keeps_its_behaviour() -> None:
    """Implements ENG-242."""
    policy = resolved(NESTED).retry
    assert policy == RetryPolicy("random", SECOND, 3, None, 3 * SECOND, behavior="CREATE_NEW_EXECUTION")


def test_defaults_from_outside_apply_to_nested_tasks_and_runners() -> None:
    """Implements ENG-314, ENG-318, ENG-320."""
    source = task_lines(
        "{id: g, type: test.Group, tasks: "
        "[{id: s, type: test.Script, script: x, taskRunner: {type: test.runner.Docker}}]}"
    )
    outer = [PluginDefaults("test.Script", {"image": "i"}), PluginDefaults("test.runner", {"image": "r"})]
    parsed = parse_flow(source, REGISTRY, defaults=[outer])
    flow = resolve(parsed, REGISTRY, tenant="main", revision=1, defaults=[outer])
    properties = flow.tasks["s"].properties
    assert properties["image"] == "i"
    assert properties["taskRunner"] == {"type": "test.runner.Docker", "image": "r"}


def test_task_that_needs_a_default_from_outside_cannot_do_without_it() -> None:
    source = task_lines("{id: a, type: test.log.Log}")
    parsed = parse_flow(source, REGISTRY)
    document = parse_flow(task_lines("{id: a, type: test.log.Log, message: x}"), REGISTRY).document
    assert document is not None
    bare = document.model_copy(update={"tasks": [{"id": "a", "type": "test.log.Log"}]})
    with pytest.raises(InvalidFlow, match="`message` is required"):
        resolve(bare, REGISTRY, tenant="main", revision=1)
    outer = [[PluginDefaults("test.log.Log", {"message": "m"})]]
    assert resolve(bare, REGISTRY, tenant="main", revision=1, defaults=outer).tasks["a"].properties["message"] == "m"
    assert parsed.errors


def test_flow_whose_plugin_is_gone_is_invalid_with_the_place_of_the_type() -> None:
    parsed = read_flow(task_lines("{id: a, type: test.Return}", "{id: b, type: test.log.Log, message: m}"), REGISTRY)
    fewer = TypeRegistry(TypeEntry.of(cls) for cls in CLASSES if cls.type_name != "test.log.Log")
    with pytest.raises(InvalidFlow) as raised:
        resolve(parsed, fewer, tenant="main", revision=1)
    [problem] = raised.value.problems
    assert (problem.code, problem.path, problem.line) == ("UNKNOWN_TYPE", "tasks[1].type", 5)


def test_flow_that_could_not_be_read_raises_its_own_problems() -> None:
    parsed: ParsedFlow = parse_flow("id: f\n", REGISTRY)
    with pytest.raises(InvalidFlow) as raised:
        resolve(parsed, REGISTRY, tenant="main", revision=1)
    assert raised.value.problems == parsed.problems


def test_hundred_nested_groups_resolve() -> None:
    """Implements ENG-071."""
    task = "{id: inner, type: test.Return}"
    for level in range(100):
        task = f"{{id: g{level}, type: test.Group, tasks: [{task}]}}"
    assert len(resolved(task_lines(task)).tasks) == 101
