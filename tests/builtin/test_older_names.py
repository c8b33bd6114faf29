"""The names that types had in earlier releases are understood, and reported as older names."""

from __future__ import annotations

import pytest

from penstock.wiring.plugins import load_plugins

REGISTRY = load_plugins().registry
CORE, OLD = "io.kestra.plugin.core.", "io.kestra.core.tasks."
SAME = {
    "debugs": ("debug", "Echo Return"),
    "executions": ("execution", "Fail Labels Resume"),
    "flows": (
        "flow",
        "AllowFailure Dag EachParallel EachSequential ForEachItem If Parallel Pause Sequential Switch WorkingDirectory",
    ),
    "log": ("log", "Fetch Log"),
    "states": ("state", "Delete Get Set"),
    "storages": (
        "storage",
        "Concat DeduplicateItems Delete FilterItems LocalFiles Reverse Size Split",
    ),
    "templating": ("templating", "TemplatedTask"),
    "trigger": ("trigger", "Toggle"),
}
OTHERS = {
    f"{OLD}executions.Counts": f"{CORE}execution.Count",
    f"{OLD}flows.Subflow": f"{CORE}flow.Subflow",
    f"{OLD}flows.Flow": f"{CORE}flow.Subflow",
    f"{CORE}flow.Flow": f"{CORE}flow.Subflow",
    f"{OLD}storages.Purge": f"{CORE}execution.PurgeExecutions",
    f"{CORE}storage.Purge": f"{CORE}execution.PurgeExecutions",
    f"{OLD}storages.PurgeExecution": f"{CORE}storage.PurgeCurrentExecutionFiles",
    f"{CORE}storage.PurgeExecution": f"{CORE}storage.PurgeCurrentExecutionFiles",
    f"{CORE}storage.PurgeExecutionFiles": f"{CORE}storage.PurgeCurrentExecutionFiles",
    "io.kestra.core.models.tasks.runners.types.ProcessTaskRunner": f"{CORE}runner.Process",
    "io.kestra.core.models.triggers.types.Flow": f"{CORE}trigger.Flow",
    "io.kestra.core.models.triggers.types.Schedule": f"{CORE}trigger.Schedule",
    "io.kestra.core.models.triggers.types.ScheduleOnDates": f"{CORE}trigger.ScheduleOnDates",
    "io.kestra.core.models.triggers.types.Webhook": f"{CORE}trigger.Webhook",
    "io.kestra.plugin.fs.http.Download": f"{CORE}http.Download",
    "io.kestra.plugin.fs.http.Request": f"{CORE}http.Request",
    "io.kestra.plugin.scripts.runner.docker.DockerTaskRunner": "io.kestra.plugin.scripts.runner.docker.Docker",
}
FORMATS = {
    f"io.kestra.plugin.serdes.{name.lower()}.{name}{old}": f"io.kestra.plugin.serdes.{name.lower()}.{new.format(name)}"
    for name in ("Csv", "Json", "Avro", "Xml", "Parquet")
    for old, new in (("Reader", "{}ToIon"), ("Writer", "IonTo{}"))
}
NAMES = {
    **{f"{OLD}{was}.{name}": f"{CORE}{now}.{name}" for was, (now, names) in SAME.items() for name in names.split()},
    **OTHERS,
    **FORMATS,
}


@pytest.mark.parametrize(("older", "name"), NAMES.items(), ids=list(NAMES))
def test_older_name_means_the_type_of_today(older: str, name: str) -> None:
    """MIG-010, MIG-012, MIG-020, OPS-170."""
    found = REGISTRY.find(older)
    assert found is not None
    assert (found.entry.name, found.alias) == (name, older)
