import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from penstock.builtin.runners import family, orphans
from penstock.builtin.runners.process import Process
from penstock.builtin.runners.runner import Command, RunnerError, Stream
from penstock.services.worker.context import WorkerRunContext
from penstock.testing.run_context import RunContextFactory, messages_of
from tests.support.waiting import PATIENCE

PROCESS = Process(type=Process.type_name)


class Kept:
    """What a command has written."""

    def __init__(self) -> None:
        self.streams = {Stream.OUT: bytearray(), Stream.ERR: bytearray()}
        self.seen = threading.Event()

    def write(self, stream: Stream, data: bytes) -> None:
        self.streams[stream] += data
        if b"ready" in self.streams[Stream.OUT]:
            self.seen.set()

    @property
    def out(self) -> str:
        return self.streams[Stream.OUT].decode()

    @property
    def err(self) -> str:
        return self.streams[Stream.ERR].decode()


def command(context: WorkerRunContext, *arguments: str, environment: Mapping[str, str] | None = None) -> Command:
    return Command(arguments, {**context.environment, **(environment or {})}, context.working_directory)


def run_shell(context: WorkerRunContext, text: str, sink: Kept | None = None) -> tuple[int, Kept]:
    kept = sink or Kept()
    return PROCESS.run(context, command(context, "/bin/sh", "-c", text), kept), kept


def is_running(pid: int) -> bool:
    """Return whether a process lives; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def children() -> list[int]:
    """Return the process ids of this process's children, those that wait to be reaped too."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]) == os.getpid():
                    found.append(int(entry.name))
    return found


BEGUN = "until [ -e begun ]; do sleep 0.02; done"


class Running:
    """A command that runs in a thread until it is ended from outside."""

    def __init__(self, context: WorkerRunContext, text: str) -> None:
        self.context = context
        self.kept = Kept()
        self.codes: list[int] = []
        self.thread = threading.Thread(target=lambda: self.codes.append(run_shell(context, text, self.kept)[0]))
        self.thread.start()
        assert self.kept.seen.wait(PATIENCE), self.kept.err

    def pids(self) -> list[int]:
        return [int(word) for word in self.kept.out.split() if word.isdigit()]

    def kill(self) -> float:
        start = time.monotonic()
        for action in self.context.interrupt():
            action()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()
        return time.monotonic() - start


def test_process_streams_are_told_apart_and_code_is_given(contexts: RunContextFactory) -> None:
    """SCR-062."""
    code, kept = run_shell(contexts.of(), "echo out; echo err >&2; exit 7")
    assert (code, kept.out, kept.err) == (7, "out\n", "err\n")


def test_process_starts_in_the_working_directory_with_its_environment(contexts: RunContextFactory) -> None:
    context = contexts.of()
    kept = Kept()
    PROCESS.run(context, command(context, "/bin/sh", "-c", 'pwd; echo "$A"', environment={"A": "b c"}), kept)
    assert kept.out == f"{context.working_directory}\nb c\n"


def test_process_arguments_are_never_read_by_a_shell(contexts: RunContextFactory) -> None:
    context, kept = contexts.of(), Kept()
    PROCESS.run(context, command(context, "/bin/echo", "$HOME; `id` 'x'"), kept)
    assert kept.out == "$HOME; `id` 'x'\n"


def test_process_gets_no_input(contexts: RunContextFactory) -> None:
    code, kept = run_shell(contexts.of(), "cat; echo end")
    assert (code, kept.out) == (0, "end\n")


def test_process_unknown_program_says_so(contexts: RunContextFactory) -> None:
    context = contexts.of()
    with pytest.raises(RunnerError, match=r"there is no program `/nowhere/sh`"):
        PROCESS.run(context, command(context, "/nowhere/sh", "-c", ""), Kept())


def test_process_environment_too_long_says_what_to_do(contexts: RunContextFactory) -> None:
    context = contexts.of()
    with pytest.raises(RunnerError, match=r"too long .*inputFiles"):
        PROCESS.run(context, command(context, "/bin/true", environment={"A": "x" * 200_000}), Kept())


def test_process_ended_by_a_signal_gives_its_number(contexts: RunContextFactory) -> None:
    assert run_shell(contexts.of(), "kill -KILL $$")[0] == -9


def test_process_killed_takes_grandchildren_with_it(contexts: RunContextFactory) -> None:
    """SCR-064, BEY-009."""
    running = Running(
        contexts.of(), f"sleep 300 & echo $!; sh -c 'sleep 301 & echo $!; : > begun; wait' & {BEGUN}; echo ready; wait"
    )
    pids = running.pids()
    assert len(pids) == 2
    assert running.kill() < PATIENCE
    assert not any(is_running(pid) for pid in pids)
    assert running.codes == [-15]


def test_process_killed_with_one_that_ignores_the_request_dies_all_the_same(contexts: RunContextFactory) -> None:
    running = Running(contexts.of(), "trap '' TERM; echo $$; echo ready; while :; do sleep 0.1; done")
    assert running.kill() < PATIENCE
    assert not is_running(running.pids()[0])
    assert running.codes == [-9]


def test_process_killed_may_clean_up_first(contexts: RunContextFactory) -> None:
    running = Running(contexts.of(), "trap 'echo tidy; exit 3' TERM; echo ready; while :; do sleep 0.05; done")
    running.kill()
    assert running.codes == [3]
    assert running.kept.out.endswith("tidy\n")


def test_process_killed_takes_those_that_left_the_group_too(contexts: RunContextFactory) -> None:
    text = "setsid sh -c 'echo $$; exec sleep 300' & setsid sh -c 'sleep 301 & echo $!' ; sleep 0.2; echo ready; wait"
    running = Running(contexts.of(), text)
    pids = running.pids()
    assert len(pids) == 2
    assert running.kill() < PATIENCE
    assert not any(is_running(pid) for pid in pids)


def test_process_killed_takes_those_too_that_hide_all_signs(contexts: RunContextFactory) -> None:
    text = f"env -i setsid sh -c 'echo $$; sleep 300 & echo $!; : > begun; wait' & {BEGUN}; echo ready; wait"
    running = Running(contexts.of(), text)
    pids = running.pids()
    assert len(pids) == 2
    assert running.kill() < PATIENCE
    assert not any(is_running(pid) for pid in pids)


def test_process_streams_held_by_somebody_unknown_do_not_hold_it_up(contexts: RunContextFactory) -> None:
    """BEY-009: what could not be ended is told, and marks the attempt."""
    context = contexts.of()
    start = time.monotonic()
    code, kept = run_shell(context, "env -i setsid sh -c 'sh -c \"echo \\$\\$; exec sleep 300\" &' ; sleep 0.3; exit 4")
    try:
        assert code == 4
        assert time.monotonic() - start < PATIENCE
        assert ("ERROR", "some processes of the commands could not be ended and may still run") in messages_of(context)
        assert context.is_unconfirmed
        assert context.left == (f"process {int(kept.out)} on {socket.gethostname()}",)
    finally:
        os.kill(int(kept.out), signal.SIGKILL)


def test_process_leaving_others_behind_ends_them_and_says_so(contexts: RunContextFactory) -> None:
    context = contexts.of()
    code, kept = run_shell(context, "sleep 300 >/dev/null 2>&1 & echo $!")
    assert code == 0
    assert not is_running(int(kept.out))
    assert [level for level, text in messages_of(context) if "still ran" in text] == ["WARN"]


def test_process_daemon_that_keeps_the_streams_open_does_not_hold_it_up(contexts: RunContextFactory) -> None:
    context = contexts.of()
    start = time.monotonic()
    code, kept = run_shell(context, "setsid sleep 300 & sleep 0.1; echo done")
    assert (code, kept.out) == (0, "done\n")
    assert time.monotonic() - start < PATIENCE
    assert [level for level, text in messages_of(context) if "still ran" in text] == ["WARN"]


def test_process_that_closes_its_streams_is_waited_for(contexts: RunContextFactory) -> None:
    context = contexts.of()
    code, _ = run_shell(context, "exec >&- 2>&-; sleep 0.4; touch late; exit 5")
    assert code == 5
    assert (context.working_directory / "late").exists()
    assert messages_of(context) == []


def test_process_helper_that_ends_just_after_is_let_be(contexts: RunContextFactory) -> None:
    context = contexts.of()
    code, kept = run_shell(context, "(sleep 0.3; echo late) & echo early")
    assert (code, kept.out) == (0, "early\nlate\n")
    assert messages_of(context) == []


def test_process_much_output_arrives_whole_and_in_order(contexts: RunContextFactory) -> None:
    context, kept = contexts.of(), Kept()
    script = "import sys\nfor n in range(200_000): print(n)\nprint('e' * 100_000, file=sys.stderr)"
    assert PROCESS.run(context, command(context, sys.executable, "-c", script), kept) == 0
    assert kept.out == "".join(f"{n}\n" for n in range(200_000))
    assert len(kept.err) == 100_001


def test_process_output_arrives_while_it_runs(contexts: RunContextFactory) -> None:
    """SCR-032."""
    running = Running(contexts.of(), "echo ready; sleep 300")
    assert not running.codes
    running.kill()


def test_process_sink_that_fails_ends_the_command(contexts: RunContextFactory) -> None:
    context = contexts.of()
    found: list[int] = []

    class Broken(Kept):
        def write(self, stream: Stream, data: bytes) -> None:
            found.append(int(data))
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk"):
        PROCESS.run(context, command(context, "/bin/sh", "-c", "echo $$; exec sleep 300"), Broken())
    assert not is_running(found[0])


def test_process_killed_before_it_started_ends_at_once(contexts: RunContextFactory) -> None:
    context = contexts.of()
    context.interrupt()
    start = time.monotonic()
    assert run_shell(context, "sleep 300")[0] == -15
    assert time.monotonic() - start < PATIENCE


def test_process_leaves_no_descriptors_and_no_zombies(contexts: RunContextFactory) -> None:
    context = contexts.of()
    run_shell(context, "true")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        run_shell(context, "echo x; exit 1")
    assert len(os.listdir("/proc/self/fd")) == before
    assert not [pid for pid in children() if not is_running(pid)]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what Linux alone has: macOS has no `/proc`, and its Python waits in one way only."""
    monkeypatch.setattr(family, "_PROC", tmp_path / "proc")
    monkeypatch.setattr(orphans, "_BOOT", tmp_path / "proc" / "boot_id")
    monkeypatch.delattr(os, "waitid")


@pytest.mark.usefixtures("elsewhere")
def test_process_without_what_linux_alone_has_ends_with_its_code(contexts: RunContextFactory) -> None:
    """SCR-065."""
    context = contexts.of()
    code, kept = run_shell(context, "echo out; echo err >&2; exit 7")
    assert (code, kept.out, kept.err) == (7, "out\n", "err\n")
    assert messages_of(context) == []


@pytest.mark.usefixtures("elsewhere")
def test_process_without_what_linux_alone_has_is_killed_with_its_group(contexts: RunContextFactory) -> None:
    """SCR-065, SCR-064."""
    running = Running(contexts.of(), "sleep 300 & echo $! $$ ready; wait")
    pids = running.pids()
    running.kill()
    assert running.codes == [-signal.SIGTERM]
    assert not any(map(is_running, pids))


@pytest.mark.usefixtures("elsewhere")
def test_process_without_what_linux_alone_has_ends_what_is_left_in_its_group(contexts: RunContextFactory) -> None:
    """SCR-065, BEY-009."""
    context = contexts.of()
    _, kept = run_shell(context, "sleep 300 >/dev/null 2>&1 & echo $!")
    assert not is_running(int(kept.out))
    [(level, text)] = messages_of(context)
    assert (level, "still ran" in text) == ("WARN", True)
