"""What may be told about the parts of a flow, and the names input types go by."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from penstock.model.problems import Problem, Severity

Problems = Callable[..., list[Problem]]


def test_description_is_accepted_on_every_part_of_a_flow(problems: Problems) -> None:
    """ENG-016, ENG-163: Markdown, never rendered; inputs have a name to be shown, too."""
    assert (
        problems(
            "description: '**bold** {{ not.rendered }}'",
            "inputs: [{id: a, type: STRING, description: '_a_', displayName: The input, defaults: x}]",
            "tasks: [{id: t, type: test.Return, description: '# t'}]",
            "outputs: [{id: o, type: STRING, value: x, description: '`o`'}]",
            "triggers: [{id: r, type: test.Timer, description: '> r'}]",
        )
        == []
    )


@pytest.mark.parametrize("name", ["BOOL", "BOOLEAN", "SELECT", "ENUM"])
def test_input_type_goes_by_either_name(problems: Problems, name: str) -> None:
    """ENG-394."""
    values = ", values: [a, b]" if name in ("SELECT", "ENUM") else ""
    found = problems(f"inputs: [{{id: a, type: {name}{values}}}]")
    assert [one for one in found if one.severity is Severity.ERROR] == []
