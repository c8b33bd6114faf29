"""Triggers on rows, in every database and on a whole server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from penstock.builtin.jdbc.session import DatabaseError
from tests.builtin.jdbc.conftest import Database
from tests.builtin.polling.conftest import Polled
from tests.support.flows import RETURN, run_tasks
from tests.support.live import LiveServer


@pytest.fixture
def orders(database: Database) -> Database:
    """Give a database with two orders that nobody has seen."""
    database.run("Queries", "CREATE TABLE orders (id INTEGER, seen INTEGER); INSERT INTO orders VALUES (1, 0), (2, 0)")
    return database


UNSEEN = "SELECT id FROM orders WHERE seen = 0 ORDER BY id"
MARK = "UPDATE orders SET seen = 1 WHERE seen = 0"


def test_trigger_rows_there_hands_them_on_and_marks_them_when_that_is_certain(orders: Database) -> None:
    """ENG-309, ENG-307."""
    trigger = orders.make("Trigger", sql=UNSEEN, afterSQL=MARK)
    lost = trigger.poll(orders.contexts.of())
    lost.release()
    again = trigger.poll(orders.contexts.of())
    assert again.variables == lost.variables == {"rows": [{"id": 1}, {"id": 2}], "size": 2}
    again.acknowledge()
    assert trigger.poll(orders.contexts.of()) is None
    assert orders.rows("SELECT DISTINCT seen FROM orders") == [{"seen": 1}]


def test_trigger_fetch_types_decide_what_the_flow_reads(orders: Database) -> None:
    """ENG-309, ENG-323."""
    context = orders.contexts.of()

    def variables(**more: object) -> dict[str, object]:
        event = orders.make("Trigger", sql=UNSEEN, **more).poll(context)
        event.acknowledge()
        found: dict[str, object] = event.variables
        return found

    assert variables(fetchType="FETCH_ONE") == {"row": {"id": 1}, "size": 1}
    assert variables(fetchType="NONE") == {}
    stored = variables(store=True)
    assert stored["size"] == 2
    assert orders.stored(str(stored["uri"])) == [{"id": 1}, {"id": 2}]


def test_trigger_without_rows_starts_nothing(orders: Database) -> None:
    """ENG-309."""
    trigger = orders.make("Trigger", sql="SELECT 1 AS one FROM orders WHERE id > :id", parameters={"id": 5})
    assert trigger.poll(orders.contexts.of()) is None


def test_trigger_row_that_comes_between_is_neither_seen_nor_marked(database_of: Callable[[str], Database]) -> None:
    """ENG-309: query and `afterSQL` see the same rows."""
    database = database_of("postgresql")
    database.run("Queries", "CREATE TABLE orders (id INTEGER, seen INTEGER); INSERT INTO orders VALUES (1, 0)")
    slow = "SELECT pg_sleep(0.5); " + MARK
    dsn = database.properties["url"].removeprefix("jdbc:")
    with psycopg.connect(dsn, autocommit=True) as other:
        event = database.make("Trigger", sql=UNSEEN, afterSQL=slow).poll(database.contexts.of())
        other.execute("INSERT INTO orders VALUES (2, 0)")
        event.acknowledge()
    assert event.variables["rows"] == [{"id": 1}]
    assert database.rows("SELECT id FROM orders WHERE seen = 0") == [{"id": 2}]


def test_trigger_sql_that_is_wrong_says_so(database: Database) -> None:
    """ENG-269."""
    with pytest.raises(DatabaseError, match="nowhere"):
        database.make("Trigger", sql="SELECT * FROM nowhere").poll(database.contexts.of())


async def test_trigger_of_a_server_starts_its_flow_with_the_rows(
    polled: Polled, database_of: Callable[[str], Database]
) -> None:
    """ENG-309, ENG-268, ENG-270: the file belongs to the execution."""
    database = database_of("postgresql")
    database.run("Queries", "CREATE TABLE orders (id INTEGER, seen INTEGER); INSERT INTO orders VALUES (1, 0), (2, 0)")
    url = database.properties["url"]
    await polled.flow(
        f"type: io.kestra.plugin.jdbc.postgresql.Trigger, url: '{url}', interval: PT0.2S, sql: '{UNSEEN}', "
        f"afterSQL: '{MARK}', fetchType: STORE",
        task='{id: show, type: io.kestra.plugin.core.debug.Return, format: "{{ read(trigger.uri) }}"}',
    )
    (execution,) = await polled.executions(1)
    body = await polled.live.until(execution.id, "SUCCESS")
    assert body["taskRunList"][0]["outputs"]["value"] == "{id:1}\n{id:2}\n"
    assert body["trigger"]["variables"]["size"] == 2
    await polled.until(lambda state: state.execution_id is None)
    database.run("Query", "INSERT INTO orders VALUES (3, 0)")
    assert len(await polled.executions(2)) == 2


async def test_query_in_a_flow_takes_its_connection_from_plugin_defaults(
    server: LiveServer, postgres_dsn: str, tmp_path: Path
) -> None:
    """ENG-323, USE-B096: defaults by the prefix of a type, rows read by later tasks, an absent output is an error."""
    postgres = "io.kestra.plugin.jdbc.postgresql"
    query = {"id": "all", "type": f"{postgres}.Query", "sql": "SELECT 1 AS a, 'x' AS b", "fetchType": "FETCH"}
    ended = await run_tasks(
        server,
        query,
        {"id": "show", "type": RETURN, "format": "{{ outputs.all.rows | jq('.[].b') | first }} {{ outputs.all.size }}"},
        {"id": "absent", "type": RETURN, "format": "{{ outputs.all.row.a }}"},
        pluginDefaults=[{"type": postgres, "forced": True, "values": {"url": f"jdbc:{postgres_dsn}"}}],
    )
    assert ended.state == "FAILED"
    assert ended.outputs["show"]["value"] == "x 1"
    assert any("row" in message for message in ended.messages)
