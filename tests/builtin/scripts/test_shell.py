import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from penstock.base.errors import NotFoundError
from penstock.builtin.runners.process import Process
from penstock.builtin.runners.runner import RunnerError, Stream
from penstock.builtin.scripts.namespace_files import NamespaceFileExists
from penstock.builtin.scripts.runner_choice import TaskRunnerMissing
from penstock.builtin.scripts.shell import Commands
from penstock.builtin.scripts.task import ScriptOutput, TaskException
from penstock.builtin.scripts.transcript import Transcript
from penstock.model.parsing import parse_flow
from penstock.testing.run_context import RunContextFactory, messages_of
from penstock.wiring.plugins import load_plugins
from tests.builtin.scripts.making import commands, said, script
from tests.support.waiting import PATIENCE


def test_commands_that_succeed_give_their_lines_and_outputs(contexts: RunContextFactory) -> None:
    """ENG-115, SCR-032."""
    context = contexts.of({"name": "Ada"})
    output = commands("echo Hello {{ name }}", "echo bad >&2; echo two").run(context)
    assert output.model_dump(by_alias=True, exclude_none=True) == {
        "vars": {},
        "exitCode": 0,
        "outputFiles": {},
        "stdOutLineCount": 2,
        "stdErrLineCount": 1,
        "taskRunner": {"type": Process.type_name},
    }
    lines = messages_of(context)
    assert sorted(lines) == [("ERROR", "bad"), ("INFO", "Hello Ada"), ("INFO", "two")]


def test_commands_failing_name_the_code_and_the_commands_as_written(contexts: RunContextFactory) -> None:
    """SCR-011."""
    with pytest.raises(TaskException) as failure:
        commands("echo {{ secret('X') }}", "exit 3").run(contexts.of())
    text = str(failure.value)
    assert "command failed with exit code 3" in text
    assert "exit 3" in text
    assert "value of X" not in text


def test_commands_unknown_program_says_what_to_do(contexts: RunContextFactory) -> None:
    with pytest.raises(TaskException, match=r"exit code 127.*install it"):
        commands("no-such-program-here").run(contexts.of())


def test_commands_ended_by_a_signal_name_it(contexts: RunContextFactory) -> None:
    with pytest.raises(TaskException, match=r"signal SIGKILL \(exit code 137\).*memory"):
        commands("kill -KILL $$").run(contexts.of())


def test_commands_error_lines_do_not_fail_the_task(contexts: RunContextFactory) -> None:
    """SCR-011, MIG-049."""
    task = commands("echo oops >&2", """echo '::{"logs":[{"level":"ERROR","message":"x"}]}::'""", warningOnStdErr=True)
    assert task.run(contexts.of()).exit_code == 0


def test_commands_after_one_that_fails_do_not_run(contexts: RunContextFactory) -> None:
    """SCR-006."""
    context = contexts.of()
    with pytest.raises(TaskException):
        commands("echo one", "false", "echo two").run(context)
    assert said(context) == ["one"]


def test_commands_without_fail_fast_run_on(contexts: RunContextFactory) -> None:
    context = contexts.of()
    assert commands("false", "echo two", failFast=False).run(context).exit_code == 0
    assert said(context) == ["two"]


def test_commands_share_the_shell_of_those_before_them(contexts: RunContextFactory) -> None:
    """SCR-005."""
    context = contexts.of({"b": 2})
    commands("echo $A $B", "pwd", beforeCommands=["A=1; export B={{ b }}", "mkdir sub; cd sub"]).run(context)
    assert said(context) == ["1 2", f"{context.working_directory}/sub"]


def test_commands_of_several_lines_and_shell_constructs_work(contexts: RunContextFactory) -> None:
    context = contexts.of()
    commands("for n in 1 2; do\n  echo n$n | tr n N\ndone", "cat <<EOF\nhere\nEOF", "test -d / && echo yes").run(
        context
    )
    assert said(context) == ["N1", "N2", "here", "yes"]


def test_commands_given_by_one_expression_are_its_list(contexts: RunContextFactory) -> None:
    context = contexts.of({"lines": ["echo a", "echo b"]})
    task = Commands.model_validate(
        {
            "id": "t",
            "type": Commands.type_name,
            "commands": "{{ lines }}",
            "taskRunner": {"type": Process.type_name},
        }
    )
    task.run(context)
    assert said(context) == ["a", "b"]


def test_commands_with_another_interpreter_are_given_to_it(contexts: RunContextFactory) -> None:
    context = contexts.of()
    commands("import sys", "print(sys.argv)", interpreter=[sys.executable, "-c"]).run(context)
    assert said(context) == ["['-c']"]


def test_commands_longer_than_an_argument_may_be_still_run(contexts: RunContextFactory) -> None:
    context = contexts.of()
    commands(f"A='{'x' * 300_000}'", 'printf %s "$A" | wc -c', interpreter=["/bin/bash", "-c"]).run(context)
    assert said(context) == ["300000"]


def test_commands_missing_are_refused_when_read() -> None:
    with pytest.raises(ValidationError, match="commands"):
        Commands.model_validate({"id": "t", "type": Commands.type_name})


def test_script_runs_with_its_before_commands(contexts: RunContextFactory) -> None:
    """SCR-001, SCR-007."""
    context = contexts.of({"attempts": 3})
    script("i=0\nwhile [ $i -lt {{ attempts }} ]; do i=$((i+1)); done\necho $i$A", beforeCommands=["A=!"]).run(context)
    assert said(context) == ["3!"]


# -- environment


def test_environment_is_rendered_and_the_places_win(contexts: RunContextFactory) -> None:
    """SCR-051."""
    context = contexts.of({"v": "a b"})
    env = {"ONE": "{{ v }}", "TWO": 2, "MAP": {"a": 1}, "WORKING_DIR": "elsewhere", "HERE": "{{ workingDir }}"}
    commands('echo "$ONE|$TWO|$MAP|$WORKING_DIR|$HERE|{{ workingDir }}"', env=env).run(context)
    here = context.working_directory
    assert said(context) == [f'a b|2|{{"a":1}}|{here}|{here}|{here}']


# -- messages


def test_messages_give_outputs_metrics_and_logs(contexts: RunContextFactory) -> None:
    """ENG-210, SCR-034, SCR-036, SCR-037."""
    context = contexts.of()
    output = commands(
        """echo '::{"outputs":{"test":"value","int":2,"bool":true,"float":3.65,"list":[1,{"a":null}]}}::'""",
        """echo '::{"outputs":{"int": 3}}::' >&2""",
        """echo '::{"metrics":[{"name":"count","type":"counter","value":1,"tags":{"tag1":"i","tag2":false}}]}::'""",
        """echo '::{"metrics":[{"name":"took","type":"timer","value":2.12}]}::'""",
        """echo '::{"logs":[{"level":"DEBUG","message":"deep"},{"level":"WARN","message":"careful"}]}::'""",
    ).run(context)
    assert output.vars == {"test": "value", "int": 3, "bool": True, "float": 3.65, "list": [1, {"a": None}]}
    assert output.std_out_line_count == 4
    assert messages_of(context) == [("DEBUG", "deep"), ("WARN", "careful")]
    assert [(one.type, one.name, one.value, dict(one.tags)) for one in context.log.take_metrics()] == [
        ("counter", "count", 1.0, {"tag1": "i", "tag2": "false"}),
        ("timer", "took", 2.12, {}),
    ]


def test_messages_that_are_wrong_are_text_or_warned_of(contexts: RunContextFactory) -> None:
    context = contexts.of()
    output = commands(
        "echo '::{broken'",
        "echo '::{\"outputs\":3}::'",
        """echo '::{"metrics":[{"name":"g","type":"meter","value":1},{"name":"c","type":"counter","value":"x"}]}::'""",
        """echo '::{"logs":["x"]}::'""",
    ).run(context)
    assert output.vars == {}
    assert not context.log.take_metrics()
    lines = messages_of(context)
    assert lines[0] == ("INFO", "::{broken")
    assert [level for level, _ in lines[1:]] == ["WARN"] * 4


def test_messages_with_encrypted_outputs_leak_nothing(contexts: RunContextFactory) -> None:
    context = contexts.of()
    output = commands("""echo '::{"encryptedOutputs":{"key":"hunter2!"}}::'""", "echo hunter2!").run(context)
    assert "hunter2" not in str(output)
    assert "hunter2" not in " ".join(said(context))


def test_lines_of_a_hundred_megabytes_are_cut(contexts: RunContextFactory) -> None:
    context = contexts.of()
    output = commands("head -c 100000000 /dev/zero | tr '\\0' x", "echo; echo end").run(context)
    lines = said(context)
    assert output.std_out_line_count == 2
    assert lines[1] == "end"
    assert len(lines[0]) < 100_000


def test_lines_without_end_are_logged_up_to_a_bound_and_messages_among_them_count(
    contexts: RunContextFactory,
) -> None:
    """SCR-032, SCR-033."""
    context = contexts.of()
    transcript = Transcript(context, most=1_000)
    for number in range(100):
        transcript.write(Stream.OUT, b"%d\n" % number)
    transcript.write(Stream.OUT, b'::{"outputs":{"n":1}}::\nend')
    transcript.finish()
    lines = messages_of(context)
    assert lines[:9] == [("INFO", str(number)) for number in range(9)]
    assert lines[9][0] == "WARN"
    assert lines[9][1].startswith("92 more lines were not logged")
    assert transcript.outputs == {"n": 1}
    assert transcript.line_counts[Stream.OUT] == 102


def test_lines_keep_their_order_within_a_stream(contexts: RunContextFactory) -> None:
    context = contexts.of()
    commands("seq 1 5000").run(context)
    assert said(context) == [str(n) for n in range(1, 5001)]


# -- files


def test_input_files_are_contents_or_copies_of_stored_files(contexts: RunContextFactory) -> None:
    """SCR-019, SCR-063, ENG-344."""
    context = contexts.of({"name": "Ada"}, files={"nsfile:///lib.sh": b"#!/bin/sh\necho from lib"})
    uri = context.put_bytes(b"\x00\x01stored", "data.bin")
    files = {
        "hello.txt": "Hello {{ name }}\r\n",
        "sub/deep/data.bin": uri,
        "lib.sh": "nsfile:///lib.sh",
        "made.json": {"a": [1]},
        "empty": None,
    }
    task = commands("cat hello.txt made.json; wc -c < sub/deep/data.bin; ./lib.sh; wc -c < empty", inputFiles=files)
    task.run(context)
    assert (context.working_directory / "hello.txt").read_bytes() == b"Hello Ada\r\n"
    assert [line.strip() for line in said(context)] == ["Hello Ada", '{"a":[1]}8', "from lib", "0"]


def test_input_files_by_expression_are_its_map(contexts: RunContextFactory) -> None:
    context = contexts.of({"outputs": {"unzip": {"files": {"a/one.txt": "1", "two.txt": "2"}}}})
    commands("cat a/one.txt two.txt", inputFiles="{{ outputs.unzip.files }}").run(context)
    assert said(context) == ["12"]


@pytest.mark.parametrize("name", ["../escape", "/etc/passwd-new", "a/../../b", "."])
def test_input_files_outside_the_working_directory_are_refused(contexts: RunContextFactory, name: str) -> None:
    with pytest.raises(Exception, match=r"outside the task's working directory|is no name for a file"):
        commands("true", inputFiles={name: "x"}).run(contexts.of())


def test_input_files_that_do_not_exist_say_so(contexts: RunContextFactory) -> None:
    with pytest.raises(NotFoundError, match="nsfile:///nowhere"):
        commands("true", inputFiles={"a": "nsfile:///nowhere"}).run(contexts.of())


def test_stored_files_in_commands_become_local_paths(contexts: RunContextFactory) -> None:
    """SCR-008."""
    context = contexts.of()
    uri = context.put_bytes(b"content\n", "my-file.txt")
    output = commands(f"cat {uri} '{uri}'", f"basename {uri}", outputFiles=["**"]).run(context)
    assert said(context) == ["content", "content", "my-file.txt"]
    assert output.output_files == {}


def test_stored_files_with_blanks_in_their_names_are_found_in_commands_and_input_files(
    contexts: RunContextFactory,
) -> None:
    """SCR-008, SCR-019."""
    context = contexts.of()
    uri = context.put_bytes(b"content\n", "my report (1) ü.txt")
    commands(f"cat {uri} copy.txt", inputFiles={"copy.txt": uri}).run(context)
    assert said(context) == ["content", "content"]


def test_output_files_that_match_are_stored(contexts: RunContextFactory) -> None:
    """SCR-021."""
    context = contexts.of({"name": "c"})
    output = commands(
        "echo 1 > a.csv; echo 2 > b.json; mkdir sub; echo 3 > sub/c.txt; echo 4 > .hidden.csv; ln -s /etc/passwd p.csv",
        outputFiles=["*.csv", "sub/{{ name }}.txt", "nothing-*"],
    ).run(context)
    assert set(output.output_files) == {"a.csv", "sub/c.txt", ".hidden.csv"}
    assert contexts.gateway.files[output.output_files["sub/c.txt"]] == b"3\n"
    assert (context.working_directory / "a.csv").exists()
    assert any("p.csv" in line for line in said(context))


def test_output_files_that_match_nothing_are_an_empty_map(contexts: RunContextFactory) -> None:
    """SCR-022."""
    output = commands("echo x > a.txt", outputFiles=["*.csv"]).run(contexts.of())
    assert output.model_dump(by_alias=True)["outputFiles"] == {}


def test_output_files_by_absolute_pattern_are_found(contexts: RunContextFactory) -> None:
    output = commands("echo 1 > a.csv", outputFiles=["{{ workingDir }}/*.csv"]).run(contexts.of())
    assert set(output.output_files) == {"a.csv"}


@pytest.mark.parametrize(
    "properties",
    [{"outputDirectoryEnabled": True}, {"outputDir": "x"}, {"env": {"WHERE": "{{ outputDir }}"}}],
)
def test_output_directory_keeps_all_that_is_in_it(contexts: RunContextFactory, properties: dict[str, Any]) -> None:
    """SCR-023."""
    context = contexts.of()
    output = commands("mkdir $OUTPUT_DIR/sub; echo 1 > $OUTPUT_DIR/sub/a.csv; echo 2 > b.csv", **properties).run(
        context
    )
    assert set(output.output_files) == {"sub/a.csv"}


def test_output_directory_by_expression_is_the_same(contexts: RunContextFactory) -> None:
    output = commands("echo 1 > {{ outputDir }}/a.csv").run(contexts.of())
    assert set(output.output_files) == {"a.csv"}


def test_working_directory_is_empty_when_nothing_was_asked_for(contexts: RunContextFactory) -> None:
    context = contexts.of()
    commands("ls -A").run(context)
    assert said(context) == []


# -- namespace files


@pytest.fixture
def files() -> dict[str, bytes]:
    return {
        "nsfile://company.team/main.sh": b"#!/bin/sh\necho '{{ not rendered }}'",
        "nsfile://company.team/src/a%20b.txt": b"team",
        "nsfile://company/src/a%20b.txt": b"company",
        "nsfile://company/other.txt": b"other",
    }


@pytest.fixture
def with_files() -> RunContextFactory:
    paths = {"company.team": ["/main.sh", "/src/a b.txt"], "company": ["/src/a b.txt", "/other.txt"]}
    return RunContextFactory({"namespaceFiles": lambda namespace: paths[namespace]})


VARIABLES = {"flow": {"namespace": "company.team"}}


def test_namespace_files_are_copied_as_they_are(with_files: RunContextFactory, files: dict[str, bytes]) -> None:
    """SCR-020."""
    with with_files as contexts:
        context = contexts.of(VARIABLES, files=files)
        commands("./main.sh; cat 'src/a b.txt'", namespaceFiles={"enabled": True}).run(context)
        assert said(context) == ["{{ not rendered }}", "team"]


def test_namespace_files_are_chosen_by_patterns(with_files: RunContextFactory, files: dict[str, bytes]) -> None:
    with with_files as contexts:
        for chosen in ({"include": ["main.sh"]}, {"exclude": ["src/**"]}):
            context = contexts.of(VARIABLES, files=files)
            commands("find . -type f", namespaceFiles=chosen).run(context)
            assert said(context) == ["./main.sh"]


def test_namespace_files_switched_off_are_not_copied(with_files: RunContextFactory) -> None:
    with with_files as contexts:
        context = contexts.of(VARIABLES)
        commands("ls", namespaceFiles={"enabled": "{{ false }}"}).run(context)
        assert said(context) == []


def test_namespace_files_of_several_namespaces_the_last_wins(
    with_files: RunContextFactory, files: dict[str, bytes]
) -> None:
    """ENG-349."""
    both = {"namespaces": ["company.team", "company"]}
    expected = {"OVERWRITE": "company", "WARN": "team", "IGNORE": "team"}
    with with_files as contexts:
        for if_exists, winner in expected.items():
            context = contexts.of(VARIABLES, files=files)
            commands("cat 'src/a b.txt'", namespaceFiles={**both, "ifExists": if_exists}).run(context)
            lines = messages_of(context)
            assert ("INFO", winner) in lines
            assert [level for level, _ in lines if level != "INFO"] == {"OVERWRITE": ["DEBUG"], "WARN": ["WARN"]}.get(
                if_exists, []
            )
        with pytest.raises(NamespaceFileExists, match=r"src/a b\.txt"):
            commands("true", namespaceFiles={**both, "ifExists": "FAIL"}).run(contexts.of(VARIABLES, files=files))


def test_namespace_files_in_folders_do_not_meet(with_files: RunContextFactory, files: dict[str, bytes]) -> None:
    with with_files as contexts:
        context = contexts.of(VARIABLES, files=files)
        chosen = {"namespaces": ["company.team", "company"], "folderPerNamespace": True}
        commands("cat 'company.team/src/a b.txt' 'company/src/a b.txt'", namespaceFiles=chosen).run(context)
        assert said(context) == ["teamcompany"]


# -- runners


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/engine.sock")


@pytest.mark.usefixtures("no_engine")
@pytest.mark.parametrize(
    "properties",
    [
        {"taskRunner": None},
        {"taskRunner": {"type": "io.kestra.plugin.scripts.runner.docker.Docker", "pullPolicy": "NEVER"}},
        {"taskRunner": None, "runner": "DOCKER", "docker": {"image": "ubuntu", "pullPolicy": "ALWAYS"}},
    ],
)
def test_runner_docker_missing_falls_back_visibly(contexts: RunContextFactory, properties: dict[str, Any]) -> None:
    """BEY-035, SCR-012."""
    context = contexts.of()
    assert commands("echo ran", **properties).run(context).task_runner == {"type": Process.type_name}
    notice, line = messages_of(context)
    assert notice[0] == "WARN"
    assert "image ubuntu" in notice[1]
    assert line == ("INFO", "ran")


@pytest.mark.usefixtures("no_engine")
def test_runner_docker_missing_is_an_error_where_the_server_is_set_so() -> None:
    """BEY-035."""
    with RunContextFactory({"pluginConfiguration": lambda **_: {"fallback": "error"}}) as factory:
        context = factory.of()
        with pytest.raises(RunnerError, match="meant for the image ubuntu"):
            commands("echo ran", taskRunner=None).run(context)
        assert messages_of(context) == []


def test_runner_docker_in_a_flow_is_valid() -> None:
    """SCR-069."""
    source = """
id: old
namespace: company.team
tasks:
  - id: run
    type: io.kestra.plugin.scripts.shell.Commands
    containerImage: ubuntu
    taskRunner:
      type: io.kestra.plugin.scripts.runner.docker.Docker
      pullPolicy: IF_NOT_PRESENT
      cpu: {cpus: 1.5}
      memory: {memory: 512Mb}
      volumes: ["/a:/b"]
      credentials: {registry: r.example.com, username: me, password: "{{ secret('P') }}"}
    commands: [echo hello]
"""
    read = parse_flow(source, load_plugins(()).registry)
    assert read.problems == ()
    wrong = parse_flow(source.replace("IF_NOT_PRESENT", "SOMETIMES").replace("512Mb", "[1]"), load_plugins(()).registry)
    assert len(wrong.errors) == 2


def test_runner_process_in_the_older_form_is_meant_as_it_says(contexts: RunContextFactory) -> None:
    """SCR-012, ENG-342."""
    context = contexts.of()
    commands("echo ran", taskRunner=None, runner="PROCESS").run(context)
    assert messages_of(context) == [("INFO", "ran")]


def test_runner_process_by_its_older_name_is_known(contexts: RunContextFactory) -> None:
    context = contexts.of()
    runner = {"type": "io.kestra.core.models.tasks.runners.types.ProcessTaskRunner"}
    assert commands("true", taskRunner=runner).run(context).task_runner == {"type": Process.type_name}


def test_runner_unknown_is_refused_by_name(contexts: RunContextFactory) -> None:
    with pytest.raises(TaskRunnerMissing, match=r"org\.example\.Moon"):
        commands("true", taskRunner={"type": "org.example.Moon"}).run(contexts.of())


# -- kills


def test_commands_killed_end_with_all_they_started(contexts: RunContextFactory) -> None:
    """SCR-064, BEY-009."""
    context = contexts.of()
    ends: list[ScriptOutput | Exception] = []

    def run() -> None:
        try:
            ends.append(commands("sleep 300 & echo $! > pid; wait").run(context))
        except TaskException as error:
            ends.append(error)

    file = context.working_directory / "pid"
    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + PATIENCE
    while not (file.exists() and file.read_text().strip()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    for action in context.interrupt():
        action()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert isinstance(ends[0], TaskException)
    with suppress(OSError):  # whoever reaps it may do so at any moment
        assert Path(f"/proc/{file.read_text().strip()}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
