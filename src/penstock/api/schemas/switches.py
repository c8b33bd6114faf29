"""What people say of flows and triggers, apart from their sources."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from penstock.api.schemas.base import Shape

_State = Literal["ENABLED", "DISABLED", "PAUSED"]


class Switch(Shape):
    """What somebody said of a flow or trigger; it counts more than the source."""

    namespace: str
    flow_id: str
    trigger_id: str | None = Field(None, description="The trigger; the flow itself, when left out.")
    state: _State
    since: datetime
    until: datetime | None = Field(None, description="When a pause ends by itself.")
    by: str | None = None
    reason: str | None = None
    source: Literal["ENABLED", "DISABLED"] = Field(description="What the source says.")
    drift: bool = Field(description="Whether the source says something else.")


class SwitchOrder(Shape):
    """What a flow or trigger is to be, whatever its source says."""

    state: _State | None = Field(description="Null, where several are named: what the source says.")
    until: datetime | None = Field(None, description="When a pause ends by itself.")
    reason: str | None = None


class SwitchName(Shape):
    """A flow, or one of its triggers."""

    namespace: str
    flow_id: str
    trigger_id: str | None = None


class SwitchNames(SwitchOrder):
    """What several flows and triggers are to be."""

    names: list[SwitchName]
