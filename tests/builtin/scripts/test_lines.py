import tracemalloc
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from penstock.builtin.scripts.lines import Line, LineSplitter


def lines_of(*pieces: bytes, bound: int = 1000) -> list[Line]:
    splitter = LineSplitter(bound)
    found = [line for piece in pieces for line in splitter.feed(piece)]
    return [*found, *splitter.finish()]


def texts(*pieces: bytes, bound: int = 1000) -> list[str]:
    return [line.text for line in lines_of(*pieces, bound=bound)]


def test_lines_across_pieces_are_joined() -> None:
    assert texts(b"a", b"b\nc", b"\n", b"d") == ["ab", "c", "d"]


def test_lines_of_all_kinds_of_ends_are_split_once() -> None:
    assert texts(b"a\r\nb\rc\n\nd\r", b"\ne\r", b"f") == ["a", "b", "c", "", "d", "e", "f"]


def test_lines_split_within_a_character_are_whole() -> None:
    assert texts(b"gr\xc3", b"\xbc\n") == ["grü"]


def test_lines_with_what_is_no_text_are_mended() -> None:
    assert texts(b"a\xff\xfeb\0c\n") == ["a��b�c"]


def test_lines_too_long_are_cut_and_say_how_much() -> None:
    assert lines_of(b"x" * 30, b"y" * 30 + b"\nnext\n", bound=40) == [Line("x" * 30 + "y" * 10, 20), Line("next")]


def test_lines_of_a_hundred_megabytes_are_never_held_whole() -> None:
    splitter = LineSplitter(10_000)
    piece = b"x" * 65_536
    tracemalloc.start()
    for _ in range(1600):
        assert not list(splitter.feed(piece))
    (line,) = splitter.feed(b"\n")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert line.cut == 1600 * 65_536 - 10_000
    assert peak < 2_000_000


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=6))
def test_lines_however_cut_into_pieces_are_the_same(data: bytes, places: list[int]) -> None:
    cuts = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    pieces = [data[start:end] for start, end in pairwise(cuts)]
    assert texts(*pieces) == texts(data)
