"""Changes of a real MariaDB database."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pymysql
import pytest

from penstock.builtin.debezium.changes import CaptureError
from penstock.builtin.debezium.mysql import Capture, ChangeTrigger, Trigger
from penstock.testing.run_context import RunContextFactory
from tests.builtin.debezium.following import PATIENT, begin, events, gathered
from tests.builtin.messages.conftest import Bench
from tests.builtin.polling.conftest import Polled, polled
from tests.support.mariadb import PASSWORD, USER
from tests.support.waiting import PATIENCE

__all__ = ["polled"]
KEPT = "/api/v1/main/namespaces/team/kv/orders"


class Shop:
    """A database with a table `orders`, and who follows it; others of the server are busy besides."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url.removeprefix("jdbc:"))
        self.name = address.path.strip("/")
        self.connection = pymysql.connect(
            host="127.0.0.1", port=address.port or 0, user=USER, password=PASSWORD, database=self.name
        )
        self.run(
            "SET time_zone = '+05:00'",
            "CREATE TABLE orders (id int unsigned PRIMARY KEY, name text, price decimal(8, 2), at timestamp NULL,"
            " day datetime(3), kind enum('x', 'y'), marks set('b', 'a'), content blob, lasts time)",
            "CREATE TABLE notes (id int)",
            "INSERT INTO orders (id) VALUES (0)",
        )
        self.at = {"hostname": "127.0.0.1", "port": address.port, "username": USER, "password": PASSWORD,
                   "includedDatabases": [self.name]}  # fmt: skip

    def run(self, *statements: str) -> None:
        with self.connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        self.connection.commit()


@pytest.fixture
def shop(maria_database: str) -> Iterator[Shop]:
    found = Shop(maria_database)
    yield found
    found.connection.close()


@pytest.fixture
def pairs() -> dict[str, Any]:
    return {}


@pytest.fixture
def bench(pairs: dict[str, Any]) -> Iterator[Bench]:
    def store(key: str, value: Any, **_: Any) -> None:
        pairs[key] = value

    with RunContextFactory({"kv": lambda key, **_: pairs.get(key), "kvSet": store}) as contexts:
        yield Bench(contexts)


def test_realtime_trigger_gives_rows_inserted_updated_and_deleted(bench: Bench, shop: Shop) -> None:
    """ENG-311, ENG-312, USE-071."""
    begin(bench, ChangeTrigger, shop)
    shop.run(
        "INSERT INTO orders VALUES (4000000000, 'ä', -1.50, '2030-01-31 08:00', '2030-01-31 08:00:00.5', 'y', 'a,b',"
        " x'ff00', '08:30')",
        "INSERT INTO notes VALUES (-7)",
    )
    shop.run("UPDATE orders SET name = NULL, marks = '' WHERE id > 0")
    shop.run("DELETE FROM orders WHERE id > 0")
    found = events(bench, ChangeTrigger, shop, 4)
    assert [one.variables["stream"] for one in found] == ["orders", "notes", "orders", "orders"]
    data = [one.variables["data"] for one in found]
    where = [one.pop("metadata") for one in data]
    assert (where[0]["schema"], where[0]["table"]) == (shop.name, "orders")
    assert where[0]["txId"] == where[1]["txId"] != where[2]["txId"]
    assert abs(datetime.now(UTC) - where[0]["timestamp"]).total_seconds() < 60
    assert data[0] == {
        "id": 4000000000, "name": "ä", "price": Decimal("-1.50"), "at": datetime(2030, 1, 31, 3, tzinfo=UTC),
        "day": datetime.fromisoformat("2030-01-31T08:00:00.500"), "kind": "y", "marks": ["a", "b"],
        "content": b"\xff\0", "lasts": "8:30:00", "deleted": False,
    }  # fmt: skip
    assert data[1] == {"id": -7, "deleted": False}
    assert (data[2]["name"], data[2]["marks"], data[2]["deleted"]) == (None, [], False)
    assert (data[3]["id"], data[3]["deleted"]) == (4000000000, True)


def test_realtime_trigger_goes_on_behind_what_was_dealt_with(bench: Bench, shop: Shop, pairs: dict[str, Any]) -> None:
    """ENG-311, USE-071: a transaction comes again, under the same keys, until its last change is acknowledged."""
    begin(bench, ChangeTrigger, shop)
    shop.run("INSERT INTO orders (id) VALUES (1)", "INSERT INTO orders (id) VALUES (2)")
    shop.run("INSERT INTO orders (id) VALUES (3)")
    before = dict(pairs)
    lost = bench.first(ChangeTrigger, **shop.at)
    [first] = events(bench, ChangeTrigger, shop, 1)
    assert first.key == lost.key is not None
    assert pairs == before
    shop.run("FLUSH BINARY LOGS")
    again = events(bench, ChangeTrigger, shop, 2)
    assert [one.variables["data"]["id"] for one in again] == [1, 2]
    assert again[0].key == first.key != again[1].key
    assert [one.variables["data"]["id"] for one in events(bench, ChangeTrigger, shop, 1)] == [3]


def test_realtime_trigger_tells_what_is_wanted(bench: Bench, shop: Shop, pairs: dict[str, Any]) -> None:
    wish = {"includedTables": [f"{shop.name}.orders"], "deleted": "DROP", "metadata": "DROP", "stateName": "mine"}
    begin(bench, ChangeTrigger, shop, **wish)
    assert pairs.keys() == {"mine"}
    shop.run("INSERT INTO notes VALUES (1)", "INSERT INTO orders (id) VALUES (1)", "DELETE FROM orders WHERE id = 1")
    shop.run("SET SESSION binlog_row_image = MINIMAL", "UPDATE orders SET name = 'x' WHERE id = 0")
    found = events(bench, ChangeTrigger, shop, 2, **wish, format="WRAP")
    assert found[0].variables["data"].keys() == {"record"}
    assert found[0].variables["data"]["record"]["id"] == 1
    assert found[1].variables["data"] == {"record": {"id": 0, "name": "x"}}
    shop.run("UPDATE orders SET name = 'y' WHERE id = 0")
    [raw] = events(bench, ChangeTrigger, shop, 1, **wish, format="RAW")
    data = raw.variables["data"]
    assert (data["op"], data["before"], data["after"]) == ("u", {"id": 0}, {"name": "y"})


def test_capture_writes_the_changes_of_each_table_and_whole_transactions(bench: Bench, shop: Shop) -> None:
    """ENG-312, USE-071."""
    wish = {**shop.at, "maxWait": "PT0.3S", "metadata": "DROP"}
    assert bench.run(Capture, **wish) == {"size": 0, "uris": {}}
    shop.run("INSERT INTO notes VALUES (7)", "INSERT INTO orders (id) VALUES (1), (2)")
    shop.run("DELETE FROM notes")
    first = bench.run(Capture, **{**wish, **PATIENT}, maxRecords=2)
    found = gathered(bench, first)
    assert first["size"] == 3
    assert found[f"{shop.name}.notes"] == [{"id": 7, "deleted": False}]
    assert [row["id"] for row in found[f"{shop.name}.orders"]] == [1, 2]
    last = bench.run(Capture, **{**wish, **PATIENT}, maxRecords=1, splitTable="OFF")
    assert gathered(bench, last) == {"changes": [{"id": 7, "deleted": True}]}


def test_trigger_gives_changes_again_until_they_are_acknowledged(
    bench: Bench, shop: Shop, pairs: dict[str, Any]
) -> None:
    """ENG-309, USE-071."""
    wish = {**shop.at, "maxWait": "PT0.3S", "includedTables": [f"{shop.name}.notes"]}
    assert bench.poll(Trigger, **wish) is None
    before = dict(pairs)
    shop.run("INSERT INTO orders (id) VALUES (1)")
    assert bench.poll(Trigger, **wish) is None
    assert pairs != before  # what counts for nothing is not read again
    shop.run("INSERT INTO notes VALUES (1)")
    patient = {**wish, **PATIENT, "maxRecords": 1}
    lost = bench.poll(Trigger, **patient)
    assert lost is not None
    lost.release()
    again = bench.poll(Trigger, **patient)
    assert again is not None
    assert (again.key, again.variables["size"]) == (lost.key, 1)
    again.acknowledge()
    assert bench.poll(Trigger, **wish) is None


def test_server_that_cannot_be_followed_says_what_is_wrong(bench: Bench, shop: Shop, pairs: dict[str, Any]) -> None:
    pairs.update({"wrong": 5, "gone": {"file": "changes.999999", "position": 4}})
    for wrong, why in (
        ({"port": 1}, "cannot be followed"),
        ({"password": "other"}, "cannot be followed"),
        ({"stateName": "wrong"}, "says no place"),
        ({"stateName": "gone"}, "cannot be followed"),
    ):
        with pytest.raises(CaptureError, match=why) as caught:
            begin(bench, ChangeTrigger, shop, **wrong)
        assert caught.value.hint


async def test_realtime_trigger_of_a_server_starts_an_execution_for_each_row(polled: Polled, shop: Shop) -> None:
    """ENG-311, ENG-312, USE-071: what was dealt with is in the key-value store, and gone on with."""
    at = f"hostname: 127.0.0.1, port: {shop.at['port']}, username: {USER}, password: {PASSWORD}"
    trigger = f"type: io.kestra.plugin.debezium.mysql.RealtimeTrigger, {at}, includedDatabases: [{shop.name}]"
    await polled.flow(f"{trigger}, stateName: orders")
    async with asyncio.timeout(PATIENCE):
        while (await polled.live.client.get(KEPT)).status_code != 200:  # noqa: ASYNC110  # it is another's doing
            await asyncio.sleep(0.05)
    await asyncio.to_thread(shop.run, "INSERT INTO notes VALUES (1), (2)")
    found = await polled.executions(2)
    assert [one.trigger.variables["data"]["id"] for one in found if one.trigger] == [1, 2]
