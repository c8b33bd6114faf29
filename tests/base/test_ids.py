"""Identifiers (ENG-126)."""

from __future__ import annotations

import time

from penstock.base.ids import derived_id, ids_from, new_id


def test_fresh_ids_are_22_alphanumeric_characters_and_differ() -> None:
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(one) == 22 and one.isalnum() and one.isascii() for one in ids)


def test_fresh_ids_sort_by_the_time_they_were_made() -> None:
    first = new_id()
    time.sleep(0.003)
    assert first < new_id()


def test_derived_id_depends_on_its_keys_alone() -> None:
    assert derived_id("execution", "task") == derived_id("execution", "task")
    assert derived_id("execution", "task") != derived_id("execution", "task", "")
    assert derived_id("ab", "c") != derived_id("a", "bc")


def test_fresh_id_within_another_source_is_drawn_from_it() -> None:
    numbers = iter(range(1, 10))
    with ids_from(lambda: next(numbers)):
        assert [new_id(), new_id()] == ["0" * 21 + "1", "0" * 21 + "2"]
    assert new_id() != "0" * 21 + "3"
