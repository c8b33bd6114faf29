"""Files changed by a script in each language, run in a worker's context with a real process."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from penstock.builtin.transform.file_transform import FileTransform, ProgramMissing, TransformFailed
from penstock.builtin.transform.languages import (
    GroovyFileTransform,
    JavaScriptFileTransform,
    PythonFileTransform,
    RubyFileTransform,
)
from penstock.sdk.items import FileTaskError
from penstock.testing.run_context import RunContextFactory, messages_of
from tests.support.missing import missing

ITEMS = b'{name:"a",price:1.50,day:2026-01-31}\n{name:"b",price:2,day:null}\n'
LANGUAGES: Mapping[str, type[FileTransform]] = {
    "groovy": GroovyFileTransform,
    "js": JavaScriptFileTransform,
    "python": PythonFileTransform,
    "ruby": RubyFileTransform,
}


def transform(context: Any, language: str, script: str, content: bytes = ITEMS) -> str:
    kind = LANGUAGES[language]
    if shutil.which(kind.program) is None:
        missing(f"no {kind.program} found: run `make setup`")
    uri = context.put_bytes(content, "items.ion")
    task = kind.model_validate({"id": "t", "type": kind.type_name, "from": uri, "script": script})
    return task.run(context).uri


# One test does all that a language can: the start of some takes long.
@pytest.mark.parametrize(
    ("language", "script"),
    [
        (
            "groovy",
            (
                "println 'aside'\nlogger.info('seen {} of {}', row.name, {{ total }})\n"
                "if (row.name == 'a') row.price = row.price * 2\nelse if (row.name == 'b') rows = [1, row.name]\n"
                "else if (row.name == 'ü') row = 'é'\nelse row = null"
            ),
        ),
        (
            "js",
            (
                "console.log('aside')\nlogger.info('seen {} of {}', row['name'], {{ total }})\n"
                "if (row.name === 'a') row.price *= 2\nelse if (row.name === 'b') rows = [1, row.name]\n"
                "else if (row.name === 'ü') row = 'é'\nelse row = null"
            ),
        ),
        (
            "python",
            (
                "print('aside')\nlogger.info('seen {} of {}', row['name'], {{ total }})\n"
                "if row['name'] == 'a':\n  row['price'] *= 2\nelif row['name'] == 'b':\n  rows = [1, row['name']]\n"
                "elif row['name'] == 'ü':\n  row = 'é'\nelse:\n  row = None"
            ),
        ),
        (
            "ruby",
            (
                "puts 'aside'\nlogger.info('seen {} of {}', row['name'], {{ total }})\n"
                "case row['name']\nwhen 'a' then row['price'] *= 2\nwhen 'b' then rows = [1, row['name']]\n"
                "when 'ü' then row = 'é'\nelse row = nil\nend"
            ),
        ),
    ],
)
def test_script_changes_replaces_and_drops_items_and_logs(
    contexts: RunContextFactory, language: str, script: str
) -> None:
    """ENG-339."""
    context = contexts.of({"total": 4})
    content = ITEMS + '{name:"ü"}\n{name:"d"}\n'.encode()
    uri = transform(context, language, script, content)
    price = b"3" if language == "js" else b"3.00" if language == "groovy" else b"3.0"
    changed = b'{name:"a",price:' + price + b',day:"2026-01-31"}\n1\n"b"\n'
    assert contexts.gateway.files[uri] == changed + '"é"\n'.encode()
    lines = [line for line in messages_of(context) if "seen" in line[1]]
    assert lines == [("INFO", f"seen {name} of 4") for name in ("a", "b", "ü", "d")]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("import math\nrow = math.floor(row['price'])", b"1\n2\n"),
        ("rows = [1, 2] if row['day'] else []", b"1\n2\n"),
    ],
)
def test_script_in_python_may_do_what_python_can(contexts: RunContextFactory, script: str, expected: bytes) -> None:
    """ENG-339."""
    assert contexts.gateway.files[transform(contexts.of(), "python", script)] == expected


@pytest.mark.parametrize(
    ("language", "script", "message"),
    [
        ("python", "row['none']", "fails for item 1: KeyError: 'none'"),
        ("python", "if", "the script has ended: (?s:.*)SyntaxError"),
        ("python", "import os\nos._exit(3)", "the script has ended"),
        ("python", "logger.shout('x')", "no level shout"),
        ("js", "row.name = row.none.at", "fails for item 1: TypeError"),
        ("js", "if (", "the script has ended: (?s:.*)SyntaxError"),
        ("js", "return", "returned before its end"),
        ("ruby", "row['none'] + 1", "fails for item 1: NoMethodError"),
        ("ruby", "(", "the script has ended: (?s:.*)SyntaxError"),
        ("ruby", "next", "returned before its end"),
    ],
)
def test_script_that_fails_fails_the_task(
    contexts: RunContextFactory, language: str, script: str, message: str
) -> None:
    """ENG-339."""
    with pytest.raises(TransformFailed, match=message):
        transform(contexts.of(), language, script)


def test_script_whose_language_is_not_there_says_what_to_install(
    contexts: RunContextFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JavaScriptFileTransform, "program", "no-such-node")
    task = JavaScriptFileTransform.model_validate(
        {"id": "t", "type": JavaScriptFileTransform.type_name, "from": "kestra:///x", "script": "row = 1"}
    )
    with pytest.raises(ProgramMissing, match="no-such-node") as caught:
        task.run(contexts.of())
    assert "nodejs" in caught.value.hint


def test_script_that_hangs_is_ended_by_a_kill(contexts: RunContextFactory) -> None:
    """ENG-339, BEY-004."""
    context = contexts.of()

    def kill() -> None:
        for action in context.interrupt():
            action()

    timer = threading.Timer(1.0, kill)
    timer.start()
    with pytest.raises(FileTaskError, match="stopped"):
        transform(context, "python", "while True: pass")
    timer.join()
