"""Filters for lists, maps and the characters of text. Implements EXP-094 to EXP-105."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cmp_to_key
from typing import Any

from penstock.expressions.errors import ExpressionError, ExpressionTypeError, kind_of
from penstock.expressions.frame import Frame
from penstock.expressions.operators import BINARY
from penstock.expressions.regexes import split as split_text
from penstock.expressions.registry import Entry, Parameter
from penstock.expressions.values import equal, is_list, text_of


def _items(value: Any, name: str) -> list[Any]:
    """Return a list's elements, or the values of a map."""
    if isinstance(value, Mapping):
        return list(value.values())
    if is_list(value):
        return list(value)
    raise ExpressionTypeError(f"`{name}` needs a list, {kind_of(value)} is given")


def _integer(value: Any, name: str, argument: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ExpressionTypeError(f"argument `{argument}` of `{name}` must be an integer, {kind_of(value)} is given")
    return value


def first(value: Any) -> Any:
    """Return the first element or character; null when there is none (EXP-094)."""
    items = value if isinstance(value, str) else _items(value, "first")
    return items[0] if items else None


def last(value: Any) -> Any:
    """Return the last element or character; null when there is none (EXP-094)."""
    items = value if isinstance(value, str) else _items(value, "last")
    return items[-1] if items else None


def length(value: Any) -> int:
    """Return the number of elements, entries or characters; 0 of null (EXP-095)."""
    if value is None:
        return 0
    if isinstance(value, str | Mapping) or is_list(value):
        return len(value)
    raise ExpressionTypeError(f"{kind_of(value)} has no length")


def join(frame: Frame, value: Any, delimiter: Any = "") -> str:
    """Return the elements as one text (EXP-096)."""
    if isinstance(value, str):
        return value
    texts = [frame.text(item) for item in _items(value, "join")]
    separator = text_of(delimiter)
    frame.budget.spend(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


def split(frame: Frame, value: Any, delimiter: Any, limit: Any = 0) -> list[str]:
    """Return the pieces of a text between matches of a regular expression (EXP-097)."""
    if is_list(value) or isinstance(value, Mapping):
        raise ExpressionTypeError(f"`split` needs a string, {kind_of(value)} is given")
    pieces = split_text(
        text_of(delimiter), text_of(value), _integer(limit, "split", "limit"), frame.settings.regex_timeout
    )
    frame.budget.elements(len(pieces))
    return pieces


def _compare(frame: Frame, left: Any, right: Any) -> int:
    if left is None or right is None:
        return (right is None) - (left is None)
    if isinstance(left, bool) and isinstance(right, bool):
        return left - right
    if BINARY["<"](frame, left, right):
        return -1
    return 1 if BINARY[">"](frame, left, right) else 0


def sort(frame: Frame, value: Any) -> list[Any]:
    """Return the elements in ascending order, null first (EXP-098)."""
    return sorted(_items(value, "sort"), key=cmp_to_key(lambda left, right: _compare(frame, left, right)))


def reverse_sort(frame: Frame, value: Any) -> list[Any]:
    """Return the elements in descending order, null last (EXP-098)."""
    return list(reversed(sort(frame, value)))


def reverse(value: Any) -> Any:
    """Return the elements or characters in reverse order (EXP-099)."""
    return value[::-1] if isinstance(value, str) else _items(value, "reverse")[::-1]


def chunk(value: Any, size: Any) -> list[list[Any]]:
    """Return the elements in groups of a size; the last may be smaller (EXP-100)."""
    items, step = _items(value, "chunk"), _integer(size, "chunk", "size")
    if step < 1:
        raise ExpressionError("argument `size` of `chunk` must be at least 1")
    return [items[index : index + step] for index in range(0, len(items), step)]


def distinct(value: Any) -> list[Any]:
    """Return the elements without repetitions, in the order of first occurrence (EXP-101)."""
    kept: list[Any] = []
    seen: set[tuple[type, Any]] = set()
    for item in _items(value, "distinct"):
        if isinstance(item, str | int | float):
            # Booleans stand apart from numbers, numbers of all classes together.
            key = (str if isinstance(item, str) else bool if isinstance(item, bool) else float, item)
            if key in seen:
                continue
            seen.add(key)
            kept.append(item)
        elif not any(equal(item, other) for other in kept):
            kept.append(item)
    return kept


def cut(value: Any, from_index: Any, to_index: Any = None) -> Any:
    """Return the part from an index (inclusive) to an index (exclusive) (EXP-102)."""
    whole = value if isinstance(value, str) else _items(value, "slice")
    start = _integer(from_index, "slice", "fromIndex")
    end = len(whole) if to_index is None else _integer(to_index, "slice", "toIndex")
    if not 0 <= start <= end <= len(whole):
        raise ExpressionError(f"`slice` from {start} to {end} is out of range, the length is {len(whole)}")
    return whole[start:end]


def merge(frame: Frame, value: Any, items: Any) -> Any:
    """Return both lists as one, or both maps with the right one's entries winning (EXP-103)."""
    if isinstance(value, Mapping) and isinstance(items, Mapping):
        return {**value, **items}
    if is_list(value) and is_list(items):
        frame.budget.elements(len(value) + len(items))
        return [*value, *items]
    raise ExpressionTypeError(f"`merge` needs two lists or two maps, {kind_of(value)} and {kind_of(items)} are given")


def flatten(frame: Frame, value: Any) -> list[Any]:
    """Return the elements of the lists in a list, one level up (EXP-104)."""
    flat: list[Any] = []
    for item in _items(value, "flatten"):
        flat.extend(item if is_list(item) else [item])
        if len(flat) > frame.limits.elements:
            break
    frame.budget.elements(len(flat))
    return flat


def keys(value: Any) -> list[Any]:
    """Return the keys of a map, or the indexes of a list (EXP-105)."""
    if is_list(value):
        return list(range(len(value)))
    if isinstance(value, Mapping):
        return list(value)
    raise ExpressionTypeError(f"`keys` needs a map, {kind_of(value)} is given")


def values(value: Any) -> list[Any]:
    """Return the values of a map (EXP-105)."""
    return _items(value, "values")


_FRUITS = "['apple', 'banana', 'cherry']"

ENTRIES = [
    Entry(
        "first",
        first,
        "The first element of a list or character of a text.",
        examples=((f"{{{{ {_FRUITS} | first }}}}", "apple"), ("{{ 'Kestra' | first }}", "K")),
    ),
    Entry(
        "last",
        last,
        "The last element of a list or character of a text.",
        examples=((f"{{{{ {_FRUITS} | last }}}}", "cherry"), ("{{ 'Kestra' | last }}", "a")),
    ),
    Entry(
        "length",
        length,
        "The number of elements, entries or characters.",
        examples=(("{{ ['apple', 'banana'] | length }}", "2"), ("{{ 'Kestra' | length }}", "6")),
        accepts_null=True,
    ),
    Entry(
        "join",
        join,
        "Joins the elements of a list to one text.",
        (Parameter("delimiter", ""),),
        examples=((f"{{{{ {_FRUITS} | join(', ') }}}}", "apple, banana, cherry"),),
        context=True,
    ),
    Entry(
        "split",
        split,
        "Splits a text at a regular expression.",
        (Parameter("delimiter"), Parameter("limit", 0)),
        examples=(
            ("{{ 'apple,banana,cherry' | split(',') }}", '["apple","banana","cherry"]'),
            ("{{ 'a.b.c' | split('\\\\.') }}", '["a","b","c"]'),
            ("{{ 'apple,banana,cherry,grape' | split(',', 2) }}", '["apple","banana,cherry,grape"]'),
        ),
        context=True,
    ),
    Entry("sort", sort, "Sorts ascending.", examples=(("{{ [3, 1, 2] | sort }}", "[1,2,3]"),), context=True),
    Entry("rsort", reverse_sort, "Sorts descending.", examples=(("{{ [3, 1, 2] | rsort }}", "[3,2,1]"),), context=True),
    Entry("reverse", reverse, "Reverses the order.", examples=(("{{ [1, 2, 3] | reverse }}", "[3,2,1]"),)),
    Entry(
        "chunk",
        chunk,
        "Groups the elements of a list by a number.",
        (Parameter("size"),),
        examples=(("{{ [1, 2, 3, 4, 5] | chunk(2) }}", "[[1,2],[3,4],[5]]"),),
    ),
    Entry("distinct", distinct, "Removes repetitions.", examples=(("{{ [1, 2, 2, 3, 1] | distinct }}", "[1,2,3]"),)),
    Entry(
        "slice",
        cut,
        "A part of a list or text: from an index, up to but without another.",
        (Parameter("fromIndex"), Parameter("toIndex", None)),
        examples=((f"{{{{ {_FRUITS} | slice(1, 2) }}}}", '["banana"]'), ("{{ 'Kestra' | slice(1, 3) }}", "es")),
    ),
    Entry(
        "merge",
        merge,
        "Two lists as one; two maps as one, the right wins.",
        (Parameter("items"),),
        examples=(("{{ [1, 2] | merge([3, 4]) }}", "[1,2,3,4]"),),
        context=True,
    ),
    Entry(
        "flatten",
        flatten,
        "Removes one level of nesting.",
        examples=(("{{ [[1, 2], [3, 4], [5]] | flatten }}", "[1,2,3,4,5]"),),
        context=True,
    ),
    Entry(
        "keys", keys, "The keys of a map.", examples=(("{{ {'foo': 'bar', 'baz': 'qux'} | keys }}", '["foo","baz"]'),)
    ),
    Entry(
        "values",
        values,
        "The values of a map.",
        examples=(("{{ {'foo': 'bar', 'baz': 'qux'} | values }}", '["bar","qux"]'),),
    ),
]
