"""What pods are made of."""

from __future__ import annotations

from typing import Any

from penstock.builtin.runners.kubernetes.manifest import PodWish, label, literal, manifest, pod_name
from penstock.builtin.runners.kubernetes.merging import merged, merged_entries


def spec(**changes: Any) -> dict[str, Any]:
    wish: dict[str, Any] = {
        "name": "p",
        "labels": {},
        "image": "i",
        "arguments": ["sh", "-c", "x"],
        "environment": {"A": "1"},
        "takes_files": True,
        "keeps_files": True,
        **changes,
    }
    found: dict[str, Any] = manifest(PodWish(**wish))["spec"]
    return found


def container(found: dict[str, Any], name: str) -> dict[str, Any]:
    [one] = [one for one in (*found["containers"], *found.get("initContainers", ())) if one["name"] == name]
    return dict(one)


def test_maps_are_merged_and_what_is_closer_wins() -> None:
    """SCR-082."""
    assert merged({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 9}, "e": 4}) == {"a": {"b": 9, "c": 2}, "d": 3, "e": 4}
    assert merged({"drop": ["ALL"]}, {"drop": ["NET_RAW"]}) == {"drop": ["NET_RAW"]}


def test_default_entries_come_first_without_those_that_are_given() -> None:
    """SCR-082: entries are the same by their name, mounts by their place."""
    env = merged_entries([{"name": "A", "value": "d"}, {"name": "B", "value": "d"}], [{"name": "A", "value": "o"}])
    assert env == [{"name": "B", "value": "d"}, {"name": "A", "value": "o"}]
    mounts = [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/b"}]
    assert merged_entries(mounts[:1], mounts[1:]) == mounts
    assert merged_entries([{"operator": "Exists"}], [{"operator": "Exists"}]) == [{"operator": "Exists"}] * 2


def test_pod_without_files_has_one_container() -> None:
    """SCR-075, SCR-079."""
    found = spec(takes_files=False, keeps_files=False)
    assert [one["name"] for one in found["containers"]] == ["main"]
    assert "initContainers" not in found
    assert found["restartPolicy"] == "Never"
    assert found["volumes"] == [{"name": "penstock-files", "emptyDir": {"medium": "Memory"}}]
    assert container(found, "main")["workingDir"] == "/kestra/working-dir"


def test_containers_for_files_gate_the_start_and_keep_what_is_left() -> None:
    """SCR-079, SCR-082: all share the volume; `fileSidecar` describes these two alone."""
    found = spec(
        side_image="boxes/busy:1",
        side_resources={"requests": {"cpu": "10m"}},
        side={"securityContext": {"runAsUser": 3}, "env": [{"name": "S", "value": "side"}]},
        side_default={"securityContext": {"runAsUser": 2, "runAsNonRoot": True}, "image": "lost"},
        every={"securityContext": {"runAsUser": 1, "privileged": False}, "resources": {"limits": {"cpu": "1"}}},
    )
    assert [one["name"] for one in found["initContainers"]] == ["files-in"]
    assert [one["name"] for one in found["containers"]] == ["files-out", "main"]
    for name in ("files-in", "files-out"):
        one = container(found, name)
        assert one["image"] == "boxes/busy:1"
        assert one["securityContext"] == {"runAsUser": 3, "runAsNonRoot": True, "privileged": False}
        assert one["resources"] == {"limits": {"cpu": "1"}, "requests": {"cpu": "10m"}}
    assert container(found, "main")["securityContext"] == {"runAsUser": 1, "privileged": False}
    places = {one["name"]: [mount["mountPath"] for mount in one["volumeMounts"]] for one in found["containers"]}
    assert places == {"files-out": ["/kestra/working-dir", "/kestra/signals"], "main": ["/kestra/working-dir"]}


def test_container_named_main_gives_defaults_and_others_stand_beside() -> None:
    """SCR-081: what is injected wins, then `containerSpec`, then `podSpec`, then `containerDefaultSpec`."""
    found = spec(
        pod={
            "tolerations": [{"key": "gpu"}],
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 99,
            "containers": [
                {"name": "main", "ports": [{"containerPort": 80}], "env": [{"name": "A", "value": "pod"}]},
                {"name": "beside", "image": "b", "volumeMounts": [{"name": "v", "mountPath": "/v"}]},
            ],
            "initContainers": [{"name": "first", "image": "f"}],
            "volumes": [{"name": "v", "emptyDir": {}}, {"name": "penstock-files", "emptyDir": {}}],
        },
        main={"image": "lost", "tty": True, "env": [{"name": "B", "value": "spec"}], "workingDir": "/lost"},
        every={"tty": False, "stdin": True, "env": [{"name": "B", "value": "every"}, {"name": "C", "value": "every"}]},
        resources={"requests": {"cpu": "1"}},
        service_account="runner",
        pull_policy="Always",
    )
    main = container(found, "main")
    assert (main["image"], main["workingDir"], main["tty"], main["stdin"]) == ("i", "/kestra/working-dir", True, True)
    assert {one["name"]: one["value"] for one in main["env"]} == {"A": "1", "B": "spec", "C": "every"}
    assert main["ports"] == [{"containerPort": 80}]
    assert main["resources"] == {"requests": {"cpu": "1"}}
    assert main["imagePullPolicy"] == container(found, "files-in")["imagePullPolicy"] == "Always"
    beside = container(found, "beside")
    assert {one["mountPath"] for one in beside["volumeMounts"]} == {"/v", "/kestra/working-dir"}
    assert [one["name"] for one in found["initContainers"]] == ["files-in", "first"]
    assert (found["restartPolicy"], found["terminationGracePeriodSeconds"]) == ("Never", 99)
    assert (found["serviceAccountName"], found["tolerations"]) == ("runner", [{"key": "gpu"}])
    volumes = {one["name"]: one["emptyDir"] for one in found["volumes"]}
    assert volumes == {"penstock-signals": {"medium": "Memory"}, "v": {}, "penstock-files": {}}


def test_commands_and_values_are_not_expanded_by_the_cluster() -> None:
    """SCR-075."""
    assert literal("echo $HOME $(date) $$") == "echo $$HOME $$(date) $$$$"
    main = container(spec(arguments=["sh", "-c", "echo $$"], environment={"A": "$(B)"}), "main")
    assert (main["command"][2], main["env"][0]["value"]) == ("echo $$$$", "$$(B)")


def test_names_and_labels_are_such_as_clusters_take() -> None:
    """SCR-055."""
    assert pod_name("My_Flow", "Task.1", suffix="0a") == "my-flow-task-1-0a"
    assert pod_name("", "", suffix="0a") == "task-0a"
    assert len(pod_name("f" * 100, "t", suffix="12345678")) <= 63
    assert label("a b/" + "c" * 100) == "a-b-" + "c" * 59
    assert label("_x-") == "x"
