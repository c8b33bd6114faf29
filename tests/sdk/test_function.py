"""Functions as task types."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import Field, ValidationError

from penstock.model.registry import TypeEntry
from penstock.model.schema import type_schema
from penstock.sdk import MetricNote, Output, RunContext, Task, task
from penstock.sdk.function import UnfitFunction
from penstock.testing.flows import run_flow
from penstock.testing.run_context import RunContextFactory, messages_of


@task("org.example.Repeat", aliases=("org.example.Again",))
def repeat(
    text: Annotated[str, Field(description="The text.", min_length=1)],
    times: Annotated[int, Field(ge=1)] = 2,
    line_end: str | None = None,
) -> str:
    """Say a text several times."""
    return (text + (line_end or "")) * times


class Counted(Output):
    letters: int


@task("org.example.Count")
def count(words: list[str], context: RunContext) -> Counted:
    """Count letters."""
    context.logger.info(f"{len(words)} words")
    return Counted(letters=sum(map(len, words)))


def made(function: Any, **properties: Any) -> Any:
    return function.task_type.model_validate({"id": "t", "type": function.task_type.type_name, **properties})


def test_function_stays_a_function() -> None:
    """PLG-012."""
    assert repeat("ab", times=3) == "ababab"
    assert repeat.__name__ == "repeat"


def test_function_as_task_gets_rendered_properties_and_gives_its_result_as_value() -> None:
    """PLG-012, PLG-013, PLG-014."""
    with RunContextFactory() as contexts:
        context = contexts.of({"x": "ab", "n": 3})
        assert made(repeat, text="{{ x }}", times="{{ n }}", lineEnd="!").run(context) == {"value": "ab!ab!ab!"}
        assert made(repeat, text="{{ x }}").run(context) == {"value": "abab"}


def test_function_with_context_logs_and_its_model_is_the_outputs() -> None:
    """PLG-012, PLG-019, PLG-023."""
    with RunContextFactory() as contexts:
        context = contexts.of({"all": ["one", "three"]})
        assert made(count, words="{{ all }}").run(context) == Counted(letters=8)
        assert messages_of(context) == [("INFO", "2 words")]
    assert count.task_type.output_type is Counted


def test_function_constraints_hold_when_the_flow_is_read() -> None:
    """PLG-016."""
    with pytest.raises(ValidationError):
        made(repeat, text="a", times=0)
    with pytest.raises(ValidationError):
        made(repeat)


def test_function_schema_and_documentation_come_from_the_signature() -> None:
    """PLG-004, PLG-045, PLG-046, PLG-047."""
    entry = TypeEntry.of(repeat.task_type)
    properties = type_schema(entry)["properties"]
    assert entry.name == "org.example.Repeat"
    assert entry.aliases == ("org.example.Again",)
    assert properties["properties"]["text"]["description"] == "The text."
    assert "text" in properties["required"]
    assert "times" not in properties["required"]


def test_function_that_cannot_be_a_task_is_refused_where_it_is_written() -> None:
    """PLG-012."""

    def taken(timeout: int) -> None: ...

    def open_ended(*texts: str) -> None: ...

    async def waiting() -> None: ...

    for function in (taken, open_ended, waiting):
        with pytest.raises(UnfitFunction):
            task("org.example.Bad")(function)


def test_examples_and_metrics_of_the_documentation_are_in_the_schema() -> None:
    """PLG-045."""

    class Shout(Task):
        """Say something loudly.

        Say one word:

        ```yaml
        tasks:
          - {id: shout, type: org.example.Shout}
        ```

        ```yaml
        id: whole
        namespace: team
        ```
        """

        type_name = "org.example.Shout"
        type_metrics = (MetricNote("words", "counter", "How many."),)

    said = type_schema(TypeEntry.of(Shout))["properties"]
    assert [(one["title"], one["full"]) for one in said["$examples"]] == [("Say one word", False), (None, True)]
    assert said["$examples"][0]["code"].startswith("tasks:\n  - {id: shout")
    assert said["$metrics"] == [{"name": "words", "type": "counter", "description": "How many."}]


FLOW = """
id: shout
namespace: company.team
inputs:
  - id: word
    type: STRING
tasks:
  - id: twice
    type: org.example.Again
    text: "{{ inputs.word }}"
outputs:
  - id: said
    type: STRING
    value: "{{ outputs.twice.value }}"
"""


def test_function_runs_in_a_flow_under_its_older_name_too() -> None:
    """PLG-004, PLG-012, PLG-054."""
    done = run_flow(FLOW, types=[repeat], inputs={"word": "hey"})
    assert done.state == "SUCCESS"
    assert done.outputs_of("twice") == {"value": "heyhey"}
    assert done.outputs == {"said": "heyhey"}
