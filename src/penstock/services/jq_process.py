"""Programs of the filter `jq` that may not end, in processes that may be lost.

Run as `python -m penstock.services.jq_process` this module is such a process: it answers requests on its standard
input, each a length and JSON, until its input ends.
"""

from __future__ import annotations

import json
import os
import queue
import resource
import select
import struct
import subprocess
import sys
import threading
import time
from typing import IO, Any

from penstock.expressions import DEFAULT, ExpressionError, LimitExceededError
from penstock.expressions.jq_programs import run_program

_LENGTH = struct.Struct(">I")
_PIECE = 1024 * 1024
_MEMORY = 1024**3
_LARGEST = 128 * 1024**2
_LARGE = "the jq program makes or reads too much, or values nested too deeply"


class JqProcesses:
    """Runs programs, each in one of a few processes that are started when needed. Safe to share between threads.

    Implements EXP-087, EXP-014 for `jq`.

    Args:
        most: How many run at once.
        memory: Bytes of address space of each.
    """

    def __init__(self, most: int = 2, memory: int = _MEMORY) -> None:
        self._memory = memory
        self._places = threading.BoundedSemaphore(most)
        self._idle: queue.SimpleQueue[_Helper] = queue.SimpleQueue()
        self._is_closed = False

    def __call__(self, program: str, text: str, seconds: float) -> list[Any]:
        """Return the results of a program for an input in JSON.

        Raises:
            LimitExceededError: It takes too long or too much memory.
            ExpressionError: It is malformed, or fails.
        """
        deadline = time.monotonic() + seconds
        if not self._places.acquire(timeout=seconds):
            raise LimitExceededError(f"other jq programs took the {seconds:g} s that this one may take")
        try:
            return self._run(program, text, seconds, deadline)
        finally:
            self._places.release()

    def close(self) -> None:
        """End the processes that wait for work; from now on none is kept."""
        self._is_closed = True
        while (helper := self._waiting()) is not None:
            helper.end()

    def _run(self, program: str, text: str, seconds: float, deadline: float) -> list[Any]:
        request = json.dumps({"program": program, "text": text, "seconds": seconds}).encode()
        if len(request) > _LARGEST:
            raise LimitExceededError(_LARGE)
        helper = self._waiting() or _Helper(self._memory)
        is_well = False
        try:
            answer = helper.ask(request, deadline)
            is_well = True
        except TimeoutError:
            raise LimitExceededError(
                f"the jq program took longer than {seconds:g} s", hint="does it call itself, or loop without end?"
            ) from None
        except (EOFError, BrokenPipeError):
            raise LimitExceededError(_LARGE, hint="look for a loop that collects what it makes") from None
        finally:
            if is_well and not self._is_closed:
                self._idle.put(helper)
            else:
                helper.end()
        return _results(answer)

    def _waiting(self) -> _Helper | None:
        """Return a process that waits for work; None when there is none."""
        while True:
            try:
                helper = self._idle.get_nowait()
            except queue.Empty:
                return None
            if helper.is_alive:
                return helper
            helper.end()


class _Helper:
    """One process, seen from outside."""

    def __init__(self, memory: int) -> None:
        # It gets nothing of the server's environment, where secrets are, but the way to its modules.
        environment = {name: os.environ[name] for name in ("PYTHONPATH", "LD_LIBRARY_PATH") if name in os.environ}
        self._process = subprocess.Popen(  # noqa: S603  # our own module
            [sys.executable, "-m", "penstock.services.jq_process", str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # an interrupt at the keyboard is for the server
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._in, False)

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: bytes, deadline: float) -> Any:
        """Return the answer; raises TimeoutError, or EOFError when the process ends over it."""
        rest = memoryview(_LENGTH.pack(len(request)) + request)
        while rest:
            _wait(self._in, select.POLLOUT, deadline)
            rest = rest[os.write(self._in, rest[:_PIECE]) :]
        (length,) = _LENGTH.unpack(self._read(_LENGTH.size, deadline))
        return json.loads(self._read(length, deadline))

    def end(self) -> None:
        with self._process:  # closes the pipes and waits
            self._process.kill()

    def _read(self, size: int, deadline: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            _wait(self._out, select.POLLIN, deadline)
            piece = os.read(self._out, min(_PIECE, size - len(data)))
            if not piece:
                raise EOFError
            data += piece
        return bytes(data)


def _wait(file: int, event: int, deadline: float) -> None:
    poll = select.poll()  # select.select() takes no large file numbers
    poll.register(file, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError


def _results(answer: Any) -> list[Any]:
    if "results" in answer:
        results: list[Any] = answer["results"]
        return results
    kind = LimitExceededError if answer["is_limit"] else ExpressionError
    raise kind(answer["reason"], hint=answer["hint"])


# -- inside the process


def main(memory: int, requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer requests until there are no more."""
    _limit(resource.RLIMIT_AS, memory)
    _limit(resource.RLIMIT_CORE, 0)
    while len(head := requests.read(_LENGTH.size)) == _LENGTH.size:
        request = json.loads(requests.read(*_LENGTH.unpack(head)))
        # A server that was killed kills nobody: then the limit of the processor time ends a program.
        _limit(resource.RLIMIT_CPU, int(time.process_time() + request["seconds"]) + 2)
        answer = _answer(request["program"], request["text"])
        answers.write(_LENGTH.pack(len(answer)) + answer)
        answers.flush()


def _answer(program: str, text: str) -> bytes:
    try:
        answer = json.dumps({"results": run_program(program, text, DEFAULT.elements)}).encode()
    except ExpressionError as error:
        return _refusal(error.reason, error.hint, is_limit=isinstance(error, LimitExceededError))
    except (MemoryError, RecursionError):
        return _refusal(_LARGE, None, is_limit=True)
    return answer if len(answer) <= _LARGEST else _refusal(_LARGE, None, is_limit=True)


def _refusal(reason: str, hint: str | None, *, is_limit: bool) -> bytes:
    return json.dumps({"reason": reason, "hint": hint, "is_limit": is_limit}).encode()


def _limit(kind: int, amount: int) -> None:
    """Set the limit that can be raised again; where the machine sets a lower one, that one holds."""
    _, highest = resource.getrlimit(kind)
    resource.setrlimit(kind, (amount if highest == resource.RLIM_INFINITY else min(amount, highest), highest))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.stdin.buffer, sys.stdout.buffer)
