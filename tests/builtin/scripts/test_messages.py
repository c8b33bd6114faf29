import time

import pytest

from penstock.builtin.scripts.messages import messages_in
from tests.support.waiting import PATIENCE


@pytest.mark.parametrize(
    "line",
    [
        '::{"outputs":{"a":1}}::',
        '::{ "outputs" : { "a" : 1 } } ::  ',
        'INFO:root:::{"outputs":{"a":1}}::',
        'odd ::{ then ::{"outputs":{"a":1}}:: and more',
    ],
)
def test_messages_wherever_they_stand_are_found(line: str) -> None:
    """SCR-033."""
    assert messages_in(line) == [{"outputs": {"a": 1}}]


def test_messages_several_in_a_line_are_all_found() -> None:
    assert messages_in('::{"outputs":{"a":1}}::::{"metrics":[]}::') == [{"outputs": {"a": 1}}, {"metrics": []}]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "plain",
        "::{}::",
        '{"outputs":{"a":1}}',
        '::{"outputs":{"a":1}}',
        '::{"outputs":{"a":1}::',
        '::{"outputs":{"a":NaN}}::',
        "::{outputs}::",
        '::["outputs"]::',
        '::{"other":1}::',
        "::{" + '{"a":' * 100_000,
        "::{" + '"outputs":' + "[" * 100_000,
    ],
)
def test_messages_that_are_none_are_text(line: str) -> None:
    assert messages_in(line) == []


def test_messages_only_begun_very_often_take_no_time() -> None:
    start = time.monotonic()
    assert messages_in('::{"a":"' * 250_000) == []
    assert time.monotonic() - start < PATIENCE
