"""Tasks on the rows of a file, run in a worker's context."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock.builtin.storage.items import DeduplicateItems, FilterItems, Reverse
from penstock.builtin.storage.split import Split
from penstock.sdk import Task
from penstock.sdk.items import FileTaskError, rows_of
from penstock.testing.run_context import RunContextFactory


def given(contexts: RunContextFactory, content: bytes, variables: dict[str, Any] | None = None) -> tuple[Any, str]:
    """Return a context with a stored file, and the file's URI."""
    context = contexts.of(variables)
    return context, context.put_bytes(content, "data.txt")


def run(context: Any, kind: type[Task], uri: str, **properties: Any) -> Any:
    return kind.model_validate({"id": "t", "type": kind.type_name, "from": uri, **properties}).run(context)


def stored(contexts: RunContextFactory, uri: str) -> bytes:
    return contexts.gateway.files[uri]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("content", "separator", "rows"),
    [
        (b"a\nb\n", b"\n", [b"a\n", b"b\n"]),
        (b"a\n\nb", b"\n", [b"a\n", b"\n", b"b"]),
        (b"a::b::", b"::", [b"a::", b"b::"]),
        (b"a:b:::c", b"::", [b"a:b::", b":c"]),
        (b"", b"\n", []),
    ],
)
def test_rows_are_the_same_however_the_file_comes(
    content: bytes, separator: bytes, rows: list[bytes], size: int
) -> None:
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    assert list(rows_of(pieces, separator)) == rows


@pytest.mark.parametrize(
    ("how", "parts"),
    [
        ({"rows": 2}, ["1\n22\n", "333\n4444\n", "5"]),
        ({"rows": 100}, ["1\n22\n333\n4444\n5"]),
        ({"bytes": "6"}, ["1\n22\n", "333\n", "4444\n5"]),
        ({"bytes": "1KB"}, ["1\n22\n333\n4444\n5"]),
        ({"bytes": 1}, ["1\n", "22\n", "333\n", "4444\n", "5"]),
        ({"partitions": 2}, ["1\n333\n5", "22\n4444\n"]),
        ({"partitions": 9}, ["1\n", "22\n", "333\n", "4444\n", "5"]),
        ({"rows": "{{ n }}", "separator": "3"}, ["1\n22\n3", "3", "3", "\n4444\n5"]),
    ],
)
def test_split_cuts_between_rows(contexts: RunContextFactory, how: dict[str, Any], parts: list[str]) -> None:
    """ENG-335."""
    context, uri = given(contexts, b"1\n22\n333\n4444\n5", {"n": 1})
    uris = run(context, Split, uri, **how).uris
    assert [stored(contexts, one).decode() for one in uris] == parts
    assert all(one.endswith(f"/part-{number}.txt") for number, one in enumerate(uris))


def test_split_empty_file_gives_no_files(contexts: RunContextFactory) -> None:
    """ENG-335."""
    for how in ({"rows": 2}, {"bytes": "5"}, {"partitions": 2}):
        context, uri = given(contexts, b"")
        assert run(context, Split, uri, **how).uris == []


def test_split_large_file_by_size_keeps_every_byte(contexts: RunContextFactory) -> None:
    """ENG-335."""
    content = b"".join(b"%d,%s\n" % (number, b"x" * (number % 97)) for number in range(20_000))
    context, uri = given(contexts, content)
    uris = run(context, Split, uri, bytes="100KB").uris
    parts = [stored(contexts, one) for one in uris]
    assert b"".join(parts) == content
    assert len(parts) > 5
    assert all(len(part) <= 102_400 and part.endswith(b"\n") for part in parts)


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"rows": 1, "bytes": "5"},
        {"rows": 0},
        {"bytes": "many"},
        {"bytes": "0"},
        {"partitions": 501},
        {"rows": 1, "separator": ""},
    ],
)
def test_split_that_makes_no_sense_is_refused(contexts: RunContextFactory, how: dict[str, Any]) -> None:
    """ENG-335."""
    context, uri = given(contexts, b"a\nb\n")
    with pytest.raises(FileTaskError):
        run(context, Split, uri, **how)


@pytest.mark.parametrize(
    ("content", "separator", "expected"),
    [("1\n22\n333\n", "\n", "333\n22\n1\n"), ("1\n22", "\n", "22\n1\n"), ("ä;ö;", ";", "ö;ä;"), ("", "\n", "")],
)
def test_reverse_turns_the_rows_round(contexts: RunContextFactory, content: str, separator: str, expected: str) -> None:
    context, uri = given(contexts, content.encode("utf-16-le"))
    out = run(context, Reverse, uri, separator=separator, charset="utf-16-le")
    assert stored(contexts, out.uri).decode("utf-16-le") == expected


def items(*values: object) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


@pytest.mark.parametrize(("kind", "kept"), [("INCLUDE", [2, 3]), ("EXCLUDE", [1])])
def test_filter_keeps_items_by_a_condition(contexts: RunContextFactory, kind: str, kept: list[int]) -> None:
    context, uri = given(contexts, items({"n": 1}, {"n": 2}, {"n": 3}), {"least": 2})
    out = run(context, FilterItems, uri, filterCondition="{{ n >= least }}", filterType=kind)
    assert stored(contexts, out.uri) == items(*({"n": n} for n in kept))
    assert (out.processed_items_total, out.dropped_items_total) == (3, 3 - len(kept))


def test_filter_reads_ion_and_leaves_rows_as_they_were(contexts: RunContextFactory) -> None:
    rows = b'{name:"Ada",when:2026-01-31T10:00:00Z}\n\n{name:"Bob",when:2020-01-01T00:00:00Z}'
    context, uri = given(contexts, rows)
    out = run(context, FilterItems, uri, filterCondition="{{ (when | date('yyyy')) == '2026' }}")
    assert stored(contexts, out.uri) == b'{name:"Ada",when:2026-01-31T10:00:00Z}\n'


def test_filter_without_an_answer_fails_or_does_as_told(contexts: RunContextFactory) -> None:
    context, uri = given(contexts, items({"n": 1}, {"n": None}, {"m": 2}))
    with pytest.raises(FileTaskError, match="item 2"):
        run(context, FilterItems, uri, filterCondition="{{ n }}")
    for behavior, count in (("INCLUDE", 3), ("EXCLUDE", 1)):
        out = run(context, FilterItems, uri, filterCondition="{{ n }}", errorOrNullBehavior=behavior)
        assert len(stored(contexts, out.uri).splitlines()) == count


def test_filter_of_what_is_no_item_names_the_row(contexts: RunContextFactory) -> None:
    context, uri = given(contexts, b'{"n": 1}\n{"n": \n')
    with pytest.raises(FileTaskError, match="row 2"):
        run(context, FilterItems, uri, filterCondition="{{ n }}")


def test_deduplicate_keeps_the_last_of_each_key_in_order(contexts: RunContextFactory) -> None:
    given_items = ({"k": "a", "v": 1}, {"k": "b", "v": 1}, {"k": "a", "v": 2}, {"k": "c", "v": 1})
    context, uri = given(contexts, items(*given_items))
    out = run(context, DeduplicateItems, uri, expr="{{ k }}")
    assert stored(contexts, out.uri) == items(*given_items[1:])
    assert (out.processed_items_total, out.dropped_items_total) == (4, 1)


def test_deduplicate_plain_values_are_called_value(contexts: RunContextFactory) -> None:
    context, uri = given(contexts, b"1\n2\n1\n")
    assert stored(contexts, run(context, DeduplicateItems, uri, expr="{{ value }}").uri) == b"2\n1\n"
