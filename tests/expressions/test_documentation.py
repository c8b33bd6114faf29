"""The reference page: its examples are executed, its tables are those of the registries."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from penstock.expressions import FILTERS, FUNCTIONS, TESTS, Registry, render
from penstock.expressions.registry import REQUIRED, Entry

_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "expressions.md"
_TEXT = _PAGE.read_text(encoding="utf-8")


def _variables() -> dict[str, Any]:
    block = re.search(r"```json\n(.*?)```", _TEXT, re.DOTALL)
    assert block is not None
    variables: dict[str, Any] = json.loads(block[1])
    return variables


def _examples() -> list[tuple[str, str]]:
    examples: list[tuple[str, str]] = []
    for block in re.findall(r"```twig\n(.*?)```", _TEXT, re.DOTALL):
        lines: list[str] = []
        for line in block.splitlines():
            if line.startswith("→"):
                examples.append(("\n".join(lines), line.removeprefix("→").removeprefix(" ").replace("⏎", "\n")))
                lines = []
            else:
                lines.append(line)
        assert not lines, f"an example without result: {lines}"
    return examples


@pytest.mark.parametrize(("template", "result"), _examples())
def test_example_of_the_reference_writes_what_the_page_says(template: str, result: str) -> None:
    """Every example on the page is executed."""
    assert render(template, _variables()) == result


def _row(entry: Entry) -> str:
    arguments = ", ".join(
        parameter.name if parameter.default is REQUIRED else f"{parameter.name}={json.dumps(parameter.default)}"
        for parameter in entry.parameters
    )
    call = f"{entry.name}({'...' if entry.variadic else arguments})" if arguments or entry.variadic else entry.name
    also = f" Also `{'`, `'.join(entry.aliases)}`." if entry.aliases else ""
    outside = " *outside*" if entry.outside else ""
    return f"| `{call}` | {entry.summary}{also}{outside} |"


def table(registry: Registry) -> str:
    """Return the table of a registry as the page must show it."""
    rows = "\n".join(_row(registry[name]) for name in registry)
    return f"| {registry.kind} | gives |\n|---|---|\n{rows}"


@pytest.mark.parametrize("registry", [FILTERS, FUNCTIONS, TESTS], ids=lambda registry: registry.kind)
def test_table_of_the_reference_is_that_of_the_registry(registry: Registry) -> None:
    """A new filter, function or test must be documented, with its arguments."""
    assert table(registry) in _TEXT, f"the page must contain:\n{table(registry)}"
