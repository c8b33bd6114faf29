"""What the process does that is forked for each command of the tests; see `tests.support.program`."""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import socket
import sys
import tempfile
import time
import warnings
from typing import Any

PRELOADED = (
    "penstock.cli.main",
    "penstock.cli.run.perform",
    "penstock.cli.test.command",
    "penstock.store.postgres",
    "penstock.store.postgres_notifier",
    "penstock.wiring.application",
    "penstock.wiring.server",
    "uvicorn",
)


def listen(number: int) -> None:
    """Fork for each request; return in the fork, and exit when nobody can ask any more."""
    for name in PRELOADED:
        importlib.import_module(name)
    for entry in importlib.import_module("penstock.wiring.plugins").builtin_types():
        entry.source.load()
    gc.freeze()
    requests = socket.socket(fileno=number)
    poll = select.poll()
    poll.register(requests, select.POLLIN)
    children: dict[int, tuple[int, socket.socket]] = {}
    while True:
        for ready, _ in poll.poll():
            if ready in children:
                poll.unregister(ready)
                _tell_end(*children.pop(ready))
                os.close(ready)
                continue
            body, streams, _, _ = socket.recv_fds(requests, 1 << 20, 4)
            if not body:
                os._exit(0)
            answers = socket.socket(fileno=streams.pop())
            child = os.fork()
            if child == 0:
                for one, (_, other) in children.items():
                    os.close(one)
                    other.close()
                requests.close()
                answers.close()
                _become(json.loads(body), streams)
                return
            for stream in streams:
                os.close(stream)
            answers.send(str(child).encode())
            watched = os.pidfd_open(child)
            children[watched] = (child, answers)
            poll.register(watched, select.POLLIN)


def _tell_end(child: int, answers: socket.socket) -> None:
    _, status = os.waitpid(child, 0)
    with answers:
        try:
            answers.send(str(os.waitstatus_to_exitcode(status)).encode())
        except OSError:
            return  # nobody waits for it


def _become(request: dict[str, Any], streams: list[int]) -> None:
    """Take on arguments, folder, environment and streams of the command."""
    for target, stream in enumerate(streams):
        os.dup2(stream, target)
        os.close(stream)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    time.tzset()
    tempfile.tempdir = None
    sys.argv = ["penstock", *request["arguments"]]
    if request["strict"]:
        warnings.simplefilter("error")
