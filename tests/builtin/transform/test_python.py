"""Files changed by a script, run in a worker's context with a real process."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from penstock.builtin.storage.rows import FileTaskError
from penstock.builtin.transform.python import FileTransform, TransformFailed
from penstock.testing.run_context import RunContextFactory, messages_of

ITEMS = b'{name:"a",price:1.50,day:2026-01-31}\n{name:"b",price:2,day:null}\n'


def transform(context: Any, script: str, content: bytes = ITEMS) -> str:
    uri = context.put_bytes(content, "items.ion")
    task = FileTransform.model_validate({"id": "t", "type": FileTransform.type_name, "from": uri, "script": script})
    return task.run(context).uri


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("row['price'] = row['price'] * 2", b'{name:"a",price:3.0,day:"2026-01-31"}\n{name:"b",price:4,day:null}\n'),
        ("if row['name'] == 'a':\n  row = None", b'{name:"b",price:2,day:null}\n'),
        ("row = row['name']", b'"a"\n"b"\n'),
        ("rows = [1, 2] if row['day'] else []", b"1\n2\n"),
        ("print('aside')\nrow = 'é'", '"é"\n"é"\n'.encode()),
        ("import math\nrow = math.floor(row['price'])", b"1\n2\n"),
    ],
)
def test_script_changes_and_drops_items(contexts: RunContextFactory, script: str, expected: bytes) -> None:
    """ENG-339."""
    assert contexts.gateway.files[transform(contexts.of(), script)] == expected


def test_script_is_rendered_and_logs(contexts: RunContextFactory) -> None:
    """ENG-339."""
    context = contexts.of({"least": 2})
    transform(context, "logger.info('seen {}', row['name'])\nrow = row if row['price'] >= {{ least }} else None")
    assert [line for line in messages_of(context) if "seen" in line[1]] == [("INFO", "seen a"), ("INFO", "seen b")]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("row['none']", "fails for item 1: KeyError: 'none'"),
        ("if", "the script has ended: (?s:.*)SyntaxError"),
        ("import os\nos._exit(3)", "the script has ended"),
        ("logger.shout('x')", "no level shout"),
    ],
)
def test_script_that_fails_fails_the_task(contexts: RunContextFactory, script: str, message: str) -> None:
    """ENG-339."""
    with pytest.raises(TransformFailed, match=message):
        transform(contexts.of(), script)


def test_script_that_hangs_is_ended_by_a_kill(contexts: RunContextFactory) -> None:
    """ENG-339, BEY-004."""
    context = contexts.of()

    def kill() -> None:
        for action in context.interrupt():
            action()

    timer = threading.Timer(1.0, kill)
    timer.start()
    with pytest.raises(FileTaskError, match="stopped"):
        transform(context, "while True: pass")
    timer.join()
