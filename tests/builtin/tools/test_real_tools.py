"""Tasks for command-line tools with the tools themselves, where Debian or PyPI packs them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.builtin.runners.process import Process
from penstock.builtin.scripts.task import TaskException
from penstock.builtin.tools import ansible, clouds, dbt, plain
from penstock.builtin.tools.tool_task import ToolTask
from penstock.services.worker.settings import WorkerSettings, task_environment
from penstock.testing.run_context import RunContextFactory, messages_of
from scripts.tooling import tools_directory
from tests.builtin.aws.conftest import KEYS

PROJECT = {
    "dbt/dbt_project.yml": "name: shop\nprofile: shop\nmodel-paths: [models]\n",
    "dbt/models/orders.sql": "select 3 as total",
}
PROFILES = "shop: {target: dev, outputs: {dev: {type: duckdb, path: ':memory:', threads: 1}}}"
PLAYBOOK = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Write a file
      copy: {dest: ./report.txt, content: done}
    - name: Tell
      debug: {msg: all is well}
    - name: Say nothing
      debug: {msg: hunter2}
      no_log: true
    - name: Leave out
      debug: {msg: never}
      when: false
    - name: Break
      command: "false"
"""


@pytest.fixture
def worker() -> Iterator[tuple[RunContextFactory, dict[str, Any]]]:
    """Make run contexts of a worker with the tools, and a key-value store to look at."""
    path = os.pathsep.join(["/usr/bin", str(tools_directory()), os.environ.get("PATH", os.defpath)])
    pairs: dict[str, Any] = {}
    functions = {"kv": lambda key, **_: pairs.get(key), "kvSet": lambda key, value, **_: pairs.update({key: value})}
    environment = {**task_environment(os.environ), "PATH": path, "DO_NOT_TRACK": "1"}
    settings = WorkerSettings(threads=1, environment=environment)
    with RunContextFactory(functions, settings=settings) as factory:
        yield factory, pairs


def have(program: str) -> None:
    if not shutil.which(program) and not (tools_directory() / program).exists():
        if os.environ.get("CI"):
            pytest.fail(f"there is no {program}: python -m scripts.machine installs it")
        pytest.skip(f"there is no {program}")


def tool(cls: type[ToolTask], *commands: str, **properties: Any) -> ToolTask:
    definition = {"id": "t", "type": cls.type_name, "taskRunner": {"type": Process.type_name}, **properties}
    return cls.model_validate({**definition, "commands": list(commands)})


def test_ansible_tells_of_each_of_its_tasks(worker: tuple[RunContextFactory, dict[str, Any]]) -> None:
    """SCR-010: in the logs, and as outputs, which are there after a failure too."""
    have("ansible-playbook")
    task = tool(
        *(ansible.AnsibleCLI, "ansible-playbook -i inventory.ini playbook.yml || true"),
        inputFiles={"playbook.yml": PLAYBOOK, "inventory.ini": "localhost ansible_connection=local"},
        ansibleConfig="[defaults]\ncallback_plugins = ./callback_plugins\nstdout_callback = kestra_logger\n"
        "local_tmp = {{ workingDir }}/tmp\nremote_tmp = {{ workingDir }}/tmp\n",
        outputFiles=["report.txt"],
    )
    context = worker[0].of()
    output = task.run(context)
    assert [
        (one["task"], one["host"], one["changed"], one.get("msg"))
        for one in output.vars["outputs"]
        if not one.get("failed")
    ] == [
        ("Write a file", "localhost", True, None),
        ("Tell", "localhost", False, "all is well"),
        ("Say nothing", "localhost", False, None),
        ("Leave out", "localhost", False, None),
    ]
    assert output.vars["outputs"][3]["skipped"]
    assert output.vars["outputs"][4]["rc"] == 1
    messages = messages_of(context)
    assert ("INFO", "ok: [localhost] Tell: all is well") in messages
    assert ("ERROR", "failed: [localhost] Break: non-zero return code") in messages
    assert "hunter2" not in str(messages) + str(output.vars)
    assert list(output.output_files) == ["report.txt"]


def test_aws_speaks_to_the_service_the_task_names(
    worker: tuple[RunContextFactory, dict[str, Any]], aws_url: str, s3: Any
) -> None:
    """SCR-010."""
    have("/usr/bin/aws")
    line = f"aws --endpoint-url {aws_url} s3 mb s3://made-by-the-tool"  # Debian's does not know AWS_ENDPOINT_URL yet
    tool(clouds.AwsCLI, line, **KEYS).run(worker[0].of())
    assert "made-by-the-tool" in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def test_azure_keeps_its_configuration_in_the_folder_of_the_task(
    worker: tuple[RunContextFactory, dict[str, Any]],
) -> None:
    """SCR-010."""
    have("az")
    who = {"username": "robot", "password": "s3cret-word", "tenant": "acme", "servicePrincipal": True}
    context = worker[0].of()
    # Nobody is asked where the authority is no address; the login has been tried all the same, with these arguments.
    with pytest.raises(TaskException):
        tool(clouds.AzCLI, "true", **who, env={"HTTPS_PROXY": "http://127.0.0.1:9"}).run(context)
    assert (Path(context.working_directory) / ".penstock/tool/azure/az.json").exists()
    assert "s3cret-word" not in str(messages_of(context))


def test_dbt_keeps_its_manifest_and_tells_of_its_nodes(worker: tuple[RunContextFactory, dict[str, Any]]) -> None:
    """SCR-010."""
    have("dbt")
    contexts, pairs = worker
    given = {"inputFiles": PROJECT, "profiles": PROFILES, "projectDir": "dbt"}
    pair = {"key": "manifest.json"}
    output = tool(dbt.DbtCLI, "dbt build", **given, storeManifest=pair).run(contexts.of())
    assert isinstance(output, dbt.DbtOutput)
    assert [(one.id, one.status) for one in output.results] == [("model.shop.orders", "success")]
    assert list(pairs["manifest.json"]["nodes"]) == ["model.shop.orders"]
    context = contexts.of()
    later = tool(dbt.DbtCLI, "test -s dbt/target/manifest.json", **given, loadManifest=pair, storeManifest=pair)
    assert later.run(context).exit_code == 0
    assert pairs["manifest.json"]["metadata"]["project_name"] == "shop"


def test_dbt_without_a_manifest_says_so(worker: tuple[RunContextFactory, dict[str, Any]]) -> None:
    """SCR-010."""
    contexts, _ = worker
    context = contexts.of()
    tool(dbt.DbtCLI, "true", loadManifest={"key": "m"}).run(context)
    assert "no manifest of an earlier run" in messages_of(context)[0][1]
    with pytest.raises(dbt.DbtError, match=r"no manifest at target/manifest\.json"):
        tool(dbt.DbtCLI, "true", storeManifest={"key": "m"}).run(contexts.of())


@pytest.mark.parametrize(
    ("cls", "line", "answer"),
    [(plain.ModalCLI, "modal --version", "modal client"), (plain.SQLMeshCLI, "sqlmesh --version", "")],
)
def test_tool_of_pypi_answers(
    worker: tuple[RunContextFactory, dict[str, Any]], cls: type[ToolTask], line: str, answer: str
) -> None:
    """SCR-010."""
    have(cls.language.program)
    context = worker[0].of()
    tool(cls, line).run(context)
    assert answer in messages_of(context)[-1][1]
