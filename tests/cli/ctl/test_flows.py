from __future__ import annotations

from pathlib import Path

import pytest

from penstock.base.errors import InvalidRequestError, NotFoundError, UnavailableError
from penstock.cli.ctl.deploying import moved, names_of
from penstock.cli.remote import RefusedError
from tests.cli.ctl.conftest import Ctl

HELLO = """\
# who says it
id: {id}
namespace: {namespace} # where
description: Says hello
tasks:
  - id: hello
    type: io.kestra.plugin.core.log.Log
    message: "namespace: none of your business"
"""


def write(folder: Path, name: str, namespace: str, **changes: str) -> Path:
    text = HELLO.replace("{id}", Path(name).stem).replace("{namespace}", namespace)
    for old, new in changes.items():
        text = text.replace(old, new)
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def actions(ctl: Ctl, *arguments: str, code: int = 0) -> list[tuple[str, str, str]]:
    import json

    result = ctl.run("flows", "deploy", *arguments, "--output", "json")
    assert result.exit_code == code, (result.output, result.exception)
    return [(one["action"], one["namespace"], one["id"]) for one in json.loads(result.stdout)]


def test_flows_of_a_folder_are_deployed_and_listed(ctl: Ctl, tmp_path: Path) -> None:
    """ENG-011, OPS-119, OPS-122."""
    one = write(tmp_path, "flows/one.yaml", ctl.namespace)
    write(tmp_path, "flows/deep/two.yml", ctl.namespace)
    assert actions(ctl, "flows") == [("created", ctl.namespace, "two"), ("created", ctl.namespace, "one")]
    assert actions(ctl, "flows") == [("unchanged", ctl.namespace, "two"), ("unchanged", ctl.namespace, "one")]
    assert [flow["id"] for flow in ctl.json("flows", "list", ctl.namespace)] == ["one", "two"]
    header, first, *_ = ctl("flows", "list", ctl.namespace).stdout.splitlines()
    assert header.split() == ["NAMESPACE", "ID", "REVISION", "DISABLED", "HERE", "DESCRIPTION"]
    assert first.split() == [ctl.namespace, "one", "1", "no", "-", "Says", "hello"]
    assert ctl("flows", "get", ctl.namespace, "one", "--source").stdout == one.read_text()
    assert ctl.json("flows", "get", ctl.namespace, "one")["revision"] == 1
    assert "id: one" in ctl("flows", "get", ctl.namespace, "one", "-o", "yaml").stdout


def test_flow_that_exists_is_replaced_with_override_alone(ctl: Ctl, tmp_path: Path) -> None:
    """ENG-011, OPS-122."""
    ctl("flows", "deploy", str(write(tmp_path, "one.yaml", ctl.namespace)))
    write(tmp_path, "one.yaml", ctl.namespace, hello="goodbye")
    result = ctl.run("flows", "deploy", "one.yaml")
    assert result.exit_code == 1
    assert "exists and differs" in result.stderr
    assert "--override" in result.stderr
    assert actions(ctl, "one.yaml", "--override", "--dry-run") == [("updated", ctl.namespace, "one")]
    assert ctl.json("flows", "get", ctl.namespace, "one")["revision"] == 1
    assert actions(ctl, "one.yaml", "--override") == [("updated", ctl.namespace, "one")]
    assert ctl.json("flows", "get", ctl.namespace, "one")["revision"] == 2


def test_flow_that_is_wrong_hides_no_other_unless_it_stops_all(ctl: Ctl, tmp_path: Path) -> None:
    """OPS-122, BEY-072."""
    (tmp_path / "all.yaml").write_text(
        "---\n".join(
            write(tmp_path, f"{name}.yaml", ctl.namespace, **change).read_text()
            for name, change in {"a": {}, "b": {"log.Log": "log.Lgo"}, "c": {}}.items()
        )
    )
    result = ctl.run("flows", "deploy", "all.yaml", "--dry-run")
    assert result.exit_code == 1
    assert "log.Lgo" in result.stderr
    assert actions(ctl, "all.yaml", "--fail-fast", code=1) == [
        ("created", ctl.namespace, "a"),
        ("failed", ctl.namespace, "b"),
    ]
    result = ctl.run("flows", "deploy", "all.yaml")
    assert "all.yaml: line 16, column 5: tasks[0].type" in result.stderr
    assert [flow["id"] for flow in ctl.json("flows", "list", ctl.namespace)] == ["a", "c"]


def test_flows_are_put_into_the_namespace_asked_for(ctl: Ctl, tmp_path: Path) -> None:
    """OPS-122."""
    write(tmp_path, "flows/a.yaml", "elsewhere")
    write(tmp_path, "flows/b.yaml", f"{ctl.namespace}.deeper")
    done = actions(ctl, "flows", "--namespace", ctl.namespace)
    assert done == [("created", ctl.namespace, "a"), ("created", f"{ctl.namespace}.deeper", "b")]
    source = ctl("flows", "get", ctl.namespace, "a", "--source").stdout
    assert f"namespace: {ctl.namespace} # where\n" in source
    assert "none of your business" in source


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("id: a\nnamespace: 'old'\ntasks: []\n", "id: a\nnamespace: new\ntasks: []\n"),
        ("namespace:   old   # why\nid: a\n", "namespace:   new   # why\nid: a\n"),
        ("id: a # first\ntasks: []\n", "id: a # first\nnamespace: new\ntasks: []\n"),
        ("id: a\nnamespace: new.deeper\n", "id: a\nnamespace: new.deeper\n"),
        ("id: a\nnamespace: newer\n", "id: a\nnamespace: new\n"),
    ],
)
def test_source_moved_keeps_everything_else(source: str, expected: str) -> None:
    """OPS-122."""
    assert moved(source, "new") == expected


def test_source_that_cannot_be_moved_is_refused() -> None:
    """OPS-122."""
    with pytest.raises(InvalidRequestError, match="cannot be changed"):
        moved("{id: a, namespace: old}", "new")


def test_source_without_names_is_no_flow() -> None:
    """OPS-122."""
    for text in ("a: [", "- 1", "id: a"):
        with pytest.raises(InvalidRequestError, match="this is no flow"):
            names_of(text)


def test_flows_are_validated_by_the_server(ctl: Ctl, tmp_path: Path) -> None:
    """OPS-119."""
    write(tmp_path, "flows/good.yaml", ctl.namespace)
    assert "is valid" in ctl("flows", "validate", "./flows/").stdout
    write(tmp_path, "flows/bad.yaml", ctl.namespace, **{"log.Log": "log.Lgo"})
    result = ctl.run("flows", "validate", "./flows/")
    assert result.exit_code == 1
    assert "bad.yaml:7:5" in result.stdout
    assert ctl.json("flows", "list") is not None


def test_flow_is_deleted(ctl: Ctl, tmp_path: Path) -> None:
    """OPS-119."""
    ctl("flows", "deploy", str(write(tmp_path, "one.yaml", ctl.namespace)))
    ctl("flows", "delete", ctl.namespace, "one")
    assert isinstance(ctl.error("flows", "get", ctl.namespace, "one"), NotFoundError)


def test_deployment_to_a_server_that_does_not_answer_ends_at_once(ctl: Ctl, tmp_path: Path) -> None:
    """OPS-122."""
    write(tmp_path, "one.yaml", ctl.namespace)
    assert isinstance(ctl.error("flows", "deploy", "one.yaml", KESTRACTL_HOST="http://127.0.0.1:1"), UnavailableError)
    assert isinstance(ctl.error("flows", "deploy", "none.yaml"), NotFoundError)


def test_names_with_odd_characters_reach_the_server_as_they_are(ctl: Ctl) -> None:
    """OPS-119."""
    for name in ("a?b=c", "a b", "ä"):
        assert isinstance(ctl.error("flows", "get", ctl.namespace, name), NotFoundError)
    for name in ("../search", "../../flows/search"):  # places where nothing can be read, not those the dots lead to
        assert isinstance(ctl.error("flows", "get", ctl.namespace, name), (NotFoundError, RefusedError))


def test_namespaces_are_listed_and_filtered(ctl: Ctl, tmp_path: Path) -> None:
    """ENG-020, OPS-119."""
    write(tmp_path, "flows/a.yaml", ctl.namespace)
    write(tmp_path, "flows/b.yaml", f"{ctl.namespace}.Deeper")
    ctl("flows", "deploy", "flows")
    found = [one["id"] for one in ctl.json("namespaces", "list", "--query", ctl.namespace)]
    assert found == [ctl.namespace, f"{ctl.namespace}.Deeper"]
    assert f"{ctl.namespace}.Deeper" in ctl("namespaces", "list").stdout


def test_plan_of_a_deployment_tells_when_flows_would_run(ctl: Ctl, tmp_path: Path) -> None:
    """BEY-040."""
    trigger = 'triggers:\n  - {id: daily, type: io.kestra.plugin.core.trigger.Schedule, cron: "30 4 * * *"}\n'
    file = write(tmp_path, "timed.yaml", ctl.namespace)
    file.write_text(file.read_text() + trigger)
    result = ctl("flows", "deploy", "timed.yaml", "--dry-run")
    assert result.stderr.count("T04:30:00") == 5
    assert "(as it is: never)" in result.stderr
    ctl("flows", "deploy", "timed.yaml")
    file.write_text(file.read_text().replace("30 4", "30 5"))
    [planned] = ctl.json("flows", "deploy", "timed.yaml", "--dry-run", "--override")
    assert [len(planned["triggers"][0][key]) for key in ("before", "after")] == [5, 5]
    assert ctl.json("flows", "get", ctl.namespace, "timed")["revision"] == 1


def test_flow_and_trigger_are_paused_and_resumed(ctl: Ctl, tmp_path: Path) -> None:
    """BEY-041."""
    trigger = 'triggers:\n  - {id: daily, type: io.kestra.plugin.core.trigger.Schedule, cron: "30 4 * * *"}\n'
    file = write(tmp_path, "paused.yaml", ctl.namespace)
    file.write_text(file.read_text() + trigger)
    ctl("flows", "deploy", "paused.yaml")
    paused = ctl("flows", "pause", ctl.namespace, "paused", "--until", "PT2H", "--reason", "the disk is full").stdout
    assert "paused until " in paused
    assert "the disk is full" in ctl("flows", "list", ctl.namespace).stdout
    file.write_text(file.read_text().replace("cron: ", "timezone: UTC, cron: "))
    ctl("flows", "deploy", "paused.yaml", "--override")
    [switch] = ctl.json("flows", "get", ctl.namespace, "paused")["switches"]
    assert (switch["state"], switch["drift"]) == ("PAUSED", True)

    ctl("triggers", "pause", ctl.namespace, "paused", "daily", "--until", "2999-01-01T00:00:00Z")
    of_trigger = ctl.json("flows", "get", ctl.namespace, "paused")["switches"][1]
    assert of_trigger["until"] == "2999-01-01T00:00:00.000000Z"
    ctl("triggers", "pause", ctl.namespace, "paused", "daily")
    assert ctl.json("flows", "get", ctl.namespace, "paused")["switches"][1]["state"] == "DISABLED"
    ctl("triggers", "resume", ctl.namespace, "paused", "daily")
    ctl("flows", "resume", ctl.namespace, "paused")
    assert "switches" not in ctl.json("flows", "get", ctl.namespace, "paused")
    assert "neither a date nor" in str(ctl.error("flows", "pause", ctl.namespace, "paused", "--until", "soon"))
