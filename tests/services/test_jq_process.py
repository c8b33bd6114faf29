"""jq programs in processes that may be lost; all processes are real."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from penstock.expressions import ExpressionError, LimitExceededError
from penstock.services.jq_process import JqProcesses
from tests.support.waiting import PATIENCE


@pytest.fixture
def processes() -> Iterator[JqProcesses]:
    made = JqProcesses()
    yield made
    made.close()


def test_program_in_a_process_gives_its_results(processes: JqProcesses) -> None:
    assert processes("reduce .[] as $n (0; . + $n), length", "[1, 2, 3]", PATIENCE) == [6, 3]


def test_program_that_never_ends_is_stopped_in_time(processes: JqProcesses) -> None:
    started = time.monotonic()
    with pytest.raises(LimitExceededError, match=r"longer than 0\.5 s"):
        processes("def f: f; f", "1", 0.5)
    assert time.monotonic() - started < PATIENCE
    assert processes("def f: 2; f", "1", PATIENCE) == [2]


def test_program_that_nests_values_until_the_library_crashes_is_an_error(processes: JqProcesses) -> None:
    with pytest.raises(LimitExceededError, match="too deeply"):
        processes("reduce range(100000) as $i (0; [.])", "1", PATIENCE)
    assert processes("def f: 2; f", "1", PATIENCE) == [2]


def test_program_that_takes_too_much_memory_is_an_error() -> None:
    processes = JqProcesses(memory=256 * 1024**2)
    with pytest.raises(LimitExceededError, match="too much"):
        processes("[range(100000000)] | length", "1", PATIENCE)
    processes.close()


def test_program_with_too_many_results_is_an_error(processes: JqProcesses) -> None:
    with pytest.raises(LimitExceededError, match="too long"):
        processes("range(1000002)", "1", PATIENCE)


@pytest.mark.parametrize(
    ("program", "text", "reason"),
    [
        (".[", "1", "malformed"),
        ("def f: .a; f", "1", "Cannot index number"),
        ("def f: .; f", "x", "no JSON"),
    ],
)
def test_program_that_fails_gives_its_reason(processes: JqProcesses, program: str, text: str, reason: str) -> None:
    with pytest.raises(ExpressionError, match=reason):
        processes(program, text, PATIENCE)


def test_program_sees_no_variables_of_the_server(processes: JqProcesses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_TEST", "leak")
    assert processes("def e: env; e, $ENV", "1", PATIENCE) == [{}, {}]


def test_process_that_was_killed_while_idle_is_replaced(processes: JqProcesses) -> None:
    assert processes("def f: 2; f", "1", PATIENCE) == [2]
    helper = processes._idle.get_nowait()
    os.kill(helper._process.pid, signal.SIGKILL)
    helper._process.wait()
    processes._idle.put(helper)
    assert processes("def f: 3; f", "1", PATIENCE) == [3]


def test_programs_of_many_threads_share_few_processes(processes: JqProcesses) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: processes(f"def f: {n}; f", "1", 60.0), range(40)))
    assert found == [[n] for n in range(40)]
    assert processes._idle.qsize() <= 2


def test_processes_that_are_closed_still_answer_but_keep_none(processes: JqProcesses) -> None:
    processes.close()
    assert processes("def f: 2; f", "1", PATIENCE) == [2]
    assert processes._idle.empty()
