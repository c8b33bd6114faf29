"""The official client's methods for flows, on each database (API-100, API-200 to API-202, OPS-018)."""

from __future__ import annotations

import io
import zipfile

import pytest
from kestrapy.exceptions import ConflictException, NotFoundException, UnprocessableEntityException
from kestrapy.models.concurrency_limit import ConcurrencyLimit
from kestrapy.models.flow_controller_task_validation_type import FlowControllerTaskValidationType
from kestrapy.models.id_with_namespace import IdWithNamespace

from tests.sdk_client.conftest import TENANT, Sdk
from tests.sdk_client.flows import CALLER, FAILING, HELLO, QUEUED, SLEEPY


def name(sdk: Sdk, flow_id: str) -> IdWithNamespace:
    return IdWithNamespace(namespace=sdk.namespace, id=flow_id)


def test_create_flow_returns_it_with_its_source(sdk: Sdk) -> None:
    flow = sdk.flow(HELLO)
    assert (flow.id, flow.namespace, flow.revision) == ("hello", sdk.namespace, 1)
    assert flow.source == HELLO.replace("NAMESPACE", sdk.namespace)
    assert [(label.key, label.value) for label in flow.labels] == [("owner", "ada")]
    assert [task.id for task in flow.tasks] == ["greet", "said"]


def test_create_flow_that_exists_says_to_update_it(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    with pytest.raises(UnprocessableEntityException, match="already exists"):
        sdk.flow(HELLO)


def test_flow_returns_a_revision_with_its_source(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    sdk.api.flows.update_flow(sdk.namespace, "hello", TENANT, sdk_source(sdk, "ada", "grace"))
    first = sdk.api.flows.flow(sdk.namespace, "hello", TENANT, source=True, revision=1)
    assert (first.revision, "ada" in first.source) == (1, True)
    assert sdk.api.flows.flow(sdk.namespace, "hello", TENANT).revision == 2


def sdk_source(sdk: Sdk, old: str, new: str) -> str:
    return HELLO.replace("NAMESPACE", sdk.namespace).replace(old, new)


def test_update_flow_makes_a_revision(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    changed = sdk.api.flows.update_flow(sdk.namespace, "hello", TENANT, sdk_source(sdk, "World", "Moon"))
    assert (changed.revision, changed.disabled, changed.deleted) == (2, False, False)


def test_delete_flow_leaves_none(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    sdk.api.flows.delete_flow(sdk.namespace, "hello", TENANT)
    with pytest.raises(NotFoundException):
        sdk.api.flows.flow(sdk.namespace, "hello", TENANT)
    assert sdk.api.flows.flow(sdk.namespace, "hello", TENANT, allow_deleted=True).deleted


def test_bulk_update_flows_writes_all_and_deletes_the_others(sdk: Sdk) -> None:
    sdk.flow(SLEEPY)
    text = f"{HELLO}---\n{FAILING}".replace("NAMESPACE", sdk.namespace)
    stored = sdk.api.flows.bulk_update_flows(TENANT, delete=True, namespace=sdk.namespace, body=text)
    assert {flow.id for flow in stored} == {"hello", "failing"}
    assert {flow.id for flow in sdk.api.flows.list_flows_by_namespace(sdk.namespace, TENANT)} == {"hello", "failing"}


def test_bulk_update_flows_with_a_mistake_writes_nothing(sdk: Sdk) -> None:
    text = f"{HELLO}---\n{FAILING.replace('Fail}', 'Fall}')}".replace("NAMESPACE", sdk.namespace)
    with pytest.raises(UnprocessableEntityException):
        sdk.api.flows.bulk_update_flows(TENANT, body=text)
    assert sdk.api.flows.list_flows_by_namespace(sdk.namespace, TENANT) == []


def test_bulk_update_flows_without_delete_reaches_namespaces_below(sdk: Sdk) -> None:
    sdk.flow(SLEEPY)
    text = HELLO.replace("NAMESPACE", f"{sdk.namespace}.below")
    with pytest.raises(UnprocessableEntityException, match="another namespace"):
        sdk.api.flows.bulk_update_flows(TENANT, delete=False, namespace=sdk.namespace, body=text)
    stored = sdk.api.flows.bulk_update_flows(
        TENANT, delete=False, namespace=sdk.namespace, allow_namespace_child=True, body=text
    )
    assert [flow.namespace for flow in stored] == [f"{sdk.namespace}.below"]
    assert sdk.api.flows.flow(sdk.namespace, "sleepy", TENANT).id == "sleepy"


def test_update_flows_in_namespace_takes_them_over_when_told(sdk: Sdk) -> None:
    text = HELLO.replace("NAMESPACE", "elsewhere")
    with pytest.raises(UnprocessableEntityException):
        sdk.api.flows.update_flows_in_namespace(sdk.namespace, TENANT, text)
    [flow] = sdk.api.flows.update_flows_in_namespace(sdk.namespace, TENANT, text, override=True)
    assert flow.namespace == sdk.namespace


def test_delete_flows_by_ids_counts_them(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    sdk.flow(FAILING)
    assert sdk.api.flows.delete_flows_by_ids(TENANT, [name(sdk, "hello"), name(sdk, "failing")]).count == 2


def test_delete_flows_by_query_counts_them(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    assert sdk.api.flows.delete_flows_by_query(TENANT, sdk.here).count == 1
    assert sdk.api.flows.list_flows_by_namespace(sdk.namespace, TENANT) == []


def test_disable_and_enable_flows_by_ids_change_their_sources(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    assert sdk.api.flows.disable_flows_by_ids(TENANT, [name(sdk, "hello")]).count == 1
    flow = sdk.api.flows.flow(sdk.namespace, "hello", TENANT, source=True)
    assert (flow.disabled, flow.revision, flow.source.endswith("\ndisabled: true\n")) == (True, 2, True)
    assert sdk.api.flows.disable_flows_by_ids(TENANT, [name(sdk, "hello")]).count == 0
    assert sdk.api.flows.enable_flows_by_ids(TENANT, [name(sdk, "hello")]).count == 1
    flow = sdk.api.flows.flow(sdk.namespace, "hello", TENANT, source=True)
    assert (flow.disabled, flow.source.endswith("\ndisabled: false\n")) == (False, True)


def test_disable_and_enable_flows_by_query_count_them(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    sdk.flow(FAILING)
    assert sdk.api.flows.disable_flows_by_query(TENANT, sdk.here).count == 2
    assert sdk.api.flows.enable_flows_by_query(TENANT, sdk.here).count == 2
    assert not sdk.api.flows.flow(sdk.namespace, "failing", TENANT).disabled


def test_search_flows_pages_and_sorts(sdk: Sdk) -> None:
    for source in (HELLO, FAILING, SLEEPY):
        sdk.flow(source)
    page = sdk.api.flows.search_flows(TENANT, page=1, size=2, sort=["id:desc"], filters=sdk.here)
    assert ([flow.id for flow in page.results], page.total) == (["sleepy", "hello"], 3)


def test_search_flows_by_source_code_shows_the_lines(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    page = sdk.api.flows.search_flows_by_source_code(TENANT, q="Hello {{", namespace=sdk.namespace)
    assert page.total == 1
    assert page.results[0].model.id == "hello"
    assert "Hello" in page.results[0].fragments[0]


def test_list_distinct_namespaces_has_the_namespace(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    assert sdk.api.flows.list_distinct_namespaces(TENANT, q=sdk.namespace) == [sdk.namespace]


def test_delete_revisions_keeps_the_latest(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    for word in ("Moon", "Mars"):
        sdk.api.flows.update_flow(sdk.namespace, "hello", TENANT, sdk_source(sdk, "World", word))
    sdk.api.flows.delete_revisions(sdk.namespace, "hello", TENANT, [1, 2])
    assert [flow.revision for flow in sdk.api.flows.list_flow_revisions(sdk.namespace, "hello", TENANT)] == [3]
    with pytest.raises(ConflictException):
        sdk.api.flows.delete_revisions(sdk.namespace, "hello", TENANT, [3])
    with pytest.raises(NotFoundException):
        sdk.api.flows.delete_revisions(sdk.namespace, "hello", TENANT, [1])


def test_export_flows_by_ids_and_query_give_archives_that_can_be_imported(sdk: Sdk) -> None:
    """UI-024."""
    sdk.flow(HELLO)
    sdk.flow(FAILING)
    archive = sdk.api.flows.export_flows_by_query(TENANT, sdk.here)
    one = sdk.api.flows.export_flows_by_ids(TENANT, [name(sdk, "hello")])
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        assert sorted(file.namelist()) == [f"{sdk.namespace}.failing.yml", f"{sdk.namespace}.hello.yml"]
    with zipfile.ZipFile(io.BytesIO(one)) as file:
        assert file.read(f"{sdk.namespace}.hello.yml").decode() == HELLO.replace("NAMESPACE", sdk.namespace)
    sdk.api.flows.delete_flows_by_query(TENANT, sdk.here)
    assert sdk.api.flows.import_flows(TENANT, file_content=archive) == []
    assert len(sdk.api.flows.list_flows_by_namespace(sdk.namespace, TENANT)) == 2


def test_import_flows_names_those_that_are_wrong(sdk: Sdk) -> None:
    text = f"{HELLO}---\n{FAILING.replace('Fail}', 'Fall}')}".replace("NAMESPACE", sdk.namespace).encode()
    assert sdk.api.flows.import_flows(TENANT, file_content=text) == [f"{sdk.namespace}.failing"]
    assert sdk.api.flows.flow(sdk.namespace, "hello", TENANT).revision == 1
    with pytest.raises(UnprocessableEntityException):
        sdk.api.flows.import_flows(TENANT, fail_on_error=True, file_content=text)


def test_generate_flow_graph_shows_called_flows_in_place_when_told(sdk: Sdk) -> None:
    """API-038, UI-065."""
    sdk.flow(HELLO)
    sdk.flow(CALLER)
    graph = sdk.api.flows.generate_flow_graph(sdk.namespace, "caller", TENANT)
    assert "root.call" in {node.uid for node in graph.nodes}
    assert [cluster.cluster.uid for cluster in graph.clusters] == ["root"]
    graph = sdk.api.flows.generate_flow_graph(sdk.namespace, "caller", TENANT, subflows=["root.call"])
    assert {"root.call.greet", "root.call.said"} <= {node.uid for node in graph.nodes}
    assert [cluster.cluster.uid for cluster in graph.clusters] == ["root", "root.call"]


def test_generate_flow_graph_from_source_needs_no_stored_flow(sdk: Sdk) -> None:
    graph = sdk.api.flows.generate_flow_graph_from_source(TENANT, HELLO)
    edges = [(edge.source, edge.target) for edge in graph.edges]
    assert edges == [("root.start", "root.greet"), ("root.greet", "root.said"), ("root.said", "root.end")]


def test_flow_dependencies_names_both_ends(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    sdk.flow(CALLER)
    graph = sdk.api.flows.flow_dependencies(sdk.namespace, "hello", TENANT, expand_all=True)
    assert {node.id for node in graph.nodes} == {"hello", "caller"}
    assert graph.edges[0].relation.value == "FLOW_TASK"


def test_flow_dependencies_from_namespace_has_flows_that_stand_alone(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    graph = sdk.api.flows.flow_dependencies_from_namespace(sdk.namespace, TENANT)
    assert ([node.id for node in graph.nodes], graph.edges) == (["hello"], [])


def test_task_from_flow_returns_it_as_written(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    task = sdk.api.flows.task_from_flow(sdk.namespace, "hello", "greet", TENANT)
    assert (task.id, task.type) == ("greet", "io.kestra.plugin.core.debug.Return")


def test_concurrency_limits_count_what_runs(sdk: Sdk) -> None:
    sdk.flow(QUEUED)
    started = sdk.start("queued")
    sdk.until(started.id, "RUNNING")
    found = sdk.api.flows.search_concurrency_limits(TENANT).results
    [mine] = [one for one in found if one.namespace == sdk.namespace]
    assert (mine.flow_id, mine.running) == ("queued", 1)
    wanted = ConcurrencyLimit(tenantId=TENANT, namespace=sdk.namespace, flowId="queued", running=1)
    assert sdk.api.flows.update_concurrency_limit(sdk.namespace, "queued", TENANT, wanted).running == 1
    sdk.api.executions.kill_execution(started.id, TENANT)


def test_validate_flows_tells_what_is_wrong(sdk: Sdk) -> None:
    assert sdk.api.flows.validate_flows(TENANT, HELLO.replace("NAMESPACE", sdk.namespace))[0].constraints is None
    [found] = sdk.api.flows.validate_flows(TENANT, FAILING.replace("Fail}", "Fall}"))
    assert "Fall" in found.constraints


@pytest.mark.parametrize("section", list(FlowControllerTaskValidationType))
def test_validate_task_tells_what_is_wrong(sdk: Sdk, section: FlowControllerTaskValidationType) -> None:
    right = {"id": "x", "type": "io.kestra.plugin.core.log.Log", "message": "{{ outputs.other.value }}"}
    if section.value == "TRIGGERS":
        right = {"id": "x", "type": "io.kestra.plugin.core.trigger.Schedule", "cron": "0 * * * *"}
    assert sdk.api.flows.validate_task(section, TENANT, right).constraints is None
    wrong = sdk.api.flows.validate_task(section, TENANT, {**right, "colour": "red"}).constraints
    assert "colour" in wrong
    assert "tasks[" not in wrong, "the path begins at the task itself"


def test_validate_trigger_tells_what_is_wrong(sdk: Sdk) -> None:
    right = {"id": "x", "type": "io.kestra.plugin.core.trigger.Schedule", "cron": "0 * * * *"}
    assert sdk.api.flows.validate_trigger(TENANT, right).constraints is None
    assert "cron" in sdk.api.flows.validate_trigger(TENANT, {**right, "cron": "x"}).constraints


def test_list_deprecated_names_flows_with_older_types(sdk: Sdk) -> None:
    """API-100."""
    sdk.flow("id: dated\nnamespace: NAMESPACE\ntasks:\n  - {id: a, type: io.kestra.core.tasks.log.Log, message: x}\n")
    assert [one["id"] for one in sdk.api.flows.list_deprecated(TENANT, namespace=sdk.namespace)] == ["dated"]
