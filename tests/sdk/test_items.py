"""What the SDK gives authors beside tasks: items, constraints, calls."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Annotated, Any

import httpx
import pytest
from pydantic import BaseModel, Field, ValidationError

from penstock.model.registry import TypeEntry
from penstock.model.schema import type_schema
from penstock.sdk import Data, Property, RunContext, Task, constraint
from penstock.sdk.http import http_client
from penstock.sdk.items import FileTaskError, items_of
from penstock.testing.run_context import RunContextFactory


class Row(BaseModel):
    prop1: str
    number: int = 0


class Load(Task):
    """Load rows."""

    type_name = "org.example.Load"

    data: Data[Row] = Field(description="The rows.")

    def run(self, context: RunContext) -> dict[str, Any]:
        return {"rows": [(row.prop1, row.number) for row in self.data.items(context)]}


class Timed(Task):
    """Wait for a time."""

    type_name = "org.example.Timed"

    cron: Property[Annotated[str, constraint(lambda text: len(text.split()) == 5, "invalid cron ({validatedValue})")]]


@pytest.fixture
def contexts() -> Iterator[RunContextFactory]:
    with RunContextFactory() as factory:
        yield factory


def load(**data: Any) -> Load:
    return Load.model_validate({"id": "l", "type": Load.type_name, "data": data})


def test_data_is_given_as_a_file_a_map_or_a_list(contexts: RunContextFactory) -> None:
    """PLG-022."""
    context = contexts.of(
        {"x": "a", "uri": "nsfile:///rows.ion"}, files={"nsfile:///rows.ion": b'{prop1:"a",number:1}\n'}
    )
    assert load(fromURI="{{ uri }}").run(context) == {"rows": [("a", 1)]}
    assert load(fromMap={"prop1": "{{ x }}"}).run(context) == {"rows": [("a", 0)]}
    assert load(fromList=[{"prop1": "{{ x }}"}, {"prop1": "b", "number": "2"}]).run(context) == {
        "rows": [("a", 0), ("b", 2)]
    }
    schema = type_schema(TypeEntry.of(Load))
    assert any("fromURI" in part.get("properties", {}) for part in schema["definitions"].values())


def test_data_given_twice_or_not_at_all_is_refused() -> None:
    """PLG-022."""
    for data in ({}, {"fromMap": {"prop1": "a"}, "fromList": []}):
        with pytest.raises(ValidationError, match="exactly one of `fromURI`"):
            load(**data)


def test_items_that_do_not_fit_are_told_by_number(contexts: RunContextFactory) -> None:
    """PLG-022."""
    with pytest.raises(FileTaskError, match="item 2 does not fit: `prop1`: Field required"):
        load(fromList=[{"prop1": "a"}, {"number": 1}]).run(contexts.of())


@pytest.mark.parametrize("given", ["nsfile:///rows.ion", {"a": 1}, [{"a": 1}], '{"a": 1}', '[{"a": 1}]'])
def test_items_of_one_property_may_be_given_in_any_way(contexts: RunContextFactory, given: Any) -> None:
    """PLG-022: the form in which one property `from` takes all of them."""
    context = contexts.of(files={"nsfile:///rows.ion": b"{a:1}"})
    assert list(items_of(context, given, dict)) == [{"a": 1}]


def test_constraint_says_what_is_wrong_when_read_and_when_rendered(contexts: RunContextFactory) -> None:
    """PLG-017."""
    with pytest.raises(ValidationError, match=r"invalid cron \(daily\)"):
        Timed.model_validate({"id": "t", "type": Timed.type_name, "cron": "daily"})
    task = Timed.model_validate({"id": "t", "type": Timed.type_name, "cron": "{{ x }}"})
    with pytest.raises(Exception, match=r"`cron`: Value error, invalid cron \(weekly\)"):
        contexts.of({"x": "weekly"}, task=task).render(task.cron)
    assert contexts.of({"x": "0 9 * * 1"}, task=task).render(task.cron) == "0 9 * * 1"


class Moved(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(302 if self.path == "/" else 200)
        self.send_header("Location", "/there")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


def test_client_of_a_task_follows_redirects(contexts: RunContextFactory) -> None:
    """PLG-028."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Moved) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        with http_client(contexts.of(), base_url=f"http://127.0.0.1:{server.server_port}") as client:
            assert client.get("/").url.path == "/there"
        server.shutdown()


def test_client_of_a_killed_task_waits_no_longer(contexts: RunContextFactory) -> None:
    """PLG-028, BEY-004."""
    context = contexts.of()
    with socket.create_server(("127.0.0.1", 0)) as silent, http_client(context) as client:

        def kill() -> None:
            connection, _ = silent.accept()
            with connection:
                connection.recv(1)
                for action in context.interrupt():
                    action()

        threading.Thread(target=kill, daemon=True).start()
        with pytest.raises(httpx.HTTPError):
            client.get(f"http://127.0.0.1:{silent.getsockname()[1]}")
