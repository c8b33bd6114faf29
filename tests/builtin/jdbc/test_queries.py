"""What queries do in every database."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from penstock.builtin.jdbc.session import DatabaseError
from penstock.builtin.jdbc.statements import SqlError
from penstock.sdk.items import FileTaskError
from penstock.services.outcome import plain_outputs
from penstock.testing.run_context import RunContextFactory
from tests.builtin.jdbc.conftest import Database
from tests.support.waiting import PATIENCE, eventually

SLOW = {
    "sqlite": "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(600)",
    "duckdb": "SELECT count(*) FROM range(100000000) a, range(100000) b WHERE (a.range + b.range) % 7 = 3",
    "mysql": "SELECT sleep(600)",
}
MANY = {
    "sqlite": "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 3000) SELECT x FROM n",
    "postgresql": "SELECT x FROM generate_series(1, 3000) x",
    "duckdb": "SELECT range + 1 AS x FROM range(3000)",
    "mysql": "SELECT seq AS x FROM seq_1_to_3000",
}


@pytest.fixture
def users(database: Database) -> Database:
    """Give a database with two users."""
    database.run(
        "Queries",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(50)); -- the people\n"
        "INSERT INTO users VALUES (1, 'Ada; \"Countess\"'), (2, NULL);",
    )
    return database


ROWS = [{"id": 1, "name": 'Ada; "Countess"'}, {"id": 2, "name": None}]


@pytest.mark.parametrize(
    "asked", [{"fetchType": "FETCH"}, {"fetch": True}, {"storeType": "FETCH"}, {"fetchType": "STORE", "fetch": True}]
)
def test_query_fetch_gives_all_rows(users: Database, asked: dict[str, object]) -> None:
    """ENG-323, ENG-324: the older boolean means the same, and counts first."""
    found = users.run("Query", "SELECT * FROM users ORDER BY id", **asked)
    assert plain_outputs(found, 10_000) == {"rows": ROWS, "size": 2}


@pytest.mark.parametrize("asked", [{"fetchType": "FETCH_ONE"}, {"fetchOne": "{{ true }}"}])
def test_query_fetch_one_gives_the_first_row(users: Database, asked: dict[str, object]) -> None:
    """ENG-323."""
    found = users.run("Query", "SELECT * FROM users ORDER BY id", **asked)
    assert plain_outputs(found, 10_000) == {"row": ROWS[0], "size": 1}
    found = users.run("Query", "SELECT * FROM users WHERE id > 2", **asked)
    assert plain_outputs(found, 10_000) == {"size": 0}


@pytest.mark.parametrize("asked", [{"fetchType": "STORE"}, {"store": True}])
def test_query_store_gives_a_file_of_rows(users: Database, asked: dict[str, object]) -> None:
    """ENG-323, ENG-325, PLG-026."""
    found = users.run("Query", "SELECT * FROM users ORDER BY id", **asked)
    assert (users.stored(found.uri), found.size) == (ROWS, 2)
    assert set(plain_outputs(found, 10_000) or {}) == {"uri", "size"}


def test_query_store_reads_more_rows_than_are_fetched_together(database: Database) -> None:
    found = database.run("Query", MANY[database.kind], fetchType="STORE", fetchSize=7)
    assert [row["x"] for row in database.stored(found.uri)] == list(range(1, 3001))


def test_query_nothing_wanted_or_given_gives_no_outputs(users: Database) -> None:
    """ENG-323."""
    assert plain_outputs(users.run("Query", "SELECT * FROM users"), 10_000) == {}
    added = users.run("Query", "INSERT INTO users VALUES (3, 'Eve')", fetchType="FETCH")
    assert plain_outputs(added, 10_000) == {}
    assert len(users.rows("SELECT * FROM users")) == 3


def test_query_several_ways_to_fetch_are_refused(database: Database) -> None:
    """ENG-324."""
    with pytest.raises(SqlError, match="exclude each other"):
        database.run("Query", "SELECT 1", store=True, fetch=True)


def test_query_several_statements_are_refused_and_none_runs(users: Database) -> None:
    """MIG-054."""
    with pytest.raises(SqlError, match="Query task supports only a single SQL statement"):
        users.run("Query", "DELETE FROM users; SELECT 1")
    assert len(users.rows("SELECT * FROM users")) == 2
    with pytest.raises(SqlError, match="no statement"):
        users.run("Query", "-- nothing\n;")


def test_query_parameters_are_values_whatever_they_hold(users: Database) -> None:
    sql = "SELECT id FROM users WHERE name = :name AND id < :most AND name <> ':name' AND 7 % 4 = 3"
    given = {"name": "{{ 'Ada; \"Countess\"' }}", "most": "{{ 1 + 1 }}"}
    assert users.run("Query", sql, fetchType="FETCH", parameters=given).rows == [{"id": 1}]
    given["name"] = "x' OR 'a' = 'a"
    assert users.run("Query", sql, fetchType="FETCH", parameters=given).rows == []
    with pytest.raises(SqlError, match="the parameter `:most`, and `parameters` holds `name`"):
        users.run("Query", sql, parameters={"name": "Ada"})


def test_query_after_sql_takes_effect_together_with_the_query(users: Database) -> None:
    after = "DELETE FROM users WHERE id = 1; DELETE FROM users WHERE id = :id"
    found = users.run(
        "Query", "SELECT id FROM users ORDER BY id", fetchType="FETCH", afterSQL=after, parameters={"id": 2}
    )
    assert found.rows == [{"id": 1}, {"id": 2}]
    assert users.rows("SELECT * FROM users") == []
    with pytest.raises(DatabaseError, match="nowhere"):
        users.run("Query", "INSERT INTO users VALUES (9, 'x')", afterSQL="DELETE FROM nowhere")
    assert users.rows("SELECT * FROM users") == []


def test_queries_give_an_output_for_each_statement_with_rows(users: Database) -> None:
    """ENG-323."""
    sql = "SELECT 1 AS a; UPDATE users SET name = 'x' WHERE id = 2; SELECT name FROM users WHERE id = :id"
    found = users.run("Queries", sql, fetchType="FETCH", parameters={"id": 2})
    expected = [{"rows": [{"a": 1}], "size": 1}, {"rows": [{"name": "x"}], "size": 1}]
    assert plain_outputs(found, 10_000) == {"outputs": expected}
    stored = users.run("Queries", sql, store=True, parameters={"id": 2}).outputs
    assert [users.stored(one.uri) for one in stored] == [[{"a": 1}], [{"name": "x"}]]


def test_queries_failing_take_no_effect_unless_each_is_its_own(users: Database) -> None:
    """MIG-054."""
    sql = "INSERT INTO users VALUES (3, 'Eve'); INSERT INTO nowhere VALUES (1)"
    with pytest.raises(DatabaseError, match="nowhere"):
        users.run("Queries", sql)
    assert len(users.rows("SELECT * FROM users")) == 2
    with pytest.raises(DatabaseError, match="nowhere"):
        users.run("Queries", sql, transaction=False)
    assert len(users.rows("SELECT * FROM users")) == 3


def test_query_killed_breaks_the_statement_off(database: Database, contexts: RunContextFactory) -> None:
    """BEY-004."""
    context = contexts.of()
    failures: list[BaseException] = []

    def query() -> None:
        try:
            database.run("Query", SLOW[database.kind], context, fetchType="STORE")
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=query)
    thread.start()
    asyncio.run(eventually(lambda: context._actions or failures))
    time.sleep(0.5)  # the connection is there: now the statement begins
    assert thread.is_alive(), failures
    for action in context.interrupt():
        action()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert "broken off" in str(failures[0])


def test_query_killed_before_it_begins_does_nothing(users: Database, contexts: RunContextFactory) -> None:
    """BEY-004."""
    context = contexts.of()
    context.interrupt()
    with pytest.raises(FileTaskError, match="stopped"):
        users.run("Query", "DELETE FROM users", context)
    assert len(users.rows("SELECT * FROM users")) == 2


def test_batch_inserts_the_items_of_a_file(users: Database) -> None:
    items = "".join(f"{{id:{number},name:'n{number}'}}\n" for number in range(10, 135)).encode()
    context = users.contexts.of()
    uri = context.put_bytes(items, "items.ion")
    found = users.run("Batch", context=context, table="users", chunk=50, **{"from": uri})
    assert (found.row_count, found.updated_count) == (125, 125)
    assert users.rows("SELECT count(*) AS n, max(name) AS m FROM users") == [{"n": 127, "m": "n99"}]
    users.run("Query", "DELETE FROM users")
    users.run("Batch", "INSERT INTO users (name, id) VALUES (?, ?)", context, columns=["name", "id"], **{"from": uri})
    users.run("Query", "DELETE FROM users WHERE id <> 10")
    users.run(
        "Batch", context=context, table="users", columns=["id"], **{"from": context.put_bytes(b"[11]\n[12]", "i")}
    )
    assert users.rows("SELECT * FROM users ORDER BY id") == [
        {"id": 10, "name": "n10"},
        {"id": 11, "name": None},
        {"id": 12, "name": None},
    ]


def test_batch_item_that_does_not_fit_inserts_nothing(users: Database) -> None:
    context = users.contexts.of()
    uri = context.put_bytes(b"[10, 'a']\n[11]\n", "items.ion")
    with pytest.raises(SqlError, match="item 2 has 1 values, and the statement takes 2"):
        users.run("Batch", context=context, table="users", chunk=1, **{"from": uri})
    assert len(users.rows("SELECT * FROM users")) == 2
