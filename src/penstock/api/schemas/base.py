"""What all shapes are made of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from penstock.engine.states import StateType


class Shape(BaseModel):
    """Base of all shapes: camelCase on the wire."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Problem(Shape):
    """One thing that is wrong, and where."""

    severity: str | None = None
    path: str | None = None
    input: str | None = None
    message: str
    hint: str | None = None
    code: str | None = None
    line: int | None = None
    column: int | None = None


class Error(Shape):
    """What every refusal says: what is wrong, and what to do."""

    message: str
    code: str | None = None
    hint: str | None = None
    path: str | None = None
    problems: list[Problem] | None = None


class StateHistory(Shape):
    """One change of a state."""

    state: StateType
    date: datetime


class State(Shape):
    """A state and how it came about."""

    current: StateType
    histories: list[StateHistory] = Field(default_factory=list)
    duration: str | None = Field(None, description="ISO 8601, such as PT0.5S.")
    start_date: datetime | None = None
    end_date: datetime | None = None


class Label(Shape):
    """A label."""

    key: str
    value: str


class BulkAnswer(Shape):
    """How many were dealt with, and why others were not."""

    count: int
    invalids: list[dict[str, str]] | None = None


class BulkRefusal(Shape):
    """Which ids kept a bulk request from being carried out."""

    message: str
    invalids: list[dict[str, Any]]
