"""Plugins in environments of their own: what their types do happens elsewhere, as if it happened here."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from penstock.model.flow import parse_flow
from penstock.model.registry import TypeRegistry
from penstock.model.schema import type_schema
from penstock.sdk import PermanentError, PluginError, PollingTrigger, RealtimeTrigger, Task
from penstock.services.isolation.process import PluginCrashed
from penstock.services.worker.context import WorkerRunContext
from penstock.services.worker.instances import UnknownTaskType, build
from penstock.testing.run_context import RunContextFactory, messages_of
from penstock.wiring.plugin_plan import PluginPlan
from penstock.wiring.plugins import Plugins, load_plugins
from tests.support.waiting import PATIENCE, eventually

PAINT, ODD = "org.example.paint.Paint", "org.example.paint.Odd"


def task_of(plugins: Plugins, type_name: str, **properties: Any) -> Task:
    return build(plugins.registry, type_name, {"id": "t", "type": type_name, **properties})


def odd(plugins: Plugins, what: str, context: WorkerRunContext) -> Any:
    return task_of(plugins, ODD, what=what).run(context)


def test_versions_run_side_by_side_each_with_its_own_libraries(plugins: Plugins, contexts: RunContextFactory) -> None:
    """PLG-007, ENG-321, GOV-380: none is imported here; 1.10 is later than 1.9."""
    text = "{{ inputs.name }}"
    outputs = {}
    for version in (None, "1.9", "1.10", "oldest", "LATEST"):
        task = task_of(plugins, PAINT, text=text, **({"version": version} if version else {}))
        outputs[version] = task.run(contexts.of({"inputs": {"name": "door"}}))
    colours = {version: output["value"] for version, output in outputs.items()}  # type: ignore[index]
    assert colours == {
        None: "blue door",
        "1.9": "red door",
        "1.10": "blue door",
        "oldest": "red door",
        "LATEST": "blue door",
    }
    processes = {output["process"] for output in outputs.values()}  # type: ignore[index]
    assert len(processes) == 2  # each is used again
    assert os.getpid() not in processes


def test_task_reaches_the_run_context(plugins: Plugins, contexts: RunContextFactory) -> None:
    """PLG-007, PLG-019, PLG-020, PLG-021, PLG-025."""
    variables = {"flow": {"id": "f"}, "taskrun": {"id": "r"}, "n": 4}
    context = contexts.of(variables, files={"nsfile:///given": b"bytes"})
    outputs = odd(plugins, "everything", context)
    stored = {outputs.pop("uri"): b"abc", outputs.pop("other"): b"raw"}
    assert {uri: b"".join(context.stream_file(uri)) for uri in stored} == stored
    assert outputs == {"read": "bytes", "nested": {"a": ["4"]}, "flow": "f", "run": "r", "there": True}
    assert context.labels == {"painted": "yes"}
    assert context.exit == "WARNING"
    assert messages_of(context) == [("WARN", "******")]
    metrics = {one.name: (one.type, one.value, one.tags) for one in context.log.take_metrics()}
    assert metrics == {"rows": ("counter", 3.0, {"zone": "EU"}), "took": ("timer", 1.5, {})}


def test_failures_of_a_task_are_those_of_any_task(plugins: Plugins, contexts: RunContextFactory) -> None:
    """PLG-024: with the traceback where nobody foresaw the error, and nothing is tried again that cannot help."""
    context = contexts.of()
    with pytest.raises(PluginError, match="ValueError: no paint left"):
        odd(plugins, "fails", context)
    [(level, detail)] = messages_of(context)
    assert level == "DEBUG"
    assert "_fails" in detail
    with pytest.raises(PermanentError, match=r"wrong colour \(take another\)"):
        odd(plugins, "fails_for_good", context)
    with pytest.raises(PluginError, match="kv"):
        odd(plugins, "asks_in_vain", context)
    with pytest.raises(PluginError, match="`times`: Input should be less than or equal to 3, but `9` was given"):
        task_of(plugins, PAINT, text="x", times="{{ n }}").run(contexts.of({"n": 9}))


def test_crash_fails_the_task_and_the_next_one_has_a_new_process(plugins: Plugins, contexts: RunContextFactory) -> None:
    """PLG-007: a plugin's crash never takes the worker down."""
    with pytest.raises(PluginCrashed, match=r"penstock-paint 1\.10 .* \(exit code 7\)"):
        odd(plugins, "crashes", contexts.of())
    assert task_of(plugins, PAINT, text="x").run(contexts.of()) is not None


@pytest.mark.parametrize(("what", "said"), [("waits", "waiting"), ("sleeps", "sleeping")])
def test_kill_reaches_the_task_and_ends_one_that_does_not_listen(
    plugins: Plugins, contexts: RunContextFactory, what: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PLG-007, BEY-004."""
    monkeypatch.setattr("penstock.services.isolation.process._GRACE", 0.2)
    context = contexts.of()
    ended: list[object] = []

    def work() -> None:
        try:
            ended.append(odd(plugins, what, context))
        except PluginCrashed as error:
            ended.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    lines: list[tuple[str, str]] = []
    asyncio.run(eventually(lambda: lines.extend(messages_of(context)) or lines))
    assert lines == [("INFO", said)]
    for action in context.interrupt():
        action()
    thread.join(PATIENCE)
    [end] = ended
    assert end == {"killed": True} if what == "waits" else "SIGKILL" in str(end)


def test_polling_trigger_gives_its_event_and_hears_what_becomes_of_it(
    plugins: Plugins, contexts: RunContextFactory, tmp_path: Path
) -> None:
    """PLG-007, PLG-032, ENG-307."""
    found = plugins.registry.find("org.example.paint.Dry", "1.9")
    assert found is not None
    log = tmp_path / "log.txt"
    head = {"id": "t", "type": found.entry.name, "log": str(log), "interval": "PT5S"}
    trigger, wet = found.entry.cls.model_validate(head), found.entry.cls.model_validate({**head, "wet": True})
    assert isinstance(trigger, PollingTrigger)
    assert isinstance(wet, PollingTrigger)
    assert wet.poll(contexts.of()) is None
    event = trigger.poll(contexts.of())
    assert event is not None
    assert (event.variables, event.key) == ({"colour": "red"}, "k")
    assert not log.exists()
    event.acknowledge()
    assert log.read_text() == "acknowledged"
    again = trigger.poll(contexts.of())
    assert again is not None
    with pytest.raises(PluginError, match="cannot be released"):
        again.release()


def test_realtime_trigger_gives_events_until_it_is_stopped(plugins: Plugins, contexts: RunContextFactory) -> None:
    """PLG-007, PLG-036."""
    found = plugins.registry.find("org.example.paint.Drops")
    assert found is not None
    trigger = found.entry.cls.model_validate({"id": "t", "type": found.entry.name})
    assert isinstance(trigger, RealtimeTrigger)
    context = contexts.of()
    drops = []
    for event in trigger.listen(context, threading.Event()):
        drops.append(event.variables["drop"])
        event.acknowledge()
        if len(drops) == 2:
            for action in context.interrupt():
                action()
    assert drops == [0, 1]


FLOW = "id: f\nnamespace: n\ntasks:\n  - {id: t, type: org.example.paint.Paint, "


@pytest.mark.parametrize(
    ("rest", "path", "message"),
    [
        ("text: a, times: 9}", "tasks[0].times", "at most 3"),
        ("times: 1}", "tasks[0].text", "required"),
        ("text: a, depth: {metres: 2, feet: 3}}", "tasks[0].depth.feet", "unknown property `feet`"),
        ("text: a, version: 2.0}", "tasks[0].type", "there is no version 2.0 (installed: 1.9, 1.10)"),
    ],
)
def test_flow_is_checked_by_the_schema_of_the_version(plugins: Plugins, rest: str, path: str, message: str) -> None:
    """PLG-007, PLG-016, GOV-382."""
    [problem] = parse_flow(FLOW + rest, plugins.registry).errors
    assert problem.path == path
    assert message in problem.message


def test_flow_may_name_the_version_by_its_defaults(plugins: Plugins) -> None:
    """GOV-381."""
    default = "\npluginDefaults:\n  - {type: org.example.paint, values: {version: %s}}\n"
    assert not parse_flow(FLOW + "text: a}" + default % "1.10", plugins.registry).errors
    [problem] = parse_flow(FLOW + "text: a}" + default % "7", plugins.registry).errors
    assert "no version 7" in problem.message


def test_version_of_the_server_counts_unless_it_demands_one(plugins: Plugins) -> None:
    """GOV-373, GOV-381."""
    entries = plugins.registry.versions(PAINT).values()
    oldest = TypeRegistry(entries, default_version="OLDEST").find(PAINT)
    assert oldest is not None
    assert oldest.entry.version == "1.9"
    strict = TypeRegistry(entries, default_version="NONE")
    [problem] = parse_flow(FLOW + "text: a}", strict).errors
    assert "`version` is missing (installed: 1.9, 1.10)" in problem.message
    assert not parse_flow(FLOW + "text: a, version: 1.10}", strict).errors


def test_worker_without_the_version_says_so(plugins: Plugins) -> None:
    """ENG-321."""
    with pytest.raises(UnknownTaskType, match=r"no version 3 \(installed: 1\.9, 1\.10\)"):
        task_of(plugins, PAINT, text="a", version="3")


def test_documentation_and_schema_are_those_of_the_plugin(plugins: Plugins) -> None:
    """PLG-045, PLG-047, ENG-321."""
    found = plugins.registry.find("org.example.paint.Colour")
    assert found is not None
    assert found.alias == "org.example.paint.Colour"
    assert found.entry.cls.__doc__ == "Give a text the colour of the library."
    schema = type_schema(found.entry)
    properties = schema["properties"]["properties"]
    assert properties["text"] == {"$dynamic": True, "description": "The text.", "type": "string"}
    assert properties["times"]["anyOf"][0] == {"maximum": 3, "minimum": 1, "type": "integer"}
    assert set(schema["outputs"]["properties"]) == {"value", "process"}
    assert "text" in schema["properties"]["required"]
    assert schema["properties"]["$metrics"] == [{"name": "painted", "type": "counter", "description": "How much."}]


def test_types_that_only_work_in_the_server_are_left_out_and_a_broken_version_takes_none_down(
    plugins: Plugins, tmp_path: Path
) -> None:
    """PLG-007, PLG-006."""
    assert {one.name for one in plugins.broken} == {"org.example.paint.Shiny"}
    assert "environment of their own" in (plugins.registry.why_refused("org.example.paint.Shiny") or "")
    libraries = tmp_path / "penstock-paint" / "1" / "lib"
    (libraries / "penstock_paint-1.dist-info").mkdir(parents=True)
    (libraries / "penstock_paint-1.dist-info" / "METADATA").write_text("Name: penstock-paint\nVersion: 1\n")
    (libraries / "penstock_paint-1.dist-info" / "entry_points.txt").write_text("[penstock.plugins]\na = nothing_here\n")
    [broken] = load_plugins((), plan=PluginPlan(tmp_path)).broken
    assert "No module named 'nothing_here'" in broken.reason
