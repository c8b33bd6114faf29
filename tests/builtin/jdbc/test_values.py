"""Values of each database as those of flows, and what only one of the databases has."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from penstock.builtin.jdbc.postgresql_copy import CopyIn, CopyOut
from penstock.builtin.jdbc.session import DatabaseError
from penstock.builtin.serdes import files
from penstock.builtin.serdes.files import LibraryMissing
from penstock.services.outcome import plain_outputs
from penstock.testing.run_context import RunContextFactory, messages_of
from tests.builtin.jdbc.conftest import Database

Make = Callable[[str], Database]

POSTGRESQL = """SELECT 1.50::numeric AS price, 12345678901234567890.5::numeric AS exact, 7::numeric AS whole,
  '2026-01-31'::date AS day, '2026-01-31 10:00'::timestamp AS local, '2026-01-31 10:00+02'::timestamptz AS moment,
  'infinity'::date AS never, '10:30'::time AS hour, '1 mon 2 days'::interval AS length, true AS yes,
  '{"a": [1, null]}'::jsonb AS json, ARRAY[1, 2] AS list, '\\xdead'::bytea AS bytes, NULL AS nothing,
  'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS id, '10.0.0.1'::inet AS host, '[1,5)'::int4range AS range,
  9223372036854775807 AS large"""
JSON: dict[str, Any] = {
    "price": 1.5, "exact": "12345678901234567890.5", "whole": 7, "day": "2026-01-31", "local": "2026-01-31T10:00:00",
    "moment": "2026-01-31T08:00:00Z", "never": "infinity", "hour": "10:30:00", "length": "1 mon 2 days", "yes": True,
    "json": {"a": [1, None]}, "list": [1, 2], "bytes": "3q0=", "nothing": None,
    "id": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "host": "10.0.0.1", "range": "[1,5)", "large": 9223372036854775807,
}  # fmt: skip


def test_postgresql_values_are_those_of_json_and_of_ion(database_of: Make) -> None:
    """ENG-323, ENG-325."""
    database = database_of("postgresql")
    found = database.run("Query", POSTGRESQL, fetchType="FETCH_ONE")
    assert (plain_outputs(found, 10_000) or {})["row"] == JSON
    (row,) = database.stored(database.run("Query", POSTGRESQL, fetchType="STORE").uri)
    assert row["exact"] == Decimal("12345678901234567890.5")
    assert row["moment"] == datetime(2026, 1, 31, 8, tzinfo=UTC)
    assert (row["day"], row["json"], row["bytes"]) == (date(2026, 1, 31), {"a": [1, None]}, "3q0=")


def test_postgresql_time_zone_and_schema_hold_for_the_session(database_of: Make) -> None:
    database = database_of("postgresql")
    database.run("Queries", "CREATE SCHEMA shop; CREATE TABLE shop.t AS SELECT '2026-07-01 10:00+00'::timestamptz AS m")
    url = database.properties["url"] + "?currentSchema=shop&ApplicationName=flow&prepareThreshold=0"
    found = database.run("Query", "SELECT m FROM t", url=url, timeZoneId="Europe/Paris", fetchType="FETCH_ONE")
    assert (plain_outputs(found, 1_000) or {})["row"] == {"m": "2026-07-01T12:00:00+02:00"}
    name = database.run("Query", "SHOW application_name", url=url, fetchType="FETCH_ONE").row
    assert name == {"application_name": "flow"}


def test_postgresql_statement_that_no_transaction_takes_runs_alone(database_of: Make) -> None:
    database_of("postgresql").run("Query", "VACUUM")


def test_postgresql_encryption_that_the_server_has_not_is_told(database_of: Make) -> None:
    with pytest.raises(DatabaseError, match="does not support SSL"):
        database_of("postgresql").run("Query", "SELECT 1", sslMode="REQUIRE")


def test_postgresql_server_not_there_says_so_without_the_password(contexts: RunContextFactory) -> None:
    database = Database("postgresql", {"url": "jdbc:postgresql://ada:hunter2@127.0.0.1:1/shop"}, contexts)
    context = contexts.of()
    with pytest.raises(DatabaseError) as caught:
        database.run("Query", "SELECT 1", context)
    assert "connection" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    context.logger.info("the word is hunter2")
    assert "hunter2" not in messages_of(context)[0][1]


def test_postgresql_copies_files_in_and_out(database_of: Make, postgres_dsn: str, contexts: RunContextFactory) -> None:
    with psycopg.connect(postgres_dsn) as connection:
        connection.execute("CREATE SCHEMA shop")
        connection.execute('CREATE TABLE shop.orders (id int, "who" text, total numeric)')
    context = contexts.of()
    uri = context.put_bytes(b"id;who\n1;Ada\n2;-\n", "orders.csv")
    common = {"id": "t", "url": f"jdbc:{postgres_dsn}", "format": "CSV", "header": True, "delimiter": ";"}
    into = {"from": uri, "table": "shop.orders", "columns": ["id", "who"], "nullString": "-"}
    found = CopyIn.model_validate({"type": CopyIn.type_name, **common, **into}).run(context)
    assert found.row_count == 2
    for source in ({"sql": "SELECT id, who FROM shop.orders"}, {"table": "shop.orders", "columns": ["id", "who"]}):
        out = CopyOut.model_validate({"type": CopyOut.type_name, **common, "forceQuote": ["who"], **source})
        given = out.run(context)
        assert (contexts.gateway.files[given.uri], given.row_count) == (b'id;who\n1;"Ada"\n2;\n', 2)


def test_mysql_values_are_those_of_json(database_of: Make) -> None:
    """ENG-323."""
    database = database_of("mysql")
    database.run("Queries", """
        CREATE TABLE t (price DECIMAL(9,2), day DATE, local DATETIME, moment TIMESTAMP NULL, yes BOOLEAN, bits BIT(1),
          bytes BLOB, hour TIME, text VARCHAR(20), nothing INT);
        INSERT INTO t VALUES (1.50, '2026-01-31', '2026-01-31 10:00', '2026-01-31 10:00', true, 0, x'dead', '10:30',
          'it\\'s; :x', NULL)""")  # fmt: skip
    found = database.run("Query", "SELECT * FROM t", fetchType="FETCH_ONE")
    assert (plain_outputs(found, 10_000) or {})["row"] == {
        "price": 1.5, "day": "2026-01-31", "local": "2026-01-31T10:00:00", "moment": "2026-01-31T10:00:00Z",
        "yes": True, "bits": False, "bytes": "3q0=", "hour": "10:30:00", "text": "it's; :x", "nothing": None,
    }  # fmt: skip
    found = database.run("Query", "SELECT moment FROM t", fetchType="FETCH_ONE", timeZoneId="+02:00")
    assert (plain_outputs(found, 10_000) or {})["row"] == {"moment": "2026-01-31T12:00:00+02:00"}


def test_duckdb_reads_and_writes_files_of_the_working_directory(contexts: RunContextFactory) -> None:
    """ENG-323: `workingDir`, `inputFiles` and `outputFiles`."""
    database = Database("duckdb", {}, contexts)
    given = {"inputFiles": {"in.csv": "a,b\n1,x\n2,y\n"}, "fetchType": "FETCH"}
    for source in ("'in.csv'", "'{{ workingDir }}/in.csv'"):
        assert database.run("Query", f"SELECT sum(a) AS s FROM {source}", **given).rows == [{"s": 3}]
    sql = "COPY (SELECT 1 AS a) TO '{{ outputFiles.out }}' (FORMAT csv)"
    found = database.run("Query", sql, outputFiles=["out"])
    uri = (plain_outputs(found, 1_000) or {})["outputFiles"]["out"]
    assert contexts.gateway.files[uri] == b"a\n1\n"


def test_duckdb_values_are_those_of_json(contexts: RunContextFactory) -> None:
    """ENG-323."""
    sql = """SELECT 1.50::DECIMAL(9,2) AS price, TIMESTAMPTZ '2026-01-31 10:00+02' AS moment, [1, 2] AS list,
      {'a': 1} AS struct, '{"a": 1}'::JSON AS json, 170141183460469231731687303715884105727 AS huge,
      'x'::BLOB AS bytes"""
    found = Database("duckdb", {}, contexts).run("Query", sql, fetchType="FETCH_ONE")
    assert (plain_outputs(found, 10_000) or {})["row"] == {
        "price": 1.5, "moment": "2026-01-31T08:00:00Z", "list": [1, 2], "struct": {"a": 1}, "json": {"a": 1},
        "huge": "170141183460469231731687303715884105727", "bytes": "eA==",
    }  # fmt: skip


@pytest.mark.parametrize(("kind", "given"), [("sqlite", "sqliteFile"), ("duckdb", "databaseUri")])
def test_file_database_is_handed_from_task_to_task(contexts: RunContextFactory, kind: str, given: str) -> None:
    context = contexts.of()
    database = Database(kind, {"url": f"jdbc:{kind}:"}, contexts)
    sql = "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)"
    first = plain_outputs(database.run("Queries", sql, context, outputDbFile=True), 1_000) or {}
    more = {given: first["databaseUri"]}
    second = database.run("Query", "INSERT INTO t VALUES (2)", context, outputDbFile=True, **more)
    more = {given: (plain_outputs(second, 1_000) or {})["databaseUri"]}
    found = database.run("Query", "SELECT a FROM t ORDER BY a", context, fetchType="FETCH", **more)
    assert found.rows == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(("kind", "extra"), [("duckdb", "duckdb"), ("mysql", "mysql")])
def test_driver_that_is_missing_is_named_with_what_installs_it(
    contexts: RunContextFactory, monkeypatch: pytest.MonkeyPatch, kind: str, extra: str
) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(files.importlib, "import_module", missing)
    with pytest.raises(LibraryMissing, match="is not installed") as caught:
        Database(kind, {"url": f"jdbc:{kind}://db/x"}, contexts).run("Query", "SELECT 1")
    assert f"penstock[{extra}]" in str(caught.value)


def test_rows_fetched_have_a_json_form(contexts: RunContextFactory) -> None:
    found = Database("sqlite", {"url": "jdbc:sqlite:"}, contexts).run(
        "Query", "SELECT 1.5 AS a, x'dead' AS b, NULL AS c, 'é' AS d, :when AS e", fetchType="FETCH_ONE",
        parameters={"when": "{{ '2026-01-31' }}"},
    )  # fmt: skip
    expected = {"a": 1.5, "b": "3q0=", "c": None, "d": "é", "e": "2026-01-31"}
    assert json.loads(json.dumps((plain_outputs(found, 1_000) or {})["row"])) == expected
