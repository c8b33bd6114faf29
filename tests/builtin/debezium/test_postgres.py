"""Changes of a real PostgreSQL database."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from penstock.builtin.debezium.changes import CaptureError
from penstock.builtin.debezium.postgres import Capture, ChangeTrigger, Trigger
from tests.builtin.debezium.following import PATIENT, begin, events, gathered
from tests.builtin.messages.conftest import Bench, bench
from tests.builtin.polling.conftest import Polled, polled
from tests.support.postgres import USER, Database

__all__ = ["bench", "polled"]


class Shop:
    """A database with a table `orders`, and who follows it."""

    def __init__(self, database: Database) -> None:
        self.connection = psycopg.connect(database.dsn, autocommit=True)
        self.connection.execute("SET synchronous_commit = on")  # what is not on the disk is not told of
        self.run("CREATE TABLE orders (id int PRIMARY KEY, name text, price numeric, paid bool, at timestamptz)")
        self.run("CREATE TABLE notes (id int PRIMARY KEY)")
        self.run("INSERT INTO orders VALUES (0, 'old')")
        self.at = {"hostname": "127.0.0.1", "port": database.port, "database": database.name, "username": USER,
                   "slotName": f"s_{database.name}"}  # fmt: skip

    def run(self, *statements: str) -> None:
        with self.connection.transaction():
            for statement in statements:
                self.connection.execute(statement.encode())

    def close(self) -> None:
        self.connection.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()"
        )
        self.connection.close()


@pytest.fixture
def shop(postgres_database: Database) -> Iterator[Shop]:
    found = Shop(postgres_database)
    yield found
    found.close()


def test_realtime_trigger_gives_rows_inserted_updated_and_deleted(bench: Bench, shop: Shop) -> None:
    """ENG-311, ENG-312, USE-071."""
    begin(bench, ChangeTrigger, shop)
    shop.run("INSERT INTO orders VALUES (1, 'ä', 1.50, true, '2030-01-31 08:00+00')", "INSERT INTO notes VALUES (7)")
    shop.run("UPDATE orders SET name = NULL, paid = false WHERE id = 1")
    shop.run("DELETE FROM orders WHERE id = 1")
    found = events(bench, ChangeTrigger, shop, 4)
    assert [one.variables["stream"] for one in found] == ["orders", "notes", "orders", "orders"]
    data = [one.variables["data"] for one in found]
    where = [one.pop("metadata") for one in data]
    assert (where[0]["schema"], where[0]["table"]) == ("public", "orders")
    assert abs(datetime.now(UTC) - where[0]["timestamp"]).total_seconds() < 60
    assert data[0].pop("at") == datetime(2030, 1, 31, 8, tzinfo=UTC)
    assert str(data[0].pop("price")) == "1.50"
    assert data[0] == {"id": 1, "name": "ä", "paid": True, "deleted": False}
    assert data[1] == {"id": 7, "deleted": False}
    assert (data[2]["name"], data[2]["paid"], data[2]["deleted"]) == (None, False, False)
    assert data[3] == {"id": 1, "deleted": True}


def test_realtime_trigger_goes_on_behind_what_was_dealt_with(bench: Bench, shop: Shop) -> None:
    """ENG-311, USE-071: a transaction comes again, under the same keys, until its last change is acknowledged."""
    begin(bench, ChangeTrigger, shop)
    shop.run("INSERT INTO orders VALUES (1)", "INSERT INTO orders VALUES (2)")
    shop.run("INSERT INTO orders VALUES (3)")
    lost = bench.first(ChangeTrigger, **shop.at)
    [first] = events(bench, ChangeTrigger, shop, 1)
    assert first.key == lost.key is not None
    again = events(bench, ChangeTrigger, shop, 2)
    assert [one.variables["data"]["id"] for one in again] == [1, 2]
    assert again[0].key == first.key != again[1].key
    assert [one.variables["data"]["id"] for one in events(bench, ChangeTrigger, shop, 1)] == [3]


def test_realtime_trigger_tells_what_is_wanted(bench: Bench, shop: Shop) -> None:
    wish = {"includedTables": ["public.orders"], "deleted": "DROP", "metadata": "DROP"}
    begin(bench, ChangeTrigger, shop, **wish)
    shop.run("INSERT INTO notes VALUES (1)", "INSERT INTO orders VALUES (1)", "DELETE FROM orders WHERE id = 1")
    shop.run("INSERT INTO orders VALUES (2)")
    found = events(bench, ChangeTrigger, shop, 2, **wish, format="WRAP")
    assert [one.variables["data"]["record"]["id"] for one in found] == [1, 2]
    assert found[0].variables["data"].keys() == {"record"}
    shop.run("ALTER TABLE orders REPLICA IDENTITY FULL", "UPDATE orders SET name = 'x' WHERE id = 2")
    [raw] = events(bench, ChangeTrigger, shop, 1, format="RAW")
    data = raw.variables["data"]
    assert (data["op"], data["before"]["name"], data["after"]["name"]) == ("u", None, "x")
    shop.run("DELETE FROM orders WHERE id = 2")
    [gone] = events(bench, ChangeTrigger, shop, 1, deleted="NULL")
    assert gone.variables["data"] is None


def test_database_wrong_properties_says_what_is_wrong(bench: Bench, shop: Shop) -> None:
    for wrong in ({"includedTables": ["no.table"]}, {"port": 1}, {"database": "none"}, {"slotName": "No Slot"}):
        with pytest.raises(CaptureError, match="cannot be followed") as caught:
            begin(bench, ChangeTrigger, shop, **wrong)
        assert caught.value.hint


async def test_realtime_trigger_of_a_server_starts_an_execution_for_each_row(
    polled: Polled, bench: Bench, shop: Shop
) -> None:
    """ENG-311, ENG-312, USE-071."""
    await asyncio.to_thread(begin, bench, ChangeTrigger, shop)
    at = ", ".join(f"{name}: '{value}'" for name, value in shop.at.items())
    await polled.flow(f"type: io.kestra.plugin.debezium.postgres.RealtimeTrigger, {at}")
    await asyncio.to_thread(shop.run, "INSERT INTO orders VALUES (1)", "INSERT INTO orders VALUES (2)")
    found = await polled.executions(2)
    assert [one.trigger.variables["data"]["id"] for one in found if one.trigger] == [1, 2]


def test_capture_writes_the_changes_of_each_table_and_whole_transactions(bench: Bench, shop: Shop) -> None:
    """ENG-312, USE-071."""
    wish = {**shop.at, "maxWait": "PT0.2S", "metadata": "DROP"}
    assert bench.run(Capture, **wish) == {"size": 0, "uris": {}}
    shop.run("INSERT INTO notes VALUES (7)", "INSERT INTO orders (id) VALUES (1)", "INSERT INTO orders VALUES (2)")
    shop.run("DELETE FROM orders WHERE id = 1")
    first = bench.run(Capture, **{**wish, **PATIENT}, maxRecords=2)
    found = gathered(bench, first)
    assert first["size"] == 3
    assert found["public.notes"] == [{"id": 7, "deleted": False}]
    assert [row["id"] for row in found["public.orders"]] == [1, 2]
    last = bench.run(Capture, **{**wish, **PATIENT}, maxRecords=1, splitTable="OFF")
    assert gathered(bench, last) == {"changes": [{"id": 1, "deleted": True}]}


def test_trigger_gives_changes_again_until_they_are_acknowledged(bench: Bench, shop: Shop) -> None:
    """ENG-309, USE-071: more of them than are read at once, and some that do not count."""
    wish = {**shop.at, "maxWait": "PT0.2S", "includedTables": ["public.orders"]}
    assert bench.poll(Trigger, **wish) is None
    shop.run("INSERT INTO notes SELECT generate_series(1, 1500)")
    shop.run("INSERT INTO orders SELECT generate_series(1, 1200)")
    for row in range(1201, 1204):
        shop.run(f"INSERT INTO orders VALUES ({row})")
    patient = {**wish, **PATIENT, "maxRecords": 1203}
    lost = bench.poll(Trigger, **patient)
    assert lost is not None
    lost.release()
    again = bench.poll(Trigger, **patient)
    assert again is not None
    assert (again.key, again.variables["size"]) == (lost.key, 1203)
    assert [row["id"] for row in gathered(bench, again.variables)["public.orders"]] == list(range(1, 1204))
    again.acknowledge()
    assert bench.poll(Trigger, **wish) is None
