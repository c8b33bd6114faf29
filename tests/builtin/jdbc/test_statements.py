"""Where statements end and where their parameters are."""

from __future__ import annotations

import pytest

from penstock.builtin.jdbc.address import AddressError, file_address, server_address
from penstock.builtin.jdbc.statements import DUCKDB, MYSQL, POSTGRESQL, SQLITE, Syntax, only_statement, statements_of

BODY = "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET b = CASE WHEN 1 THEN 2 END; DELETE FROM c; END"
ROUTINE = "CREATE PROCEDURE p() BEGIN IF 1 THEN SELECT 1; END IF; WHILE 0 DO SELECT 2; END WHILE; END"
ATOMIC = "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END"


@pytest.mark.parametrize(
    ("sql", "syntax", "expected"),
    [
        ("SELECT 1; SELECT 2;", SQLITE, ["SELECT 1", "SELECT 2"]),
        ("SELECT ';' AS \";\", 'it''s;'; -- a; b\n/* c; d */ ;", SQLITE, ["SELECT ';' AS \";\", 'it''s;'"]),
        ("SELECT `;`; SELECT 2", MYSQL, ["SELECT `;`", "SELECT 2"]),
        (r"SELECT 'a\';'; SELECT 2 # ;", MYSQL, [r"SELECT 'a\';'", "SELECT 2 # ;"]),
        ("SELECT 5--3; SELECT 2", MYSQL, ["SELECT 5--3", "SELECT 2"]),
        (r"SELECT 'a\'; SELECT E'b\';'", POSTGRESQL, [r"SELECT 'a\'", r"SELECT E'b\';'"]),
        ("DO $x$ BEGIN; $$ ; END $x$; SELECT a$b$ ;", POSTGRESQL, ["DO $x$ BEGIN; $$ ; END $x$", "SELECT a$b$"]),
        ("/* a /* b; */ c; */ SELECT 1", POSTGRESQL, ["/* a /* b; */ c; */ SELECT 1"]),
        (f"{BODY}; SELECT 1", SQLITE, [BODY, "SELECT 1"]),
        (f"{ROUTINE}; SELECT 1", MYSQL, [ROUTINE, "SELECT 1"]),
        (f"{ATOMIC}; SELECT 1", POSTGRESQL, [ATOMIC, "SELECT 1"]),
        ("BEGIN; SELECT CASE 1 WHEN 2 END; END", SQLITE, ["BEGIN", "SELECT CASE 1 WHEN 2 END", "END"]),
        ("SELECT 'never closed; SELECT 2", DUCKDB, ["SELECT 'never closed; SELECT 2"]),
        ("  -- nothing\n ; ", DUCKDB, []),
    ],
)  # fmt: skip
def test_statements_end_at_semicolons_that_end_them(sql: str, syntax: Syntax, expected: list[str]) -> None:
    """MIG-054."""
    assert [one.text for one in statements_of(sql, syntax)] == expected


@pytest.mark.parametrize(
    ("syntax", "expected"),
    [
        (SQLITE, "SELECT a::int, ':b', 5 % 2, :c WHERE d = :c -- :e"),
        (DUCKDB, "SELECT a::int, ':b', 5 % 2, $c WHERE d = $c -- :e"),
        (POSTGRESQL, "SELECT a::int, ':b', 5 %% 2, %(c)s WHERE d = %(c)s -- :e"),
    ],
)
def test_parameters_are_written_as_the_driver_wants_them(syntax: Syntax, expected: str) -> None:
    statement = only_statement("SELECT a::int, ':b', 5 % 2, :c WHERE d = :c -- :e", syntax)
    assert statement.bound(syntax, {"c": 1, "unused": 2}) == (expected, {"c": 1})


def test_marks_are_counted_outside_of_quotes_and_operators() -> None:
    statement = only_statement("INSERT INTO a VALUES (?, '?', b ?? 'c', 1 % ?)", POSTGRESQL)
    assert statement.marked(POSTGRESQL) == ("INSERT INTO a VALUES (%s, '?', b ? 'c', 1 %% %s)", 2)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("(select 1) union (select 2)", True),
        ("WITH a AS (DELETE FROM b RETURNING *) SELECT * FROM a", True),
        ("WITH a AS (SELECT 1) INSERT INTO b SELECT * FROM a", False),
        ("INSERT INTO a SELECT 1", False),
        ("UPDATE a SET b = 1 RETURNING b", True),
        ("SELECT * INTO a FROM b", False),
        ("VACUUM", False),
    ],
)
def test_statement_that_gives_rows_is_known_by_its_words(sql: str, expected: bool) -> None:
    assert only_statement(sql, POSTGRESQL).gives_rows is expected


def test_address_of_a_server_says_who_asks() -> None:
    found = server_address("jdbc:postgresql://db:5433/shop?user=me&password=a%2Fb&sslmode=require", ("postgresql",))
    assert (found.host, found.port, found.database) == ("db", 5433, "shop")
    assert (found.username, found.password, dict(found.options)) == ("me", "a/b", {"sslmode": "require"})
    assert "a/b" not in repr(found)
    found = server_address("mysql://you:x%40y@db/shop", ("mysql",), "me", "word")
    assert (found.username, found.password, found.port, found.secrets) == ("me", "word", None, ["word"])


@pytest.mark.parametrize("url", ["jdbc:oracle:thin:@db:1521/x", "db:5432", "", "jdbc:postgresql://db:port/x"])
def test_address_of_something_else_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(AddressError) as caught:
        server_address(url, ("postgresql",))
    assert "oracle" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("jdbc:sqlite:my.db", "my.db"),
        ("jdbc:sqlite:/data/my.db?journal_mode=WAL", "/data/my.db"),
        ("sqlite:////data/my.db", "/data/my.db"),
        ("jdbc:sqlite:", ""),
        ("jdbc:sqlite::memory:", ""),
    ],
)
def test_address_of_a_file_is_its_path(url: str, expected: str) -> None:
    assert file_address(url, "sqlite") == expected
