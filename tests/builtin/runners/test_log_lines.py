"""Lines of a log that is read more than once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from penstock.builtin.runners.kubernetes.log_lines import LogLines, whole_lines


def stamped(*lines: tuple[str, str]) -> list[bytes]:
    return [f"2026-01-02T03:04:{time}Z {text}\n".encode() for time, text in lines]


def taken(lines: LogLines, log: list[bytes]) -> list[bytes]:
    return [new for line in log if (new := lines.new(line)) is not None]


def test_lines_come_once_however_often_the_log_is_read() -> None:
    """SCR-080: of lines at the very same time as many are new as there were not before."""
    log = stamped(("05.1", "a"), ("05.100000001", "b"), ("05.100000001", "c"), ("05.100000001", "b"), ("06", "d"))
    lines = LogLines()
    assert lines.since is None
    assert taken(lines, log[:3]) == [b"a\n", b"b\n", b"c\n"]
    assert lines.since == "2026-01-02T03:04:05Z"
    lines.restart()
    assert taken(lines, log[:4]) == [b"b\n"]
    lines.restart()
    assert taken(lines, log) == [b"d\n"]
    lines.restart()
    assert taken(lines, log) == []


def test_clock_of_a_node_may_go_back() -> None:
    """SCR-080: nothing is taken for known in one reading."""
    assert taken(LogLines(), stamped(("05", "a"), ("04", "b"))) == [b"a\n", b"b\n"]


def test_times_of_other_zones_and_lines_without_time_are_understood() -> None:
    """SCR-080."""
    lines = LogLines()
    assert lines.new(b"2026-01-02T05:04:05.5+02:00 a") == b"a"
    assert lines.since == "2026-01-02T03:04:05Z"
    assert lines.new(b"2026-01-02T03:04:06Z \n") == b"\n"
    assert lines.new(b"no time\n") == b"no time\n"


def test_part_of_a_line_is_not_given_when_the_connection_breaks() -> None:
    """SCR-080."""

    def pieces() -> Iterator[bytes]:
        yield b"one\ntw"
        yield b"o\nthr"
        raise ConnectionError

    lines = whole_lines(pieces())
    assert [next(lines), next(lines)] == [b"one\n", b"two\n"]
    with pytest.raises(ConnectionError):
        next(lines)
    assert list(whole_lines([b"a\nb"])) == [b"a\n", b"b"]
