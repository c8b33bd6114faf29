"""YAML text to plain data with positions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.base.codec import to_json
from penstock.model.scalars import plain, written
from penstock.model.yaml import MAX_NODES, Position, read_yaml, split_documents


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-3", -3),
        ("1_000", 1000),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("true", True),
        ("no", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("'yes'", "yes"),
        ('"5"', "5"),
        ("007", "007"),
        ("10:30", "10:30"),
        ("2024-01-31", "2024-01-31"),
        ("2024-01-31T10:00:00Z", "2024-01-31T10:00:00Z"),
        ("1.2.3", "1.2.3"),
        (".inf", ".inf"),
        ("1e999", "1e999"),
        ("12345678901234567890123", "12345678901234567890123"),
        ("!!str 5", "5"),
        ("!!int '5'", 5),
        ("-", [None]),
        ("0x", "0x"),
    ],
)
def test_scalar_read_from_yaml_has_the_value_flows_expect(text: str, value: object) -> None:
    """Implements ENG-176."""
    found = plain(read_yaml(text).data)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", ["1.10", "0x1F", "1_000", "yes", "TRUE", "+5", "5."])
def test_scalar_whose_text_python_would_lose_remembers_it(text: str) -> None:
    assert written(read_yaml(text).data) == text


def test_keys_read_from_yaml_are_the_text_that_was_written() -> None:
    data = read_yaml("{1: a, 1.10: b, yes: c, true: d, True: e, ~: f}").data
    assert data == {"1": "a", "1.10": "b", "yes": "c", "true": "d", "~": "f"}


def test_position_of_a_path_points_at_its_key_or_item() -> None:
    document = read_yaml("id: a\ntasks:\n  - id: one\n  - id: two\n    message: hi\n")
    assert document.position(("tasks", 1, "message")) == Position(5, 5)
    assert document.position(("tasks", 0)) == Position(3, 5)
    assert document.position(("tasks", 1, "missing", "deeper")) == Position(4, 5)


def test_position_of_a_part_of_a_longer_text_counts_from_its_first_line() -> None:
    assert read_yaml("a: 1\nb: 2\n", first_line=10).position(("b",)) == Position(11, 1)


def test_position_within_a_literal_block_adds_its_indentation() -> None:
    document = read_yaml("script: |\n    one\n      two\n")
    assert document.position_within(("script",), 2, 3) == Position(3, 7)


def test_position_within_a_quoted_text_counts_the_quote() -> None:
    assert read_yaml('a: "xyz"').position_within(("a",), 1, 2) == Position(1, 6)


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("a: 1\na: 2\n", "`a` is given twice (first in line 1)", 2, 1),
        ("a:\n\tb: 1\n", "a tab stands where only spaces may", 2, 1),
        ("a: &a [*a]\n", "the alias `*a` stands for nothing", 1, 8),
        ("a: {{ x }}\n", "an expression that begins a value must be quoted", 1, 5),
        ("a: !ruby/object x\n", "the tag `!ruby/object` means nothing here", 1, 4),
        ("a: 1\n---\nb: 2\n", "the text holds more than one document", 2, 1),
        ("a: \x00\n", "the text holds a control character", 1, 4),
        ("<<: 5\n", "`<<` merges maps only", 1, 1),
        ("? [a]\n: b\n", "a key must be text", 1, 3),
    ],
)
def test_yaml_mistake_is_a_problem_with_its_place(text: str, message: str, line: int, column: int) -> None:
    [problem] = read_yaml(text).problems
    assert (problem.message, problem.line, problem.column) == (message, line, column)
    assert problem.hint


def test_merge_key_fills_in_what_the_map_does_not_say() -> None:
    document = read_yaml("x: &x {a: 1, b: 1}\ny: &y {c: 1}\nz:\n  <<: [*x, *y]\n  b: 2\n")
    assert document.data["z"] == {"a": 1, "b": 2, "c": 1}
    assert document.problems == ()


def test_text_nested_deeper_than_any_flow_is_refused_without_harm() -> None:
    for text in ("[" * 100_000, "- " * 100_000, "{a: " * 10_000):
        assert "nested too deeply" in read_yaml(text).problems[0].message


def test_aliases_that_multiply_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 10)]
    [problem] = read_yaml("\n".join(lines)).problems
    assert problem.message == "the document holds too many values"
    assert MAX_NODES < 10**9


def test_documents_split_from_one_text_keep_their_bytes_and_lines() -> None:
    text = "# head\nid: a\n---\nid: b\nscript: |\n  ---\n---  # next\n\n# nothing\n--- {id: c}\n"
    assert split_documents(text) == [
        ("# head\nid: a\n", 1),
        ("id: b\nscript: |\n  ---\n", 4),
        (" {id: c}\n", 10),
    ]


@given(st.text())
def test_any_text_read_as_yaml_gives_data_or_problems(text: str) -> None:
    document = read_yaml(text)
    assert all(problem.message and problem.line >= 1 and problem.column >= 1 for problem in document.problems)
    assert to_json(plain(document.data))


@given(st.text(alphabet="abc:-[]{}'\"&*!|>?#%@, \n\t<"))
def test_any_text_of_yaml_signs_gives_data_or_problems(text: str) -> None:
    document = read_yaml(text)
    assert to_json(plain(document.data))
    assert document.position(("a", 0)).line <= text.count("\n") + 1
    for part, _ in split_documents(text):
        assert part in text
