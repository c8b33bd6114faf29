"""The task runner Kubernetes, on a cluster whose pods really run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import pytest

from penstock.base.ids import new_id
from penstock.builtin.debug import Return
from penstock.builtin.runners.kubernetes.manifest import TASK_RUN
from penstock.builtin.runners.kubernetes.runner import Kubernetes
from penstock.builtin.runners.runner import RunnerError
from penstock.builtin.scripts import shell
from penstock.builtin.scripts.task import ScriptOutput, TaskException
from penstock.model.registry import TypeEntry, TypeRegistry
from penstock.services.worker.context import WorkerRunContext
from penstock.testing.run_context import RunContextFactory, messages_of
from tests.builtin.runners.conftest import Target
from tests.support.kubernetes import TOKEN, Faults, TestCluster
from tests.support.waiting import PATIENCE

SOON = {"podSpec": {"terminationGracePeriodSeconds": 1}, "delete": False}
"""Of a task runner whose pods are not to stay, though the flow would keep them."""


class Commands(Protocol):
    def __call__(self, *lines: str, runner: Mapping[str, Any] | None = None, **properties: Any) -> shell.Commands: ...


@pytest.fixture
def commands(target: Target) -> Commands:
    def make(*lines: str, runner: Mapping[str, Any] | None = None, **properties: Any) -> shell.Commands:
        wish = {"type": Kubernetes.type_name, **target.runner, **(runner or {})}
        definition = {"id": "t", "type": shell.Commands.type_name, "commands": list(lines), "taskRunner": wish}
        return shell.Commands.model_validate({**definition, "containerImage": target.image, **properties})

    return make


def run_of(contexts: RunContextFactory, **variables: Any) -> WorkerRunContext:
    """Return the context of a task run that has an id, as real ones do."""
    flow, execution = {"namespace": "company.team", "id": "flow"}, {"id": "e1"}
    taskrun = {"id": new_id(), "attemptsCount": 0}
    return contexts.of({"taskrun": taskrun, "flow": flow, "execution": execution, "task": {"id": "t"}, **variables})


def left(target: Target, context: WorkerRunContext) -> list[Any]:
    """Return the pods of a task run that are still there."""
    return target.cluster.find(TASK_RUN, context.task_run["id"])


def kept(context: WorkerRunContext, output: ScriptOutput) -> dict[str, bytes]:
    return {name: b"".join(context.stream_file(uri)) for name, uri in output.output_files.items()}


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def in_thread(
    task: shell.Commands, context: WorkerRunContext, sign: tuple[str, str] = ("INFO", "begun")
) -> tuple[threading.Thread, list[Exception]]:
    """Run a task until its log has a line; return its thread, and why it fails once it does."""
    failures: list[Exception] = []

    def run() -> None:
        try:
            task.run(context)
        except Exception as error:
            failures.append(error)

    def is_there() -> bool:
        return any(level == sign[0] and sign[1] in message for level, message in messages_of(context))

    thread = threading.Thread(target=run)
    thread.start()
    until(lambda: is_there() or bool(failures))
    return thread, failures


def test_files_go_in_and_come_out_with_what_was_said(
    contexts: RunContextFactory, target: Target, commands: Commands
) -> None:
    """SCR-050, SCR-051, SCR-075, SCR-079, SCR-021: values reach the commands as they stand, whatever a cluster does."""
    context = run_of(contexts, name="Ada")
    task = commands(
        "cat in/a.txt && echo Hello {{ name }} > b.out && rm in/gone.out",
        "test $WORKING_DIR = {{ workingDir }} && test $PWD = /kestra/working-dir && echo more > $OUTPUT_DIR/c.txt",
        'echo "::{\\"outputs\\":{\\"word\\":\\"$WORD\\"}}::"; echo bad >&2',
        inputFiles={"in/a.txt": "from outside\n", "in/gone.out": "removed there"},
        outputFiles=["**/*.out"],
        env={"WORD": "$(HOME) $$ ${HOME}"},
    )
    output = task.run(context)
    assert output.vars == {"word": "$(HOME) $$ ${HOME}"}
    assert output.task_runner == {"type": Kubernetes.type_name}
    assert kept(context, output) == {"b.out": b"Hello Ada\n", "c.txt": b"more\n"}
    said = messages_of(context)
    assert ("INFO", "from outside") in said
    assert ("INFO", "bad") in said
    assert left(target, context) == []


def test_pod_is_as_the_flow_describes_it(contexts: RunContextFactory, target: Target, commands: Commands) -> None:
    """SCR-077, SCR-079, SCR-081, SCR-082: beside the commands runs what the flow adds; nothing runs as root."""
    context = run_of(contexts, uid=1000)
    task = commands(
        "until [ -e from-beside.txt ]; do sleep 0.1; done",
        "id -u; echo $OWN $COMMON $WORKING_DIR; mkdir d; echo x > d/e",
        runner={
            "syncWorkingDirectory": True,
            "pullPolicy": "IF_NOT_PRESENT",
            "resources": {"request": {"cpu": "{{ uid / 10000 }}", "memory": "16Mi"}, "limit": {"memory": "128Mi"}},
            "podSpec": {
                "terminationGracePeriodSeconds": 1,
                "containers": [
                    {"name": "main", "env": [{"name": "OWN", "value": "lost"}, {"name": "WORKING_DIR", "value": "x"}]},
                    {
                        "name": "beside",
                        "image": target.image,
                        "command": ["sh", "-c", "echo $COMMON > {{ workingDir }}/from-beside.txt; sleep 600"],
                    },
                ],
            },
            "containerSpec": {"env": [{"name": "OWN", "value": "{{ flow.id }}"}]},
            "containerDefaultSpec": {
                "securityContext": {"runAsUser": 1000},
                "env": [{"name": "COMMON", "value": "everywhere"}],
            },
        },
        outputFiles=["from-*.txt"],
    )
    output = task.run(context)
    assert kept(context, output) == {"from-beside.txt": b"everywhere\n"}
    assert (context.working_directory / "d" / "e").read_text() == "x\n"
    said = [message for _, message in messages_of(context)]
    assert said == ["1000", "flow everywhere /kestra/working-dir"]


def test_kill_deletes_the_pod_before_the_run_ends(
    contexts: RunContextFactory, target: Target, commands: Commands
) -> None:
    """SCR-054, BEY-009: commands that do not listen are ended."""
    context = run_of(contexts)
    task = commands(
        "echo begun; trap '' TERM; while true; do sleep 0.1; done",
        runner=SOON,
    )
    thread, failures = in_thread(task, context)
    for action in context.interrupt():
        action()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert isinstance(failures[0], TaskException)
    assert left(target, context) == []


def test_task_run_goes_on_with_the_pod_of_a_lost_worker(
    contexts: RunContextFactory, target: Target, commands: Commands
) -> None:
    """SCR-054, SCR-055: its files, its outputs and its exit code are those of the first start, however often read."""
    first = run_of(contexts)
    task = commands(
        'echo begun; cat a.txt > b.out; sleep 1; echo \'::{"outputs":{"n":1}}::\'; exit 3',
        inputFiles={"a.txt": "once"},
        outputFiles=["*.out"],
        runner={"delete": False},
    )
    thread, failures = in_thread(task, first)
    [pod] = left(target, first)
    labels = {key.removeprefix("io.penstock."): value for key, value in pod["metadata"]["labels"].items()}
    assert labels == {
        "namespace": "company.team",
        "flow": "flow",
        "task": "t",
        "execution": "e1",
        "attempt": "1",
        "task-run": first.task_run["id"],
    }
    again = contexts.of(dict(first.variables))
    task.task_runner["delete"] = True  # type: ignore[index]  # a definition is plain data
    with pytest.raises(TaskException, match="exit code 3"):
        task.run(again)
    said = [message for _, message in messages_of(again)]
    assert said[0] == f"going on with pod {pod['metadata']['name']}, which an earlier worker started"
    assert said[1] == "begun"
    thread.join(PATIENCE)
    assert isinstance(failures[0], TaskException | RunnerError)
    assert left(target, first) == []


def test_image_that_does_not_exist_is_named(contexts: RunContextFactory, target: Target, commands: Commands) -> None:
    """SCR-075, SCR-077: without waiting for what will not come."""
    context = run_of(contexts)
    with pytest.raises(RunnerError, match=r"the image localhost/nothing:1 cannot be had by the cluster: .*not found"):
        commands("true", containerImage="localhost/nothing:1").run(context)
    assert left(target, context) == []


def test_pod_that_no_node_takes_is_told_of_while_it_is_waited_for(
    contexts: RunContextFactory, target: Target, commands: Commands
) -> None:
    """SCR-080."""
    context = run_of(contexts)
    task = commands("true", runner={"podSpec": {"nodeSelector": {"disk": "stone"}}})
    thread, _ = in_thread(task, context, ("WARN", "no node of the cluster can take the pod"))
    for action in context.interrupt():
        action()
    thread.join(PATIENCE)
    assert left(target, context) == []
    task.task_runner["waitUntilRunning"] = "PT0S"  # type: ignore[index]  # a definition is plain data
    with pytest.raises(RunnerError, match="did not run in time"):
        task.run(run_of(contexts))


def test_commands_that_take_too_long_are_ended(contexts: RunContextFactory, target: Target, commands: Commands) -> None:
    """SCR-056, SCR-080: a task's own limit counts instead, and its pod is deleted all the same."""
    context = run_of(contexts)
    with pytest.raises(RunnerError, match="did not end in time"):
        commands("sleep 600 & wait", runner={"waitUntilCompletion": "PT0.1S", **SOON}).run(context)
    assert left(target, context) == []
    commands("true", runner={"waitUntilCompletion": "PT0S", **SOON}, timeout="PT10M").run(context)


def test_nothing_is_lost_though_connections_break(
    contexts: RunContextFactory, cluster: TestCluster, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SCR-079, SCR-080, SCR-054: nor by a cluster of an older protocol, which cannot be told that a file has ended."""
    monkeypatch.setattr(cluster, "faults", Faults([3, 2, 0, 50], away=2, protocol="v4.channel.k8s.io"))
    context = run_of(contexts)
    lines = ("seq 1 40; cat a.txt > b.txt; sleep 0.5; seq 41 60",)
    output = commands(*lines, inputFiles={"a.txt": "x" * 200_000}, outputFiles=["b.txt"]).run(context)
    assert [message for _, message in messages_of(context)] == [str(number) for number in range(1, 61)]
    assert len(kept(context, output)["b.txt"]) == 200_000
    assert len(cluster.faults.cut_logs) < 3


def test_cluster_that_refuses_is_an_error_that_helps(contexts: RunContextFactory, cluster: TestCluster) -> None:
    """SCR-076, SCR-078: a token that it does not know, and a certificate that nobody has named."""

    def message_with(**config: Any) -> str:
        definition = {"type": Kubernetes.type_name, "config": {**cluster.config, **config}}
        task = {"id": "t", "type": shell.Commands.type_name, "commands": ["true"], "taskRunner": definition}
        with pytest.raises(RunnerError) as caught:
            shell.Commands.model_validate(task).run(run_of(contexts))
        return f"{caught.value.message} | {caught.value.hint}"

    assert "refuses the token" in message_with(oauthToken="wrong")
    assert "the cluster's certificate is not trusted" in message_with(caCertData=None)
    assert "neither PEM nor Base64" in message_with(caCertData="?")


def test_token_is_renewed_by_a_task_when_it_is_refused(cluster: TestCluster, commands: Commands) -> None:
    """SCR-083: and used for some time otherwise."""
    provider = {
        "task": {"type": Return.type_name, "format": "{{ secret('TOKEN') }}"},
        "output": "{{ value | replace({'token: ': ''}) }}",
    }
    registry = TypeRegistry([TypeEntry.of(Return, "penstock")])
    tokens = iter(["token: stale", f"token: {TOKEN}"])
    with RunContextFactory({"secret": lambda key, **_: next(tokens)}, registry=registry) as contexts:
        context = run_of(contexts)
        config = {**cluster.config, "oauthToken": None, "oauthTokenProvider": provider}
        commands("echo begun", runner={"config": config}).run(context)
        assert messages_of(context)[-1] == ("INFO", "begun")
    assert list(tokens) == []
