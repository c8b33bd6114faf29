"""Marks on the annotations of plugin classes, that tell the flow reader what a property holds."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.model.registry import TypeKind


@dataclass(frozen=True, slots=True)
class Typed:
    """Marks a property that holds definitions, each read by the class its own `type` names.

    The annotated type says how many: `dict[str, Any]` one, `list[dict[str, Any]]` several, `dict[str, list[...]]` named
    lists. Example: `Annotated[dict[str, Any], Typed(TypeKind.TASK_RUNNER)]`.
    """

    kind: TypeKind


class ChildTasks(Typed):
    """Marks a property that holds task definitions."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(TypeKind.TASK)


@dataclass(frozen=True, slots=True)
class InputDefinitions:
    """Marks a property that holds input definitions, like the `inputs` of a flow."""


@dataclass(frozen=True, slots=True)
class Literally:
    """Marks a property that is never rendered, so that braces in it mean nothing."""
