"""The task runner Docker, on a real engine."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import docker
import pytest

from penstock.base.ids import new_id
from penstock.builtin.runners.docker import Docker
from penstock.builtin.runners.engine import login_of
from penstock.builtin.runners.runner import Command, RunnerError
from penstock.builtin.runners.sockets import listens
from penstock.builtin.scripts import python, shell
from penstock.builtin.scripts.task import TaskException
from penstock.builtin.scripts.transcript import Transcript
from penstock.services.worker.context import WorkerRunContext
from penstock.testing.run_context import RunContextFactory, messages_of
from tests.builtin.runners.faulty_engine import RESET, Faults, faulty
from tests.support.containers import IMAGE, Engine
from tests.support.waiting import PATIENCE

RUNNER = {"type": Docker.type_name, "networkMode": "none", "pullPolicy": "NEVER"}


@pytest.fixture(autouse=True)
def host(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    yield
    engine.clear()


def run_of(contexts: RunContextFactory, **variables: Any) -> WorkerRunContext:
    """Return the context of a task run that has an id, as real ones do."""
    flow, execution = {"namespace": "company.team", "id": "flow"}, {"id": "e1"}
    return contexts.of({"taskrun": {"id": new_id()}, "flow": flow, "execution": execution, **variables})


def commands(*lines: str, runner: Mapping[str, Any] | None = None, **properties: Any) -> shell.Commands:
    definition = {"id": "t", "type": shell.Commands.type_name, "commands": list(lines), "containerImage": IMAGE}
    return shell.Commands.model_validate({**definition, "taskRunner": {**RUNNER, **(runner or {})}, **properties})


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_files_go_in_and_come_out_without_a_mount(contexts: RunContextFactory, engine: Engine) -> None:
    """SCR-068, SCR-021, SCR-023, SCR-045, SCR-051: of an image that no registry has, with `pullPolicy: NEVER`."""
    context = run_of(contexts, name="Ada")
    task = commands(
        "cat in/a.txt && echo Hello {{ name }} > b.out",
        "test $WORKING_DIR = {{ workingDir }} && test $PWD = $WORKING_DIR && echo more > {{ outputDir }}/c.txt",
        'echo "::{\\"outputs\\":{\\"word\\":\\"$WORD\\"}}::"; echo bad >&2',
        inputFiles={"in/a.txt": "from outside\n"},
        outputFiles=["*.out"],
        env={"WORD": "kestrel"},
    )
    output = task.run(context)
    assert output.vars == {"word": "kestrel"}
    assert output.task_runner == {"type": Docker.type_name}
    assert (output.std_out_line_count, output.std_err_line_count) == (2, 1)
    kept = {name: b"".join(context.stream_file(uri)) for name, uri in output.output_files.items()}
    assert kept == {"b.out": b"Hello Ada\n", "c.txt": b"more\n"}
    assert ("INFO", "from outside") in messages_of(context)
    assert engine.containers() == []


def test_container_sees_the_variables_of_the_task_alone(contexts: RunContextFactory) -> None:
    """SCR-051: nothing of the worker's own environment."""
    context = run_of(contexts)
    commands("env", env={"OWN": "1"}).run(context)
    names = {message.partition("=")[0] for _, message in messages_of(context)}
    assert {"OWN", "WORKING_DIR"} <= names
    assert not names & (set(os.environ) - {"HOME", "PATH", "PWD", "TERM", "HOSTNAME", "SHLVL", "container"})


@pytest.mark.parametrize("line", ["exit 3", "cd / && rm -r $WORKING_DIR && exit 3"])
def test_failure_leaves_no_container(contexts: RunContextFactory, engine: Engine, line: str) -> None:
    """SCR-068."""
    with pytest.raises(TaskException, match="exit code 3"):
        commands(line).run(run_of(contexts))
    assert engine.containers() == []


def test_user_of_the_container_may_read_and_write(contexts: RunContextFactory) -> None:
    """SCR-068."""
    context = run_of(contexts)
    task = commands("id -u; cat a.txt; echo x > b.out", inputFiles={"a.txt": "a"}, outputFiles=["b.out"])
    task.task_runner["user"] = "1000"  # type: ignore[index]  # a definition is plain data
    assert list(task.run(context).output_files) == ["b.out"]
    assert messages_of(context)[0] == ("INFO", "1000")


STUBBORN = "echo begun; trap '' TERM; while true; do sleep 0.1; done"


@contextmanager
def begun(context: WorkerRunContext, task: shell.Commands) -> Iterator[list[BaseException]]:
    """Have a task begun in a thread, wait for its end; gives what it raises."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            task.run(context)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    said: list[tuple[str, str]] = []
    until(lambda: bool(said.extend(messages_of(context)) or raised or ("INFO", "begun") in said))
    yield raised
    thread.join(PATIENCE)
    assert not thread.is_alive()


def kill(context: WorkerRunContext) -> None:
    for action in context.interrupt():
        action()


def test_kill_ends_the_container(contexts: RunContextFactory, engine: Engine) -> None:
    """SCR-054, BEY-009."""
    context = run_of(contexts)
    with begun(context, commands(STUBBORN, runner={"killGracePeriod": "PT0.5S"})) as raised:
        kill(context)
    assert [type(error) for error in raised] == [TaskException], raised
    assert engine.containers() == []


@pytest.mark.parametrize(
    ("streams_end", "answers"),
    [
        (True, {"DELETE .*/containers/": [500, 409]}),
        (False, {"POST .*/stop": [500], "POST .*/wait": [RESET]}),
        (False, {"GET .*/archive": [500], "DELETE .*/containers/": [RESET]}),
    ],
    ids=["stream", "end", "files"],
)
def test_kill_ends_the_container_whatever_the_engine_says_meanwhile(
    contexts: RunContextFactory,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    streams_end: bool,
    answers: dict[str, list[int]],
) -> None:
    """SCR-054, BEY-009: connections that break and requests refused while it dies are not the task's failure."""
    faults, context = Faults(answers), run_of(contexts)
    with faulty(engine.host, faults) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        with begun(context, commands(STUBBORN, runner={"killGracePeriod": "PT0.5S"})) as raised:
            actions = context.interrupt()
            if streams_end:
                faults.streams_end.set()
            for action in actions:
                action()
    assert [type(error) for error in raised] == [TaskException], raised
    assert not any(answers.values())
    assert not context.is_unconfirmed
    assert engine.containers() == []


def test_kill_that_comes_before_the_start_ends_the_container(
    contexts: RunContextFactory, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SCR-054, BEY-009: an engine has nothing to end then, and starts it all the same."""
    context = run_of(contexts)
    with faulty(engine.host, Faults(before={"POST .*/start": lambda: kill(context)})) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        with begun(context, commands(STUBBORN, runner={"killGracePeriod": "PT0S"})) as raised:
            pass
    assert [type(error) for error in raised] == [TaskException], raised
    assert engine.containers() == []


def test_connection_lost_while_the_commands_run_is_the_error(
    contexts: RunContextFactory, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SCR-068: and the container is removed."""
    faults, context = Faults(), run_of(contexts)
    with faulty(engine.host, faults) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        with begun(context, commands(STUBBORN)) as raised:
            faults.streams_end.set()
    assert [type(error) for error in raised] == [RunnerError], raised
    assert "could not be run" in str(raised[0])
    assert engine.containers() == []


def test_task_run_goes_on_with_the_container_of_a_lost_worker(contexts: RunContextFactory, engine: Engine) -> None:
    """SCR-054, SCR-070: its files, its outputs and its exit code are those of the first start."""
    first = run_of(contexts)
    task = commands(
        'echo begun; cat a.txt > b.out; sleep 0.5; echo \'::{"outputs":{"n":1}}::\'; echo ended',
        inputFiles={"a.txt": "once"},
        outputFiles=["*.out"],
        runner={"delete": False},
    )

    def lose() -> None:
        with suppress(RunnerError):  # its container may be gone before it has seen the end
            task.run(first)

    lost = threading.Thread(target=lose)
    lost.start()
    until(lambda: ("INFO", "begun") in messages_of(first))
    again = contexts.of(dict(first.variables))
    task.task_runner["delete"] = True  # type: ignore[index]
    output = task.run(again)
    lost.join(PATIENCE)
    assert output.vars == {"n": 1}
    assert b"".join(again.stream_file(output.output_files["b.out"])) == b"once"
    assert "going on with container" in messages_of(again)[0][1]
    assert engine.containers() == []


def test_container_that_is_not_waited_for_runs_on(contexts: RunContextFactory, engine: Engine) -> None:
    """SCR-054, SCR-055."""
    assert commands("sleep 30", runner={"wait": False}).run(run_of(contexts)).exit_code == 0
    [left] = engine.containers()
    client = docker.DockerClient(base_url=engine.host)
    container = client.containers.get(left)
    labels = container.labels
    container.remove(force=True)
    client.close()
    assert labels["io.penstock.flow"] == "flow"
    assert labels["io.penstock.execution"] == "e1"
    assert labels["io.penstock.task-run"]


def test_image_that_is_not_there_is_named(contexts: RunContextFactory) -> None:
    """SCR-069, SCR-071."""
    with pytest.raises(RunnerError, match="localhost/nothing:1 is not on the container engine"):
        commands("true", containerImage="localhost/nothing:1").run(run_of(contexts))
    task = commands("true", containerImage="127.0.0.1:9/nothing:1", runner={"pullPolicy": "IF_NOT_PRESENT"})
    with pytest.raises(RunnerError, match=r"image 127\.0\.0\.1:9/nothing:1"):
        task.run(run_of(contexts))


def test_entry_point_gets_the_commands(contexts: RunContextFactory) -> None:
    """SCR-068."""
    context = run_of(contexts)
    commands("ignored", runner={"entryPoint": ["echo", "called with"]}).run(context)
    assert messages_of(context)[0][1].startswith("called with /bin/sh -c")


def test_volumes_need_the_permission_of_the_server(tmp_path: Path, contexts: RunContextFactory) -> None:
    """SCR-026, SCR-069."""
    (tmp_path / "data.txt").write_text("from the host")
    task = commands("cat /data/data.txt", runner={"volumes": [f"{tmp_path}:/data"]})
    with pytest.raises(RunnerError, match="not enabled"):
        task.run(run_of(contexts))
    with RunContextFactory({"pluginConfiguration": lambda **_: {"volume-enabled": True}}) as allowing:
        context = run_of(allowing)
        task.run(context)
        assert messages_of(context) == [("INFO", "from the host")]


def test_options_reach_the_engine_in_its_words(contexts: RunContextFactory) -> None:
    """SCR-069."""
    runner = Docker.model_validate(
        {
            "type": Docker.type_name,
            "cpu": {"cpus": "{{ half }}"},
            "memory": {"memory": "512Mi", "memorySwap": "1GB", "memoryReservation": "64 MB"},
            "shmSize": "128Mb",
            "extraHosts": ["db:10.0.0.1"],
            "portBindings": ["8080:80", "127.0.0.1:53:53/udp"],
            "privileged": False,
            "deviceRequests": [{"count": -1, "capabilities": [["gpu"]]}],
        }
    )
    context = run_of(contexts, half=0.5)
    options = runner.options(context, Command(["sh", "-c", "x"], {}, context.working_directory, "i", {"A": "b"}))
    assert options["nano_cpus"] == 500_000_000
    sizes = {key: options[key] for key in ("mem_limit", "memswap_limit", "mem_reservation", "shm_size")}
    assert sizes == {"mem_limit": "512m", "memswap_limit": "1g", "mem_reservation": "64m", "shm_size": "128m"}
    assert options["extra_hosts"] == {"db": "10.0.0.1"}
    assert options["ports"] == {"80/tcp": 8080, "53/udp": ("127.0.0.1", 53)}
    assert (options["entrypoint"], options["command"]) == (["sh"], ["-c", "x"])
    assert options["device_requests"][0]["count"] == -1
    assert options["environment"] == {"A": "b"}
    wrong = Docker.model_validate({"type": Docker.type_name, "portBindings": ["80"]})
    with pytest.raises(RunnerError, match="portBindings"):
        wrong.options(context, Command([], {}, context.working_directory, "i"))


def test_login_comes_from_the_configuration_of_the_client() -> None:
    """SCR-069."""
    config = '{"auths": {"r.example.com": {"auth": "bWU6c2VjcmV0"}}}'
    found = login_of(config, "r.example.com/team/image:1")
    assert found is not None
    assert (found["username"], found["password"]) == ("me", "secret")
    assert login_of(config, "other.example.com/image") is None
    with pytest.raises(RunnerError, match="no JSON"):
        login_of("auths", "image")


def test_python_dependencies_are_installed_in_the_container(contexts: RunContextFactory) -> None:
    """SCR-047: nothing of the worker's environments is meant for an image."""
    definition = {"id": "t", "type": python.Commands.type_name, "commands": ["true"], "dependencies": ["a==1", "b c"]}
    task = python.Commands.model_validate({**definition, "containerImage": IMAGE, "taskRunner": RUNNER})
    context = run_of(contexts)
    with pytest.raises(TaskException, match="127"):
        task.run(context)
    assert any("python3" in message for _, message in messages_of(context))


def test_engine_that_does_not_answer_is_an_error_where_the_flow_names_it(contexts: RunContextFactory) -> None:
    """BEY-035."""
    assert not listens("unix:///nowhere/engine.sock")
    with pytest.raises(RunnerError, match="no container engine answers at unix:///nowhere"):
        commands("true", runner={"host": "unix:///nowhere/engine.sock"}).run(run_of(contexts))


def test_transcript_keeps_streams_apart(contexts: RunContextFactory) -> None:
    """SCR-068: output and errors arrive by stream, however much there is."""
    context = run_of(contexts)
    runner = Docker.model_validate(RUNNER)
    arguments = ["sh", "-c", "seq 1 20000; seq 1 10 >&2"]
    transcript = Transcript(context)
    assert runner.run(context, Command(arguments, {}, context.working_directory, IMAGE), transcript) == 0
    transcript.finish()
    assert sorted(transcript.line_counts.values()) == [10, 20000]
