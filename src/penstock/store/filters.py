"""Searches: filters to conditions, sort keys to an order, pages of rows (API-008, API-009, API-010).

A `Search` says for one table which fields may be filtered and sorted by. A field turns an operation and a value into
a condition; what it cannot do is refused with the list of what it can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import regex
from sqlalchemy import Boolean, ColumnElement, Connection, FromClause, and_, func, literal, not_, or_, select

from penstock.base.clock import Instant, from_iso
from penstock.base.errors import InvalidRequestError
from penstock.engine.states import StateType
from penstock.ports.queries import Filter, PageRequest

Condition = ColumnElement[bool]
MANY = 5_000
"""From here on sorting all rows that fit costs more than walking past some that do not."""
BOUND = 10_000
"""So many rows of what may be long are counted, and always one more than the page that is asked for ends with."""
STATES = tuple(state.value for state in StateType)
_LAST = "\U0010ffff"
"""Sorts behind every character: `column < prefix + _LAST` ends a range of all that starts with the prefix."""


class FilterError(InvalidRequestError):
    """A filter or a sort key that a search does not know."""

    code = "INVALID_FILTER"


@dataclass(frozen=True, slots=True)
class Field:
    """What can be asked about one field: operation to condition."""

    operations: Mapping[str, Callable[[Any], Condition]]


@dataclass(frozen=True, slots=True)
class Search:
    """What one kind of thing can be filtered and sorted by.

    Args:
        what: The things' name, for errors.
        fields: Filters by wire name.
        sorts: Columns by the name they are sorted by.
    """

    what: str
    fields: Mapping[str, Field]
    sorts: Mapping[str, ColumnElement[Any]]

    def conditions(self, filters: Iterable[Filter]) -> list[Condition]:
        """Return the conditions of all filters.

        Raises:
            FilterError: A field or an operation is not known.
        """
        return [self._condition(one) for one in filters]

    def order(self, sort: Sequence[tuple[str, bool]]) -> list[ColumnElement[Any]]:
        """Return the columns to order by.

        Raises:
            FilterError: A sort key is not known.
        """
        ordered: list[ColumnElement[Any]] = []
        for name, is_ascending in sort:
            column = self.sorts.get(name)
            if column is None:
                raise FilterError(
                    f"{self.what} cannot be sorted by `{name}`", hint=f"sort by one of {', '.join(sorted(self.sorts))}"
                )
            ordered.append(column.asc() if is_ascending else column.desc())
        return ordered

    def _condition(self, one: Filter) -> Condition:
        field = self.fields.get(one.field)
        if field is None:
            raise FilterError(
                f"{self.what} cannot be filtered by `{one.field}`",
                hint=f"filter by one of {', '.join(sorted(self.fields))}",
            )
        build = field.operations.get(one.operation)
        if build is None:
            raise FilterError(
                f"the filter `{one.field}` of {self.what} has no operation `{one.operation}`",
                hint=f"use one of {', '.join(sorted(field.operations))}",
            )
        return build(one.value)


def page_txn(
    connection: Connection,
    columns: Sequence[ColumnElement[Any]],
    conditions: Sequence[Condition],
    order: Sequence[ColumnElement[Any]],
    page: PageRequest,
    *,
    in_order: bool = False,
    total: int | None = None,
    bound: int | None = None,
) -> tuple[Sequence[Any], int]:
    """Return the rows of one page and how many there are in all.

    Args:
        in_order: There is an index by the first condition that has the wanted order. When many rows fit, walking along
            it finds a page at once, while SQLite would rather sort all that fit.
        total: How many there are in all, where that is known; they are counted otherwise.
        bound: How many are counted at most.
    """
    if total is None:
        total = count_txn(connection, columns[0].table, conditions, bound)
    offset = (max(page.page, 1) - 1) * page.size
    if total <= offset or page.size <= 0:
        return [], total
    first, *others = conditions
    if in_order and others and total > MANY and connection.dialect.name == "sqlite":
        others = [func.coalesce(and_(*others), False)]  # within a function no index is looked for
    query = select(*columns).where(first, *others).order_by(*order).limit(page.size).offset(offset)
    return connection.execute(query).all(), total


def count_txn(
    connection: Connection, table: FromClause, conditions: Sequence[Condition], bound: int | None = None
) -> int:
    """Return how many rows fit, or the bound when there are as many or more."""
    query = select(func.count()).select_from(table).where(*conditions)
    if bound is not None:
        some = select(literal(1)).select_from(table).where(*conditions).limit(bound)
        query = select(func.count()).select_from(some.subquery())
    return int(connection.execute(query).scalar_one())


def bound_of(page: PageRequest) -> int:
    """Return how many rows are counted at most of what may be long."""
    return max(BOUND, max(page.page, 1) * page.size + 1)


# -- kinds of fields


def name(column: ColumnElement[Any]) -> Field:
    """Return the field of an identifier."""
    return Field(
        {
            "EQUALS": lambda value: column.in_(several(value)),
            "IN": lambda value: column.in_(several(value)),
            "NOT_EQUALS": lambda value: _not_in(column, value),
            "NOT_IN": lambda value: _not_in(column, value),
            "STARTS_WITH": lambda value: starts_with(column, str(value)),
            "ENDS_WITH": lambda value: ends_with(column, str(value)),
            "CONTAINS": lambda value: contains(column, str(value)),
            "REGEX": lambda value: column.regexp_match(pattern(value)),
        }
    )


def namespace(column: ColumnElement[Any]) -> Field:
    """Return the field of a namespace: an identifier whose PREFIX takes whole parts (`company` has `company.team`)."""

    def prefix(value: Any) -> Condition:
        return or_(*(below(column, one) for one in several(value)))

    return Field({**name(column).operations, "PREFIX": prefix})


def choice(column: ColumnElement[Any], words: Sequence[str]) -> Field:
    """Return the field of a word out of a few, such as a state; another word is an error, since it finds nothing."""

    def within(value: Any) -> Condition:
        return column.in_(chosen_of(words, value))

    def outside(value: Any) -> Condition:
        return _not_in(column, chosen_of(words, value))

    return Field({"EQUALS": within, "IN": within, "NOT_EQUALS": outside, "NOT_IN": outside})


def number(column: ColumnElement[Any]) -> Field:
    """Return the field of a whole number."""
    return _compared(column, _whole)


def instant(column: ColumnElement[Any]) -> Field:
    """Return the field of a date."""
    return _compared(column, _instant)


def since(column: ColumnElement[Any]) -> Field:
    """Return the field of a time range, whose value is the instant at which it begins."""

    def begins(value: Any) -> Condition:
        return column >= _instant(value)

    return Field(dict.fromkeys(("EQUALS", "GREATER_THAN_OR_EQUAL_TO", "GREATER_THAN"), begins))


def query(*columns: ColumnElement[Any]) -> Field:
    """Return the field of a free text looked for in several columns, in any case of letters."""

    def found(value: Any) -> Condition:
        return or_(*(column.icontains(str(value), autoescape=True) for column in columns))

    return Field({"EQUALS": found, "CONTAINS": found, "NOT_EQUALS": lambda value: not_(found(value))})


def scope(column: ColumnElement[Any], system_namespace: str) -> Field:
    """Return the field that parts what users made from what the system keeps for itself."""
    return flag(below(column, system_namespace), "SYSTEM", "USER")


def flag(condition: Condition, yes: str, no: str) -> Field:
    """Return the field of a thing that is one or the other, by the words for both."""

    def chosen(value: Any) -> Condition:
        words = {str(one).upper() for one in several(value)}
        unknown = words - {yes, no}
        if unknown:
            raise FilterError(f"`{min(unknown)}` is not known here", hint=f"use {yes} or {no}")
        if len(words) == 2:  # both of them: everything
            return literal(value=True, type_=Boolean())
        return condition if words == {yes} else not_(condition)

    def others(value: Any) -> Condition:
        return not_(chosen(value))

    return Field({"EQUALS": chosen, "IN": chosen, "NOT_EQUALS": others, "NOT_IN": others})


def labels(has: Callable[[str, Callable[[ColumnElement[Any]], Condition] | str], Condition]) -> Field:
    """Return the field of labels.

    Args:
        has: Builds the condition that there is a label of a key with a value, given or described by a condition.
    """

    def equals(value: Any) -> Condition:
        return and_(*(has(key, one) for key, one in pairs(value)))

    def among(value: Any) -> Condition:
        return or_(*(has(key, one) for key, one in pairs(value)))

    def listed(value: Any) -> Condition:
        return or_(*(has(key, one) for key, given in pairs(value) for one in several(given)))

    def containing(value: Any) -> Condition:
        def within(part: str) -> Callable[[ColumnElement[Any]], Condition]:
            return lambda column: contains(column, part)

        return and_(*(has(key, within(one)) for key, one in pairs(value)))

    return Field(
        {
            "EQUALS": equals,
            "NOT_EQUALS": lambda value: not_(among(value)),
            "IN": listed,
            "NOT_IN": lambda value: not_(listed(value)),
            "CONTAINS": containing,
        }
    )


# -- values


def several(value: Any) -> list[str]:
    """Return the values of a list, given as one or as text joined by commas."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    if isinstance(value, Iterable):
        return [str(one) for one in value]
    return [str(value)]


def chosen_of(words: Sequence[str], value: Any) -> list[str]:
    """Return the values of a list that are all words known.

    Raises:
        FilterError: One is not.
    """
    found = several(value)
    for one in found:
        if one not in words:
            raise FilterError(f"`{one}` is not known here", hint=f"use {', '.join(words)}")
    return found


def pairs(value: Any) -> list[tuple[str, str]]:
    """Return label pairs given as a mapping (of keys to one value or several) or as `key:value` texts."""
    if isinstance(value, Mapping):
        return [(str(key), one) for key, given in value.items() for one in _one_or_several(given)]
    found = [text.partition(":") for text in several(value)]
    if any(not separator for _, separator, _ in found):
        raise FilterError("a label to filter by has no value", hint="write filters[labels][EQUALS][key]=value")
    return [(key, one) for key, _, one in found]


def pattern(value: Any) -> str:
    """Return a regular expression that is known to be one.

    Raises:
        FilterError: It is not.
    """
    try:
        regex.compile(str(value))
    except (regex.error, RecursionError, OverflowError) as error:
        raise FilterError(f"`{value}` is no regular expression: {error}", hint="mend the filter's value") from error
    return str(value)


def starts_with(column: ColumnElement[Any], prefix: str) -> Condition:
    """Return the condition that a column starts with a text, as a range that an index answers."""
    return and_(column >= prefix, column < prefix + _LAST)


def ends_with(column: ColumnElement[Any], end: str) -> Condition:
    """Return the condition that a column ends with a text, with letters as they are."""
    return func.substr(column, func.length(column) - len(end) + 1) == end


def below(column: ColumnElement[Any], parent: str) -> Condition:
    """Return the condition that a namespace is another one or lies below it, as one range with exceptions."""
    # "/" is the character behind "."; in between are only names such as `parent-2`, which the last part leaves out.
    return and_(column >= parent, column < f"{parent}/", or_(column == parent, column >= f"{parent}."))


def contains(column: ColumnElement[Any], part: str) -> Condition:
    """Return the condition that a column contains a text, with letters as they are."""
    # Not LIKE: whether that minds the case of letters depends on the database.
    return func.length(func.replace(column, part, "")) < func.length(column) if part else column.is_not(None)


def _one_or_several(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple | set) else [str(value)]


def _not_in(column: ColumnElement[Any], value: Any) -> Condition:
    return or_(column.is_(None), column.not_in(several(value)))


def _compared(column: ColumnElement[Any], read: Callable[[Any], int]) -> Field:
    return Field(
        {
            "EQUALS": lambda value: column == read(value),
            "NOT_EQUALS": lambda value: column.is_distinct_from(read(value)),
            "GREATER_THAN": lambda value: column > read(value),
            "GREATER_THAN_OR_EQUAL_TO": lambda value: column >= read(value),
            "LESS_THAN": lambda value: column < read(value),
            "LESS_THAN_OR_EQUAL_TO": lambda value: column <= read(value),
            "IN": lambda value: column.in_([read(one) for one in several(value)]),
            "NOT_IN": lambda value: or_(column.is_(None), column.not_in([read(one) for one in several(value)])),
        }
    )


def _whole(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise FilterError(f"`{value}` is not a whole number", hint="mend the filter's value") from error


def _instant(value: Any) -> Instant:
    if isinstance(value, int):
        return value
    try:
        return from_iso(str(value))
    except ValueError as error:
        raise FilterError(f"`{value}` is not a date", hint="write it like 2026-01-31T10:00:00Z") from error
