"""Tasks for command-line tools: what each one's commands find, shown by programs that say how they were called."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.builtin.runners.family import MARK
from penstock.builtin.runners.process import Process
from penstock.builtin.scripts.task import TaskException
from penstock.builtin.tools.tool_task import ToolTask
from penstock.services.worker.settings import WorkerSettings
from penstock.testing.run_context import RunContextFactory, messages_of
from penstock.wiring.plugins import builtin_types

BY_PROGRAM: dict[str, type[ToolTask]] = {
    entry.cls.language.program: entry.cls for entry in builtin_types() if issubclass(entry.cls, ToolTask)
}
IMAGES = {
    "ansible-playbook": "cytopia/ansible:latest-tools",
    "aws": "amazon/aws-cli",
    "az": "mcr.microsoft.com/azure-cli",
    "dataform": "dataformco/dataform",
    "dbt": "ghcr.io/kestra-io/dbt",
    "gcloud": "google/cloud-sdk",
    "modal": "ghcr.io/kestra-io/modal",
    "sqlmesh": "ghcr.io/kestra-io/sqlmesh",
    "terraform": "hashicorp/terraform",
    "terragrunt": "alpine/terragrunt",
    "tofu": "ghcr.io/opentofu/opentofu",
}


@pytest.fixture
def tools(tmp_path: Path) -> Iterator[RunContextFactory]:
    """Make run contexts of a worker where every tool is a program that writes how it was called, and what it finds."""
    for name in ("sh", "cat", "env", "ls"):
        (tmp_path / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    for name in BY_PROGRAM:
        (tmp_path / name).write_text(f'#!/bin/sh\necho "{name} $*"\nenv\n')
        (tmp_path / name).chmod(0o755)
    settings = WorkerSettings(threads=1, environment={"PATH": str(tmp_path)})
    with RunContextFactory({"kv": lambda **_: None}, settings=settings) as factory:
        yield factory


def tool(program: str, *commands: str, **properties: Any) -> ToolTask:
    cls = BY_PROGRAM[program]
    definition = {"id": "t", "type": cls.type_name, "taskRunner": {"type": Process.type_name}, **properties}
    return cls.model_validate({**definition, "commands": list(commands) or [f"{program} {{{{ word }}}}"]})


def said(tools: RunContextFactory, task: ToolTask) -> tuple[list[str], dict[str, str]]:
    """Return how programs were called, and the environment variables of the last one, `DIR` for the directory."""
    context = tools.of({"word": "plan"})
    task.run(context)
    place = str(context.working_directory)
    lines = [text.replace(place, "DIR") for _, text in messages_of(context)]
    calls = [line for line in lines if line.partition(" ")[0] in BY_PROGRAM]
    found = dict(line.split("=", 1) for line in lines if "=" in line and line not in calls)
    return calls, {name: value for name, value in found.items() if name not in (MARK, "PATH", "PWD", "WORKING_DIR")}


def test_tools_are_those_that_flows_name() -> None:
    """SCR-010."""
    assert {program: cls.language.image for program, cls in BY_PROGRAM.items()} == IMAGES


@pytest.mark.parametrize("program", sorted(IMAGES))
def test_tool_is_called_with_the_files_and_variables_of_the_task(tools: RunContextFactory, program: str) -> None:
    """SCR-010."""
    task = tool(
        *(program, f"{program} {{{{ word }}}}", "cat in.tf"),
        beforeCommands=[f"{program} init"],
        env={"TF_VAR_name": "{{ word }}"},
        inputFiles={"in.tf": "${path.module}"},
        outputFiles=["*"],
    )
    context = tools.of({"word": "plan"})
    output = task.run(context)
    lines = [text for _, text in messages_of(context)]
    assert [line for line in lines if line.startswith(f"{program} ")][-2:] == [f"{program} init", f"{program} plan"]
    assert "TF_VAR_name=plan" in lines
    assert lines[-1] == "${path.module}"
    assert list(output.output_files) == ["in.tf"]


@pytest.mark.parametrize("program", sorted(IMAGES))
def test_tool_that_is_missing_is_named_with_what_brings_it(tmp_path: Path, program: str) -> None:
    """SCR-010, SCR-046."""
    (tmp_path / "sh").symlink_to("/bin/sh")
    settings = WorkerSettings(threads=1, environment={"PATH": str(tmp_path)})
    with RunContextFactory(settings=settings) as contexts, pytest.raises(TaskException) as failure:
        tool(program, f"{program} plan").run(contexts.of())
    assert f"there is no program `{program}`" in failure.value.message
    assert BY_PROGRAM[program].language.installed_by in (failure.value.hint or "")


def test_aws_finds_its_keys_and_its_region(tools: RunContextFactory) -> None:
    """SCR-010."""
    account = {"accessKeyId": "reader", "secretKeyId": "s3cret-word", "sessionToken": "t0ken-word"}
    task = tool("aws", **account, region="{{ word }}", endpointOverride="http://host:1", outputFormat="text")
    calls, found = said(tools, task)
    assert calls == ["aws plan"]
    assert found == {
        "AWS_ACCESS_KEY_ID": "reader",
        "AWS_SECRET_ACCESS_KEY": "******",
        "AWS_SESSION_TOKEN": "******",
        "AWS_DEFAULT_REGION": "plan",
        "AWS_REGION": "plan",
        "AWS_ENDPOINT_URL": "http://host:1",
        "AWS_DEFAULT_OUTPUT": "text",
        "AWS_PAGER": "",
    }


def test_aws_without_keys_leaves_those_of_the_worker(tools: RunContextFactory) -> None:
    """SCR-010."""
    assert said(tools, tool("aws"))[1] == {"AWS_PAGER": ""}


def test_gcloud_acts_as_the_service_account_alone(tools: RunContextFactory) -> None:
    """SCR-010."""
    shown = "cat $CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE"
    task = tool("gcloud", "gcloud info", serviceAccount='{"k": "v3ry-secret"}', projectId="shop")
    _, found = said(tools, task)
    key = "DIR/.penstock/tool/service-account.json"
    assert found == {
        "CLOUDSDK_CORE_PROJECT": "shop",
        "CLOUDSDK_CONFIG": "DIR/.penstock/tool/gcloud",
        "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE": key,
        "GOOGLE_APPLICATION_CREDENTIALS": key,
    }
    context = tools.of()
    tool("gcloud", shown, "ls $CLOUDSDK_CONFIG", serviceAccount='{"k": "v3ry-secret"}').run(context)
    assert messages_of(context) == [("INFO", "******")]


def test_azure_logs_in_first_and_keeps_that_to_itself(tools: RunContextFactory) -> None:
    """SCR-010."""
    who = {"username": "robot", "password": "s3cret-word", "tenant": "acme", "servicePrincipal": True}
    calls, found = said(tools, tool("az", **who))
    login = "az login --output none --service-principal --username robot --password ****** --tenant acme"
    assert calls == [login, "az plan"]
    assert found["AZURE_CONFIG_DIR"] == "DIR/.penstock/tool/azure"
    assert said(tools, tool("az", username="ada", password="s3cret-word"))[0][0] == (
        "az login --output none --username ada --password ******"
    )
    assert said(tools, tool("az")) == (["az plan"], {})


def test_ansible_finds_its_configuration_and_the_callback(tools: RunContextFactory) -> None:
    """SCR-010."""
    config = "[defaults]\nlog_path={{ workingDir }}/log\n"
    task = tool("ansible-playbook", "cat $ANSIBLE_CONFIG", "ls callback_plugins", ansibleConfig=config)
    context = tools.of()
    output = task.run(context)
    place = context.working_directory
    assert [text for _, text in messages_of(context)] == ["[defaults]", f"log_path={place}/log", "kestra_logger.py"]
    assert output.output_files == {}


def test_dbt_finds_its_profiles_and_its_project(tools: RunContextFactory) -> None:
    """SCR-010."""
    _, found = said(tools, tool("dbt", profiles="shop: {{ word }}", projectDir="dbt"))
    assert found == {"DBT_PROFILES_DIR": "DIR", "DBT_PROJECT_DIR": "DIR/dbt"}
    context = tools.of({"word": "x"})
    tool("dbt", "cat profiles.yml", profiles="shop: {{ word }}").run(context)
    assert messages_of(context) == [("INFO", "shop: x")]


def test_tool_runs_in_the_container_its_image_names(tools: RunContextFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """SCR-010, SCR-050: every runner takes these tasks; where no engine answers, the image is named."""
    task = BY_PROGRAM["terraform"].model_validate(
        {"id": "t", "type": BY_PROGRAM["terraform"].type_name, "commands": ["terraform plan"]}
    )
    context = tools.of()
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/engine.sock")
    task.run(context)
    assert "without the image hashicorp/terraform" in messages_of(context)[0][1]
