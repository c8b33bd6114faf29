"""Graphs of flows: what follows what, and why."""

from __future__ import annotations

from typing import Any

import yaml

from penstock.services.graphs import FlowGraph, draw

LOG = "io.kestra.plugin.core.log.Log"
FLOW = "io.kestra.plugin.core.flow"


def drawn(text: str, expanded: dict[str, Any] | None = None) -> FlowGraph:
    return draw(yaml.safe_load(text), expanded)


def lines(graph: FlowGraph) -> set[str]:
    """Return the edges in short: `a > b [WHY value]`, without the leading `root.`."""
    found = set()
    for edge in graph.edges:
        why = " ".join(part for part in (edge.relation.value if edge.relation else "", edge.value or "") if part)
        source, target = (uid.removeprefix("root.") for uid in (edge.source, edge.target))
        found.add(f"{source} > {target}" + (f" [{why}]" if why else ""))
    return found


def test_tasks_follow_each_other_from_the_start_to_the_end() -> None:
    """API-038."""
    graph = drawn("tasks: [{id: a, type: Log}, {id: b, type: Log}]")
    assert lines(graph) == {"start > a [SEQUENTIAL]", "a > b [SEQUENTIAL]", "b > end"}
    [cluster] = graph.clusters
    assert (cluster.start, cluster.end, cluster.nodes) == (
        "root.start",
        "root.end",
        ["root.start", "root.end", "root.a", "root.b"],
    )


def test_flow_without_tasks_is_a_line() -> None:
    assert lines(drawn("id: x")) == {"start > end"}


def test_parallel_tasks_leave_side_by_side() -> None:
    graph = drawn("tasks: [{id: p, type: x.Parallel, tasks: [{id: a, type: Log}, {id: b, type: Log}]}]")
    assert lines(graph) == {
        "start > p.start [SEQUENTIAL]",
        "p.start > p.p",
        "p.p > p.a [PARALLEL]",
        "p.p > p.b [PARALLEL]",
        "p.a > p.end",
        "p.b > p.end",
        "p.end > end",
    }
    assert graph.flowables == ["p"]


def test_loop_is_dynamic() -> None:
    graph = drawn("tasks: [{id: l, type: x.ForEach, tasks: [{id: a, type: Log}, {id: b, type: Log}]}]")
    assert {"l.l > l.a [DYNAMIC]", "l.a > l.b [SEQUENTIAL]", "l.b > l.end"} <= lines(graph)


def test_choices_carry_their_values() -> None:
    graph = drawn(
        "tasks: [{id: s, type: x.Switch, cases: {one: [{id: a, type: Log}]}, defaults: [{id: b, type: Log}]}]"
    )
    assert {"s.s > s.a [CHOICE one]", "s.s > s.b [CHOICE defaults]", "s.a > s.end", "s.b > s.end"} <= lines(graph)
    assert "s.s > s.end" not in lines(graph)


def test_choice_without_an_else_may_lead_past_all() -> None:
    graph = drawn("tasks: [{id: i, type: x.If, then: [{id: a, type: Log}]}]")
    assert {"i.i > i.a [CHOICE then]", "i.a > i.end", "i.i > i.end"} <= lines(graph)


def test_dag_follows_what_tasks_depend_on() -> None:
    graph = drawn(
        "tasks: [{id: d, type: x.Dag, tasks: [{task: {id: c, type: Log}, dependsOn: [a, b]},"
        " {task: {id: a, type: Log}}, {task: {id: b, type: Log}, dependsOn: [a]}]}]"
    )
    assert lines(graph) >= {
        "d.d > d.a [PARALLEL]",
        "d.a > d.b [PARALLEL]",
        "d.a > d.c [PARALLEL]",
        "d.b > d.c [PARALLEL]",
        "d.c > d.end",
    }
    assert "d.a > d.end" not in lines(graph)


def test_what_runs_late_is_a_branch_of_its_own() -> None:
    graph = drawn(
        "tasks: [{id: a, type: Log}]\nerrors: [{id: e, type: Log}]\nfinally: [{id: f, type: Log}]\n"
        "afterExecution: [{id: z, type: Log}]"
    )
    assert {"start > e [ERROR]", "e > end", "end > f [FINALLY]", "end > z [AFTER_EXECUTION]"} <= lines(graph)
    branches = {node.uid.removeprefix("root."): node.branch for node in graph.nodes}
    assert (branches["a"], branches["e"], branches["f"], branches["z"]) == (None, "ERROR", "FINALLY", "AFTER_EXECUTION")


def test_triggers_lead_to_the_start() -> None:
    graph = drawn("tasks: [{id: a, type: Log}]\ntriggers: [{id: daily, type: Schedule}]")
    assert "triggers.daily > start" in lines(graph)


def test_called_flow_is_drawn_in_place_when_it_is_expanded() -> None:
    """UI-065."""
    text = "tasks: [{id: call, type: x.Subflow, namespace: n, flowId: f}]"
    assert lines(drawn(text)) == {"start > call [SEQUENTIAL]", "call > end"}
    graph = drawn(text, {"root.call": {"tasks": [{"id": "inner", "type": "Log"}]}})
    assert "call.start > call.inner [SEQUENTIAL]" in lines(graph)
    assert [(cluster.uid, list(cluster.parents)) for cluster in graph.clusters] == [
        ("root", []),
        ("root.call", ["root"]),
    ]


def test_source_that_is_half_written_is_drawn_as_far_as_it_goes() -> None:
    graph = drawn("tasks: [{id: a}, 3, {type: Log}, {id: p, type: x.Parallel, tasks: }]\nerrors: nothing")
    assert "start > a [SEQUENTIAL]" in lines(graph)
