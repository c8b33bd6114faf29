"""Which jq programs are run where they stand."""

from __future__ import annotations

import json

import pytest

from penstock.expressions import ExpressionError, Renderer, Settings
from penstock.expressions.jq_grammar import is_harmless
from penstock.expressions.jq_programs import run_program

_INPUT = json.dumps({"name": "Ada", "a": {"b": [1, 2, 3]}, "rows": [{"id": 1, "ok": True}, {"id": 2, "ok": False}]})


@pytest.mark.parametrize(
    ("program", "results"),
    [
        (".name", ["Ada"]),
        (".a.b[0]", [1]),
        ('.a["b"][1:]', [[2, 3]]),
        (".a.b[-1]", [3]),
        (".a.x?.y", [None]),
        (".rows[].id", [1, 2]),
        (".rows | map(select(.ok and .id > 0)) | first | .id", [1]),
        ("[.rows[] | {id, fine: .ok}]", [[{"id": 1, "fine": True}, {"id": 2, "fine": False}]]),
        ('.x // "none"', ["none"]),
        (".a | to_entries | map(.key)", [["b"]]),
        ('.rows | map(.id | tostring) | join("-")', ["1-2"]),
        (".a.b | add + 1", [7]),
        (".name, .a.b", ["Ada", [1, 2, 3]]),
    ],
)
def test_common_program_is_harmless_and_runs(program: str, results: list[object]) -> None:
    assert is_harmless(program)
    assert run_program(program, _INPUT, 100) == results


@pytest.mark.parametrize(
    "program",
    [
        "def f: f; f",
        "reduce range(100000) as $i (0;[.])",
        "[range(1e9)]",
        "..",
        "repeat(1)",
        "until(false; .)",
        "limit(3; .[])",
        ". as $x | $x",
        "@json",
        ". * 1000000000",
        'split("") | join("xxxxxxxx")|split("")',
        'test("(a+)+$")',
        "select(.[])",
        ".[] == .[]",
        "1 == .[] == .[]",
        "select(1 == .[])",
        "input",
        "| ".join(["{a: ., b: .}"] * 8),
        "| ".join([". + ."] * 8),
        "| ".join(["(1, 1)"] * 8),
        '"\\(.)"',
        "(" * 50 + "." + ")" * 50,
        ". | " * 200 + ".",
    ],
)
def test_program_that_may_be_costly_is_not_harmless(program: str) -> None:
    assert not is_harmless(program)


def test_program_that_may_be_costly_without_a_place_to_run_is_refused() -> None:
    with pytest.raises(ExpressionError, match="may run for ever"):
        Renderer().evaluate("{{ 1 | jq('def f: f; f') }}", {})


def test_program_that_may_be_costly_is_handed_over_with_its_limit() -> None:
    asked = []

    def jq(program: str, text: str, seconds: float) -> list[object]:
        asked.append((program, text, seconds))
        return ["answer"]

    renderer = Renderer(settings=Settings(jq=jq, jq_timeout=3.0))
    assert renderer.evaluate("{{ [1] | jq('.[] * 2') }}", {}) == ["answer"]
    assert asked == [(".[] * 2", "[1]", 3.0)]
