"""Expression functions that need the outside, on real stores and a real HTTP server."""

import base64
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from amazon.ion import simpleion

from penstock.base.clock import SECOND, SystemClock
from penstock.base.errors import InvalidRequestError, NotFoundError, UnauthorizedError, UnavailableError
from penstock.engine.records import Execution, LogLine
from penstock.ports.keyvalue import KeyValue
from penstock.secrets import EnvironmentSecrets
from penstock.services.file_access import Caller, FileAccess, namespace_file
from penstock.services.functions import FunctionError, ServerFunctions
from penstock.services.worker.working_files import allowed_host_file
from penstock.storage import LocalStorage
from penstock.store import Store, open_store

CALLER = Caller("main", "company.team", "flow", "e1")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(f"sqlite:///{tmp_path / 'test.db'}", SystemClock())
    yield opened
    await opened.close()


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "storage")


@pytest.fixture
def functions(store: Store, storage: LocalStorage, tmp_path: Path) -> ServerFunctions:
    secrets = {"TOKEN": "hunter2", "JSON": json.dumps({"user": "ada", "port": 5})}
    encoded = {f"SECRET_{key}": base64.b64encode(value.encode()).decode() for key, value in secrets.items()}
    return ServerFunctions(
        secrets=EnvironmentSecrets(encoded),
        key_values=store.key_values,
        files=FileAccess(storage, store.queries),
        queries=store.queries,
        jobs=store.jobs,
        clock=SystemClock(),
        host_file=lambda uri: allowed_host_file(uri, [tmp_path / "allowed"]),
    )


async def call(functions: ServerFunctions, function: str, **arguments: Any) -> Any:
    return await functions.call(CALLER, function, arguments)


async def put(store: Store, key: str, kind: str, value: Any, **about: Any) -> None:
    now = SystemClock().now()
    namespace = about.pop("namespace", "company.team")
    await store.key_values.put("main", KeyValue(namespace, key, kind, value, 0, now, now, **about))


async def test_secret_known_is_returned(functions: ServerFunctions) -> None:
    """EXP-144, ENG-372."""
    assert await call(functions, "secret", key="TOKEN") == "hunter2"


async def test_secret_subkey_is_one_field_of_its_json(functions: ServerFunctions) -> None:
    """EXP-144."""
    assert await call(functions, "secret", key="JSON", subkey="user") == "ada"
    assert await call(functions, "secret", key="JSON", subkey="port") == "5"
    with pytest.raises(NotFoundError, match="no subkey `pass`"):
        await call(functions, "secret", key="JSON", subkey="pass")
    with pytest.raises(FunctionError) as caught:
        await call(functions, "secret", key="TOKEN", subkey="user")
    assert "hunter2" not in str(caught.value)


async def test_secret_missing_names_its_key_and_where_it_was_looked_for(functions: ServerFunctions) -> None:
    """MIG-042, BEY-060."""
    with pytest.raises(NotFoundError, match=r"no secret `OTHER`.*SECRET_OTHER"):
        await call(functions, "secret", key="OTHER")


@pytest.mark.parametrize(
    ("kind", "value"), [("STRING", "text"), ("NUMBER", 1.5), ("JSON", {"a": [1]}), ("BOOLEAN", True)]
)
async def test_kv_value_keeps_its_type(functions: ServerFunctions, store: Store, kind: str, value: object) -> None:
    """EXP-148, ENG-400."""
    await put(store, "k", kind, value)
    assert await call(functions, "kv", key="k", namespace=None, errorOnMissing=True) == value


async def test_kv_of_another_namespace_is_asked_for_by_name(functions: ServerFunctions, store: Store) -> None:
    """EXP-148."""
    await put(store, "k", "STRING", "parent's", namespace="company")
    assert await call(functions, "kv", key="k", namespace="company") == "parent's"
    with pytest.raises(NotFoundError, match=r"`k` in the key-value store of namespace company\.team"):
        await call(functions, "kv", key="k", namespace=None, errorOnMissing=True)


async def test_kv_missing_or_expired_is_null_when_allowed(functions: ServerFunctions, store: Store) -> None:
    """EXP-148, MIG-042."""
    await put(store, "old", "STRING", "x", expires=SystemClock().now() - SECOND)
    assert await call(functions, "kv", key="none", errorOnMissing=False) is None
    assert await call(functions, "kv", key="old", errorOnMissing=False) is None


async def test_read_namespace_file_by_every_spelling(functions: ServerFunctions, storage: LocalStorage) -> None:
    """EXP-146, ENG-343, ENG-347, ENG-348, ENG-393, ENG-419."""
    await storage.put("main", namespace_file("company.team", "sql/q.sql"), b"select 1")
    await storage.put("main", namespace_file("other.ns", "q.sql"), b"select 2")
    for path in ("sql/q.sql", "/sql/q.sql", "nsfile:///sql/q.sql", "nsfile://company.team/sql/q.sql", ["sql/q.sql"]):
        assert await call(functions, "read", path=path) == "select 1"
    assert await call(functions, "read", path="q.sql", namespace="other.ns") == "select 2"
    assert await call(functions, "read", path="nsfile://other.ns/q.sql") == "select 2"


async def test_read_namespace_file_is_not_looked_for_in_the_parent(
    functions: ServerFunctions, storage: LocalStorage
) -> None:
    """ENG-345."""
    await storage.put("main", namespace_file("company", "q.sql"), b"x")
    with pytest.raises(NotFoundError):
        await call(functions, "read", path="nsfile:///q.sql")


async def test_read_own_file_and_not_that_of_another_execution(
    functions: ServerFunctions, storage: LocalStorage
) -> None:
    """ENG-333."""
    own = await storage.put("main", "/company/team/flow/executions/e1/tasks/t/r/f.txt", b"mine")
    foreign = await storage.put("main", "/company/team/flow/executions/e11/tasks/t/r/f.txt", b"theirs")
    assert await call(functions, "read", path=own) == "mine"
    for function, name in (("read", "path"), ("fileSize", "uri"), ("fileExists", "uri")):
        with pytest.raises(UnauthorizedError):
            await call(functions, function, **{name: foreign})


@pytest.mark.parametrize("path", ["../e2/f", "nsfile:///../x", "kestra:///company/team/flow/executions/e1/../e2/f"])
async def test_read_path_that_climbs_is_refused(functions: ServerFunctions, path: str) -> None:
    with pytest.raises(InvalidRequestError):
        await call(functions, "read", path=path)


async def test_read_file_that_is_no_text_says_so(functions: ServerFunctions, storage: LocalStorage) -> None:
    await storage.put("main", namespace_file("company.team", "image.png"), b"\x89PNG\xff")
    with pytest.raises(FunctionError, match="not text"):
        await call(functions, "read", path="image.png")


async def test_read_binary_ion_as_text(functions: ServerFunctions, storage: LocalStorage) -> None:
    """EXP-146, EXP-153."""
    rows = simpleion.dumps([{"id": 1, "name": "Ada"}, {"id": 2}], sequence_as_stream=True)
    await storage.put("main", namespace_file("company.team", "rows.ion"), bytes(rows))
    assert await call(functions, "read", path="rows.ion") == '{id:1,name:"Ada"}\n{id:2}\n'


async def test_read_host_file_only_from_allowed_folders(functions: ServerFunctions, tmp_path: Path) -> None:
    """ENG-346."""
    (tmp_path / "allowed").mkdir()
    (tmp_path / "allowed/a b.txt").write_text("yes")
    (tmp_path / "private.txt").write_text("no")
    (tmp_path / "allowed/link").symlink_to(tmp_path / "private.txt")
    assert await call(functions, "read", path=f"file://{tmp_path}/allowed/a%20b.txt") == "yes"
    assert await call(functions, "fileSize", uri=f"file://{tmp_path}/allowed/a%20b.txt") == 3
    for path in ("private.txt", "allowed/../private.txt", "allowed/link"):
        with pytest.raises(UnauthorizedError, match=r"is not authorized\. Only files inside the working directory"):
            await call(functions, "read", path=f"file://{tmp_path}/{path}")


async def test_file_functions_tell_of_files_that_exist_and_not(
    functions: ServerFunctions, storage: LocalStorage
) -> None:
    """EXP-147, EXP-171."""
    await storage.put("main", namespace_file("company.team", "f"), b"abc")
    await storage.put("main", namespace_file("company.team", "empty"), b"")
    assert await call(functions, "fileURI", path="f") == "kestra:///company/team/_files/f"
    assert await call(functions, "read", path="kestra:///company/team/_files/f") == "abc"
    assert await call(functions, "fileSize", uri="f") == 3
    assert await call(functions, "isFileEmpty", uri="f") is False
    assert await call(functions, "isFileEmpty", uri="empty") is True
    assert await call(functions, "fileExists", uri="f") is True
    assert await call(functions, "fileExists", uri="missing") is False
    for function, name in (("fileURI", "path"), ("fileSize", "uri"), ("isFileEmpty", "uri"), ("read", "path")):
        with pytest.raises(NotFoundError):
            await call(functions, function, **{name: "missing"})


async def test_error_logs_are_those_of_the_execution_at_error(functions: ServerFunctions, store: Store) -> None:
    """EXP-157."""
    assert await call(functions, "errorLogs") == []
    lines = [
        LogLine("main", "company.team", "flow", 1_700_000_000_000_000 + n, level, f"line {n}", execution_id=execution)
        for n, (level, execution) in enumerate([("INFO", "e1"), ("ERROR", "e1"), ("ERROR", "e2"), ("ERROR", "e1")])
    ]
    await store.journal.send([], logs=lines)
    found = await call(functions, "errorLogs")
    assert [(entry["message"], entry["level"]) for entry in found] == [("line 1", "ERROR"), ("line 3", "ERROR")]
    assert found[0]["timestamp"] == "2023-11-14T22:13:20.000001Z"


async def test_random_port_is_free(functions: ServerFunctions) -> None:
    """EXP-169."""
    assert 1024 <= await call(functions, "randomPort") <= 65535


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._reply()

    def do_POST(self) -> None:
        self._reply()

    def _reply(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        names = ("Accept", "Content-Type", "Authorization")
        told = {
            "method": self.command,
            "path": self.path,
            "body": body,
            "headers": {name: self.headers[name] for name in names if name in self.headers},
        }
        status = 500 if self.path == "/broken" else 200
        text = b"plain" if self.path == "/text" else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if self.path == "/text" else "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    with contextlib.closing(running.socket):
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


async def test_http_answer_in_json_is_parsed(functions: ServerFunctions, server: str) -> None:
    """EXP-170."""
    told = await call(functions, "http", uri=f"{server}/x", query={"a": "b c"})
    assert (told["method"], told["path"]) == ("GET", "/x?a=b+c")
    assert told["headers"]["Accept"] == "application/json"
    assert await call(functions, "http", uri=f"{server}/text") == "plain"


async def test_http_method_body_and_headers_are_sent(functions: ServerFunctions, server: str) -> None:
    """EXP-170."""
    told = await call(
        functions, "http", uri=server, method="POST", body={"n": 1}, headers={"Authorization": "Bearer x"}
    )
    assert (told["method"], json.loads(told["body"])) == ("POST", {"n": 1})
    assert told["headers"]["Content-Type"] == "application/json"
    assert told["headers"]["Authorization"] == "Bearer x"


async def test_http_failure_names_the_status_or_the_reason(functions: ServerFunctions, server: str) -> None:
    """EXP-170."""
    with pytest.raises(FunctionError, match="status 500"):
        await call(functions, "http", uri=f"{server}/broken")
    with pytest.raises(UnavailableError, match="does not answer"):
        await call(functions, "http", uri="http://127.0.0.1:1/")


async def test_function_unknown_is_refused_by_name(functions: ServerFunctions) -> None:
    with pytest.raises(InvalidRequestError, match="`format_disk`"):
        await call(functions, "format_disk")


@pytest.mark.parametrize("key", [None, "", 5])
async def test_argument_that_is_no_text_is_refused_by_name(functions: ServerFunctions, key: object) -> None:
    with pytest.raises(InvalidRequestError, match="`key`"):
        await call(functions, "kv", key=key)


async def test_answer_speaks_for_an_execution(functions: ServerFunctions, store: Store) -> None:
    execution = Execution("e1", "main", "company.team", "flow", 1, 0, "e1", 0)
    await put(store, "k", "STRING", "x")
    assert await functions.answer(execution, "kv", {"key": "k"}) == "x"
