"""Query strings of searches: pages, orders, filters."""

from __future__ import annotations

import pytest

from penstock.api.search import filters_of, page_of, recent
from penstock.base.clock import SECOND, from_iso
from penstock.base.errors import InvalidRequestError
from penstock.ports.queries import Filter, PageRequest

NOW = from_iso("2026-01-31T10:00:00Z")


def test_page_without_parameters_is_the_first_ten() -> None:
    assert page_of([]) == PageRequest(1, 10, ())


def test_page_with_parameters_is_that_page_in_that_order() -> None:
    pairs = [("page", "3"), ("size", "25"), ("sort", "state.startDate:desc"), ("sort", "id:asc"), ("sort", "flowId")]
    assert page_of(pairs) == PageRequest(3, 25, (("state.startDate", False), ("id", True), ("flowId", True)))


@pytest.mark.parametrize("pair", [("page", "0"), ("page", "x"), ("size", "-1"), ("sort", "id:sideways")])
def test_page_with_nonsense_is_refused(pair: tuple[str, str]) -> None:
    with pytest.raises(InvalidRequestError, match=pair[0]):
        page_of([pair])


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        (("filters[namespace][EQUALS]", "company.team"), Filter("namespace", "EQUALS", "company.team")),
        (("filters[state][IN]", "FAILED,CANCELLED"), Filter("state", "IN", ["FAILED", "CANCELLED"])),
        (("filters[scope][equals]", "USER"), Filter("scope", "EQUALS", "USER")),
        (("filters[labels][NOT_EQUALS][foo]", "bar"), Filter("labels", "NOT_EQUALS", {"foo": "bar"})),
        (("filters[labels][EQUALS][system.a[0]]", "x"), Filter("labels", "EQUALS", {"system.a[0]": "x"})),
        (("filters[labels][EQUALS]", "a:b:c"), Filter("labels", "EQUALS", {"a": "b:c"})),
        (("filters[q][EQUALS]", "a, text"), Filter("q", "EQUALS", "a, text")),
        (("filters[minLevel][EQUALS]", "WARN"), Filter("level", "EQUALS", "WARN")),
        (
            ("filters[timeRange][EQUALS]", "PT168H"),
            Filter("startDate", "GREATER_THAN_OR_EQUAL_TO", NOW - 168 * 3600 * SECOND),
        ),
        (
            ("filters[endDate][LESS_THAN]", "2026-01-31T12:00:00 02:00"),
            Filter("endDate", "LESS_THAN", NOW),
        ),
        (("state", "PAUSED"), Filter("state", "IN", ["PAUSED"])),
    ],
)
def test_filter_is_read(pair: tuple[str, str], expected: Filter) -> None:
    """API-009, API-010, ENG-133."""
    assert filters_of([pair], NOW) == [expected]


def test_filters_on_labels_of_one_operation_are_one() -> None:
    pairs = [("filters[labels][EQUALS][a]", "1"), ("filters[labels][EQUALS][b]", "2")]
    assert filters_of(pairs, NOW) == [Filter("labels", "EQUALS", {"a": "1", "b": "2"})]


def test_states_given_several_times_are_one_filter() -> None:
    assert filters_of([("state", "FAILED"), ("state", "KILLED")], NOW) == [Filter("state", "IN", ["FAILED", "KILLED"])]


@pytest.mark.parametrize(
    "pair",
    [
        ("filters[namespace]", "x"),
        ("filters[labels][EQUALS]", "no-colon"),
        ("filters[timeRange][EQUALS]", "a while"),
        ("filters[startDate][LESS_THAN]", "yesterday"),
    ],
)
def test_filter_that_cannot_be_read_is_refused(pair: tuple[str, str]) -> None:
    with pytest.raises(InvalidRequestError):
        filters_of([pair], NOW)


def test_parameters_of_other_meaning_are_no_filters() -> None:
    assert filters_of([("page", "1"), ("size", "5"), ("sort", "id:asc"), ("unrelated", "x")], NOW) == []


@pytest.mark.parametrize(
    ("query", "is_narrowed"),
    [
        ([], True),
        ([("filters[namespace][PREFIX]", "company")], True),
        ([("state", "FAILED")], True),
        ([("filters[state][IN]", "RUNNING,FAILED")], True),
        ([("filters[state][NOT_IN]", "RUNNING")], True),
        ([("filters[state][IN]", "RUNNING,PAUSED")], False),
        ([("filters[state][EQUALS]", "RUNNING")], False),
        ([("filters[timeRange][EQUALS]", "P1D")], False),
        ([("endDate", "2026-01-31T10:00:00Z")], False),
        ([("executionId", "one")], False),
        ([("triggerExecutionId", "one")], False),
    ],
)
def test_search_that_names_no_time_reaches_back_as_far_as_is_usual(
    query: list[tuple[str, str]], is_narrowed: bool
) -> None:
    """BEY-022."""
    asked = filters_of(query, NOW)
    usual = Filter("startDate", "GREATER_THAN_OR_EQUAL_TO", NOW - 7 * SECOND)
    assert recent(asked, 7 * SECOND, NOW) == ([*asked, usual] if is_narrowed else asked)
    assert recent(asked, None, NOW) == asked


def test_key_asked_for_with_two_values_asks_for_both() -> None:
    """API-009: what contradicts itself finds nothing, and never what its last part alone would find."""
    expected = [Filter("labels", "EQUALS", {"a": ["1", "2"], "b": "3"})]
    bracketed = [("filters[labels][EQUALS][a]", one) for one in "12"]
    assert filters_of([*bracketed, ("filters[labels][EQUALS][b]", "3")], NOW) == expected
    assert filters_of([("labels", "a:1"), ("labels", "a:2"), ("labels", "b:3")], NOW) == expected


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (("filters[timeRange][NOT_EQUALS]", "PT1H"), "no operation `NOT_EQUALS`"),
        (("filters[q][EQUALS]", "a\0b"), "NUL"),
    ],
)
def test_filter_that_cannot_be_kept_to_is_refused(pair: tuple[str, str], message: str) -> None:
    """API-010."""
    with pytest.raises(InvalidRequestError, match=message):
        filters_of([pair], NOW)
