"""The task runner Ssh, on a real server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from penstock.base.ids import new_id
from penstock.builtin.runners.runner import RunnerError
from penstock.builtin.runners.ssh import Ssh
from penstock.builtin.scripts import node, python, shell
from penstock.builtin.scripts.task import TaskException
from penstock.sdk import PluginError
from penstock.testing.run_context import RunContextFactory, messages_of
from tests.builtin.scripts.making import wheel
from tests.support.ssh import SshMissingError, SshServer, make_key, ssh_server
from tests.support.waiting import PATIENCE


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    try:
        with ssh_server(tmp_path_factory.mktemp("ssh")) as running:
            yield running
    except SshMissingError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """The folder of the other machine in which tasks make theirs."""
    folder = tmp_path / "there"
    folder.mkdir()
    return folder


@pytest.fixture
def runner(server: SshServer, there: Path) -> dict[str, Any]:
    return {
        "type": Ssh.type_name,
        "host": "127.0.0.1",
        "port": server.port,
        "username": server.username,
        "privateKey": "{{ key }}",
        "hostKey": server.host_key,
        "directory": str(there),
    }


@pytest.fixture
def run_of(contexts: RunContextFactory, server: SshServer) -> Callable[..., Any]:
    return lambda **variables: contexts.of({"key": server.private_key, **variables})


def commands(runner: Mapping[str, Any], *lines: str, **properties: Any) -> shell.Commands:
    definition = {"id": "t", "type": shell.Commands.type_name, "commands": list(lines), "taskRunner": dict(runner)}
    return shell.Commands.model_validate({**definition, **properties})


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_running(mark: str) -> bool:
    return subprocess.run(["pgrep", "-f", mark], capture_output=True, check=False).returncode == 0


def test_files_go_there_and_come_back(runner: dict[str, Any], run_of: Callable[..., Any], there: Path) -> None:
    """SCR-051, SCR-057, SCR-021, SCR-023."""
    context = run_of(name="Ada")
    stored = context.put_bytes(b"stored", "stored.txt")
    task = commands(
        runner,
        "cat in/a.txt && echo Hello {{ name }} > b.out && mkdir -p deep/er && echo 1 > deep/er/c.out && ./run.sh",
        "test $WORKING_DIR = {{ workingDir }} && test $PWD = $WORKING_DIR && echo more > {{ outputDir }}/d.txt",
        f"cat {stored}; echo; ln -s b.out link.out && ln -s /etc/passwd bad.out && printf changed > in/a.txt",
        'echo "::{\\"outputs\\":{\\"word\\":\\"$WORD\\"}}::"',
        inputFiles={"in/a.txt": "outside\n", "run.sh": "#!/bin/sh\necho ran\n", "untouched.txt": "x"},
        outputFiles=["**.out", "in/*"],
        env={"WORD": "it's"},
        beforeCommands=["WORD=$WORD-two"],
    )
    output = task.run(context)
    assert output.vars == {"word": "it's-two"}
    assert output.task_runner == {"type": Ssh.type_name}
    assert {*output.output_files} == {"b.out", "deep/er/c.out", "link.out", "in/a.txt", "d.txt"}
    read = {name: b"".join(context.stream_file(uri)) for name, uri in output.output_files.items()}
    assert read["b.out"] == read["link.out"] == b"Hello Ada\n"
    assert read["in/a.txt"] == b"changed"
    assert [text for _, text in messages_of(context)] == [
        *("outside", "ran", "stored"),
        "`bad.out` is a link that leads out of the working directory; not fetched",
    ]
    assert [*there.iterdir()] == []


def test_variables_reach_the_commands_as_they_are(runner: dict[str, Any], run_of: Callable[..., Any]) -> None:
    """SCR-007."""
    context = run_of()
    word = "a 'b' \"c\" $HOME `d` \\ ü"
    commands(runner, 'printf "%s\\n" "$WORD"', env={"WORD": word}).run(context)
    assert messages_of(context) == [("INFO", word)]


def test_files_nobody_changed_stay_there(runner: dict[str, Any], run_of: Callable[..., Any]) -> None:
    context = run_of()
    task = commands(runner, "printf B > same.txt", inputFiles={"same.txt": "A", "big.txt": "B" * 100_000})
    big = context.resolve("big.txt")
    task.run(context)
    assert context.resolve("same.txt").read_text() == "B"
    assert big.read_text() == "B" * 100_000


def test_streams_are_told_apart_and_the_code_is_given(runner: dict[str, Any], run_of: Callable[..., Any]) -> None:
    """SCR-011, SCR-032."""
    context = run_of()
    with pytest.raises(TaskException, match="exit code 3"):
        commands(runner, "echo out; echo err >&2; exit 3", outputFiles=["*"]).run(context)
    assert sorted(messages_of(context)) == [("ERROR", "err"), ("INFO", "out")]


def test_command_ended_by_a_signal_gives_the_shell_s_code(runner: dict[str, Any], run_of: Callable[..., Any]) -> None:
    with pytest.raises(TaskException, match="exit code 137"):
        commands(runner, "kill -KILL $$").run(run_of())


def test_a_script_of_another_language_runs_there(runner: dict[str, Any], run_of: Callable[..., Any]) -> None:
    """SCR-050."""
    context = run_of()
    uri = context.put_bytes(b"1,2", "data.csv")
    text = f"import os, helper\nprint(open('{uri}').read(), os.getcwd() == '{{{{ workingDir }}}}', helper.word)"
    definition = {"id": "t", "type": python.Script.type_name, "script": text, "taskRunner": runner}
    python.Script.model_validate({**definition, "inputFiles": {"helper.py": "word = 'found'"}}).run(context)
    assert messages_of(context) == [("INFO", "1,2 True found")]


def test_node_packages_are_installed_there_and_removed(
    runner: dict[str, Any], run_of: Callable[..., Any], there: Path, tmp_path: Path
) -> None:
    """SCR-047."""
    if shutil.which("npm") is None and not os.environ.get("CI"):
        pytest.skip("there is no npm")
    package = tmp_path / "greeter"
    package.mkdir()
    (package / "package.json").write_text('{"name": "greeter", "version": "1.0.0", "main": "index.js"}')
    (package / "index.js").write_text("exports.greet = () => 'hi'\n")
    definition = {"id": "t", "type": node.Script.type_name, "taskRunner": runner, "env": {"TMPDIR": str(tmp_path)}}
    text = "console.log(require('greeter').greet())"
    context = run_of()
    node.Script.model_validate({**definition, "script": text, "dependencies": [str(package)]}).run(context)
    assert [text for level, text in messages_of(context) if level == "INFO"] == ["hi"]
    assert {path.name for path in tmp_path.iterdir()} == {"greeter", "there"}
    assert [*there.iterdir()] == []


def test_kill_ends_all_processes_there(runner: dict[str, Any], run_of: Callable[..., Any], there: Path) -> None:
    """SCR-064, BEY-009."""
    context = run_of()
    number = f"30{os.getpid()}1"
    ends: list[Exception] = []
    task = commands(runner, f"setsid sleep {number} &", f"trap '' TERM; sleep {number} & echo started; sleep {number}")

    def run() -> None:
        try:
            task.run(context)
        except TaskException as error:
            ends.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    until(lambda: [text for _, text in messages_of(context)] == ["started"])
    until(lambda: is_running(f"sleep {number}"))
    for action in context.interrupt():
        action()
    assert not is_running(f"sleep {number}")
    thread.join(PATIENCE)
    assert len(ends) == 1
    assert [*there.iterdir()] == []


def test_kill_before_the_command_begins_leaves_nothing(runner: dict[str, Any], run_of: Callable[..., Any]) -> None:
    context = run_of()
    context.interrupt()
    with pytest.raises(TaskException):
        commands(runner, "echo ran").run(context)
    assert messages_of(context) == []


def test_processes_left_behind_are_ended_with_a_warning(
    runner: dict[str, Any], run_of: Callable[..., Any], there: Path
) -> None:
    """BEY-009."""
    context = run_of()
    number = f"30{os.getpid()}2"
    commands(runner, f"setsid sleep {number} &", "echo done").run(context)
    assert not is_running(f"sleep {number}")
    ((_, first), (level, text)) = messages_of(context)
    assert (first, level) == ("done", "WARN")
    assert "still ran" in text
    assert [*there.iterdir()] == []


def test_python_packages_are_kept_there_in_the_versions_the_revision_was_given_first(
    runner: dict[str, Any], run_of: Callable[..., Any], contexts: RunContextFactory, tmp_path: Path
) -> None:
    """BEY-036, SCR-047."""
    shelf, cache = tmp_path / "shelf", tmp_path / "cache"
    shelf.mkdir()
    wheel(shelf, "greeter", "1.0", "version = 1")
    env = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(shelf), "XDG_CACHE_HOME": str(cache)}
    definition = {"id": "t", "type": python.Script.type_name, "taskRunner": runner, "env": env}
    text = "import greeter, sys; print(greeter.version, sys.prefix)"

    def given(**more: Any) -> tuple[str, str]:
        context = run_of(flow={"revision": 3})
        python.Script.model_validate({**definition, "script": text, "dependencies": ["greeter"], **more}).run(context)
        [words] = [text for level, text in messages_of(context) if level == "INFO"]
        version, prefix = words.split()
        return version, prefix

    assert given()[0] == "1"
    [lock] = contexts.gateway.locks.values()
    assert lock.endswith("\ngreeter==1.0\n")
    wheel(shelf, "greeter", "2.0", "version = 2")
    shutil.rmtree(cache)  # as on another machine
    version, kept = given()
    assert version == "1"
    assert given() == ("1", kept)
    version, prefix = given(dependencyCacheEnabled=False)
    assert version == "2"
    assert not Path(prefix).exists()
    assert len([path for path in (cache / "penstock" / "python").iterdir() if not path.name.startswith(".")]) == 1


def test_python_packages_that_cannot_be_installed_there_say_so(
    runner: dict[str, Any], run_of: Callable[..., Any], tmp_path: Path
) -> None:
    """BEY-036."""
    env = {"PIP_NO_INDEX": "1", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    definition = {"id": "t", "type": python.Script.type_name, "taskRunner": runner, "env": env}
    context = run_of()
    task = python.Script.model_validate({**definition, "script": "print('ran')", "dependencies": ["nothing-such"]})
    with pytest.raises(TaskException):
        task.run(context)
    said = [text for _, text in messages_of(context)]
    assert "ran" not in said
    assert any("`dependencies` cannot be installed" in text for text in said)
    assert [path.name for path in (tmp_path / "cache" / "penstock" / "python").iterdir()] == [".lock"]


def lost_at(run_of: Callable[..., Any], task: shell.Commands, said: str) -> Any:
    """Run a task until it says something; then its worker is as good as lost, for it never looks at it again."""
    context = run_of(taskrun={"id": new_id()})
    threading.Thread(target=lambda: _quietly(task, context), daemon=True).start()
    until(lambda: ("INFO", said) in messages_of(context))
    return context


def _quietly(task: shell.Commands, context: Any) -> None:
    with suppress(PluginError):
        task.run(context)


def test_task_run_goes_on_with_the_commands_of_a_lost_worker(
    runner: dict[str, Any], run_of: Callable[..., Any], there: Path
) -> None:
    """SCR-054: their files, their outputs and their exit code are those of the first start."""
    lines = ('cat a.txt >> b.out; echo begun; sleep 0.3; echo \'::{"outputs":{"n":1}}::\'; echo bad >&2; exit 3',)
    given = {"inputFiles": {"a.txt": "once"}, "outputFiles": ["*.out"], "failFast": False}
    first = lost_at(run_of, commands({**runner, "delete": False}, *lines, **given), "begun")
    again = run_of(taskrun=dict(first.task_run))
    with pytest.raises(TaskException, match="exit code 3"):
        commands(runner, *lines, **given).run(again)
    assert again.resolve("b.out").read_text() == "once"
    (_, going_on), *rest = messages_of(again)
    assert "going on with the commands" in going_on
    assert sorted(rest) == [("ERROR", "bad"), ("INFO", "begun")]
    assert [*there.iterdir()] == []


def test_commands_that_have_ended_are_seen_again_unless_they_are_not_wanted(
    runner: dict[str, Any], run_of: Callable[..., Any], there: Path
) -> None:
    """SCR-054: `delete: false` keeps the folder, `resume: false` starts anew."""
    taskrun = {"id": new_id()}
    kept = {**runner, "delete": False}
    for number, options in enumerate((kept, kept, {**kept, "resume": False})):
        context = run_of(taskrun=taskrun, number=number)
        commands(options, "echo run {{ number }}; echo >> ../count").run(context)
        said = [text for _, text in messages_of(context)]
        assert said[-1] == ("run 2" if number == 2 else "run 0")
    [left] = there.iterdir()
    assert left.name == f"penstock-{taskrun['id']}-remote"
    assert (left / "count").read_text() == "\n"


def test_start_anew_ends_what_an_earlier_worker_started(runner: dict[str, Any], run_of: Callable[..., Any]) -> None:
    """SCR-054."""
    number = f"30{os.getpid()}4"
    first = lost_at(run_of, commands(runner, f"echo begun; sleep {number}"), "begun")
    commands({**runner, "resume": False}, "true").run(run_of(taskrun=dict(first.task_run)))
    assert not is_running(f"sleep {number}")


@pytest.mark.parametrize("mark", [None, "", "0123456789abcdef"], ids=["unmarked", "half", "marked"])
def test_folder_of_a_run_that_never_began_makes_room(
    runner: dict[str, Any], run_of: Callable[..., Any], there: Path, mark: str | None
) -> None:
    """SCR-054: its worker was lost before the commands had their files."""
    context = run_of(taskrun={"id": new_id()})
    left = there / f"penstock-{context.task_run['id']}-remote"
    (left / "work").mkdir(parents=True)
    if mark is not None:
        (left / "mark").write_text(mark)
    commands(runner, "ls").run(context)
    assert messages_of(context) == []
    assert [*there.iterdir()] == []


def test_folder_of_somebody_else_is_not_taken(runner: dict[str, Any], run_of: Callable[..., Any], there: Path) -> None:
    context = run_of(taskrun={"id": new_id()})
    elsewhere = there / "elsewhere"
    elsewhere.mkdir()
    (there / f"penstock-{context.task_run['id']}-remote").symlink_to(elsewhere)
    with pytest.raises(RunnerError, match="cannot be made"):
        commands(runner, "true").run(context)
    assert [*elsewhere.iterdir()] == []


def test_lost_connection_is_an_error_and_leaves_nothing(
    runner: dict[str, Any], run_of: Callable[..., Any], there: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """BEY-009."""
    number = f"30{os.getpid()}3"
    with ssh_server(tmp_path_factory.mktemp("cut")) as server:
        context = run_of(key=server.private_key)
        own = {**runner, "port": server.port, "hostKey": server.host_key}
        ends: list[Exception] = []

        def run() -> None:
            try:
                commands(own, "echo started", f"trap '' HUP PIPE; sleep {number}").run(context)
            except RunnerError as error:
                ends.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        until(lambda: [text for _, text in messages_of(context)] == ["started"])
        server.cut()
        thread.join(PATIENCE)
        assert "connection to 127.0.0.1 was lost" in str(ends[0])
        assert not is_running(f"sleep {number}")
        assert [*there.iterdir()] == []


def test_unknown_machine_is_refused_and_its_key_is_shown(
    runner: dict[str, Any],
    run_of: Callable[..., Any],
    server: SshServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(RunnerError) as failure:
        commands({**runner, "hostKey": None}, "echo a").run(run_of())
    shown = re.search(r"hostKey: (ssh-\S+ \S+)`", failure.value.hint or "")
    assert shown is not None
    assert shown[1] == server.host_key
    commands({**runner, "hostKey": shown[1]}, "echo a").run(run_of())
    commands({**runner, "hostKey": None, "strictHostKeyChecking": False}, "echo a").run(run_of())
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{server.port} {server.host_key}\n")
    commands({**runner, "hostKey": None}, "echo a").run(run_of())


def test_another_machine_s_key_is_refused(runner: dict[str, Any], run_of: Callable[..., Any], tmp_path: Path) -> None:
    other = make_key(tmp_path / "other").with_suffix(".pub").read_text()
    with pytest.raises(RunnerError, match="another key"):
        commands({**runner, "hostKey": other}, "echo a").run(run_of())


def test_user_who_is_not_let_in_is_told(runner: dict[str, Any], run_of: Callable[..., Any], tmp_path: Path) -> None:
    stranger = make_key(tmp_path / "stranger").read_text()
    with pytest.raises(RunnerError, match="does not let the user"):
        commands(runner, "echo a").run(run_of(key=stranger))
    with pytest.raises(RunnerError, match="does not let the user"):
        commands({**runner, "privateKey": None, "password": "wrong"}, "echo a").run(run_of())
    with pytest.raises(RunnerError, match="no way to log in"):
        commands({**runner, "privateKey": None}, "echo a").run(run_of())


def test_encrypted_key_needs_its_passphrase(
    runner: dict[str, Any], run_of: Callable[..., Any], server: SshServer, tmp_path: Path
) -> None:
    path = tmp_path / "user"
    path.write_text(server.private_key)
    path.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "open sesame", "-P", "", "-f", str(path)], check=True)
    key = path.read_text()
    with pytest.raises(RunnerError, match="is encrypted"):
        commands(runner, "echo a").run(run_of(key=key))
    commands({**runner, "privateKeyPassphrase": "open sesame"}, "echo a").run(run_of(key=key))
    with pytest.raises(RunnerError, match="`privateKey` cannot be read"):
        commands(runner, "echo a").run(run_of(key="no key"))


def test_machine_that_does_not_answer_is_named(runner: dict[str, Any], run_of: Callable[..., Any]) -> None:
    with pytest.raises(RunnerError, match=r"no SSH server answers at .* port 1"):
        commands({**runner, "port": 1}, "echo a").run(run_of())


def test_folder_that_cannot_be_made_is_named(runner: dict[str, Any], run_of: Callable[..., Any]) -> None:
    with pytest.raises(RunnerError, match=r"the folder /proc/nowhere/.* cannot be made"):
        commands({**runner, "directory": "/proc/nowhere"}, "echo a").run(run_of())


def test_worker_without_the_library_says_what_to_install(
    runner: dict[str, Any], run_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("penstock.builtin.runners.ssh_")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "paramiko", None)
    with pytest.raises(RunnerError) as failure:
        commands(runner, "echo a").run(run_of())
    assert "penstock[ssh]" in (failure.value.hint or "")
