"""The bounded map."""

from __future__ import annotations

import threading

from penstock.base.recent import Recent


def test_recent_beyond_its_bound_forgets_what_was_used_longest_ago() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert (recent.get("b"), list(recent), len(recent)) == (None, ["a", "c"], 2)


def test_recent_value_put_again_is_replaced_and_counts_as_used() -> None:
    recent: Recent[str, int] = Recent(2)
    for key, value in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        recent.put(key, value)
    assert (recent.get("a"), recent.get("b")) == (3, None)


def test_recent_value_asked_for_is_made_once_and_anew_when_forgotten() -> None:
    recent: Recent[str, list[str]] = Recent(5)
    made = recent.of("a", list)
    assert recent.of("a", list) is made
    recent.forget("a")
    recent.forget("never there")
    again = recent.of("a", list)
    assert again is not made
    recent.clear()
    assert recent.of("a", list) is not again


def test_recent_values_made_within_a_bound_push_others_out() -> None:
    recent: Recent[int, int] = Recent(3)
    for key in range(10):
        recent.of(key, lambda key=key: key)  # type: ignore[misc]
    assert list(recent) == [7, 8, 9]


def test_recent_making_a_value_may_ask_for_another() -> None:
    recent: Recent[str, str] = Recent(5)
    assert recent.of("outer", lambda: recent.of("inner", lambda: "x") * 2) == "xx"
    assert list(recent) == ["inner", "outer"]


def test_recent_value_made_by_several_threads_at_once_is_the_same_for_all() -> None:
    recent: Recent[str, object] = Recent(5)
    together, found = threading.Barrier(4), list[object]()

    def make() -> object:
        together.wait(30)  # all four are making it before any of them keeps one
        return object()

    threads = [threading.Thread(target=lambda: found.append(recent.of("a", make))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 4
    assert len(set(map(id, found))) == 1


def test_recent_keys_are_listed_as_they_were_while_it_changes() -> None:
    recent: Recent[int, int] = Recent(10)
    for key in range(5):
        recent.put(key, key)
    for key in recent:
        recent.forget(key)
    assert len(recent) == 0
