"""The PostgreSQL that the test suite stands on."""

from __future__ import annotations

import psycopg
import pytest
import sqlalchemy

from tests.support.postgres import Database, PostgresServer

pytestmark = pytest.mark.postgres


def test_postgres_url_opened_by_sqlalchemy_answers(postgres_url: str) -> None:
    engine = sqlalchemy.create_engine(postgres_url)
    with engine.connect() as connection:
        assert connection.execute(sqlalchemy.text("SELECT 6 * 7")).scalar_one() == 42
    engine.dispose()


@pytest.mark.parametrize("turn", [1, 2])
def test_postgres_dsn_of_a_second_test_is_empty_again(postgres_dsn: str, turn: int) -> None:
    with psycopg.connect(postgres_dsn) as connection:
        connection.execute("CREATE TABLE only_once (turn int)")
        connection.execute("INSERT INTO only_once VALUES (%s)", (turn,))
        rows = connection.execute("SELECT turn FROM only_once").fetchall()
    assert rows == [(turn,)]


def test_postgres_template_asked_for_twice_is_filled_once(postgres_server: PostgresServer) -> None:
    fills = []

    def fill(database: Database) -> None:
        fills.append(database.name)
        with psycopg.connect(database.dsn) as connection:
            connection.execute("CREATE TABLE greeting AS SELECT 'hello' AS word")

    names = {postgres_server.template("greetings", fill) for _ in range(2)}
    database = postgres_server.create(template="greetings")
    with psycopg.connect(database.dsn) as connection:
        assert connection.execute("SELECT word FROM greeting").fetchone() == ("hello",)
    postgres_server.drop(database)
    assert names == {"greetings"}
    assert fills == ["greetings"]
