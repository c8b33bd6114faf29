"""What watches over executions: concurrency, service levels, checks before the start."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from penstock.model.base import FlowModel
from penstock.model.retry import Duration, FixedDuration

LogLevel = Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR"]


class Concurrency(FlowModel):
    """How many executions may run at a time: of the flow, or of all flows of a pool. Implements ENG-251, BEY-012."""

    limit: int | None = Field(None, ge=1, description="How many of the flow at most.")
    pool: str | None = Field(
        None, min_length=1, description="The pool whose limit, in the server's configuration, holds for all its flows."
    )
    behavior: Literal["QUEUE", "CANCEL", "FAIL"] = Field("QUEUE", description="What happens to one too many.")

    @model_validator(mode="after")
    def _limited(self) -> Self:
        if self.limit is None and self.pool is None:
            raise ValueError("`concurrency` needs `limit`, `pool` or both")
        return self


class Idempotency(FlowModel):
    """When two launches are one and the same. Implements BEY-044."""

    key: str = Field(min_length=1, description="An expression; launches that give the same text are one.")
    window: FixedDuration | None = Field(
        None, description="For how long; as long as the first execution exists by default."
    )


class _Sla(FlowModel):
    id: str = Field(min_length=1, description="Unique within the flow.")
    behavior: Literal["FAIL", "CANCEL", "NONE"] = Field(description="What happens to the execution on a breach.")
    labels: dict[str, str] | None = Field(None, description="Labels set on the execution on a breach.")


class MaxDurationSla(_Sla):
    """A limit of the execution's duration. Implements ENG-247."""

    type: Literal["MAX_DURATION"]
    duration: FixedDuration = Field(description="How long the execution may run.")


class AssertionSla(_Sla):
    """Something that must hold while the execution runs. Implements ENG-248."""

    type: Literal["EXECUTION_ASSERTION"]
    assertion: str = Field(alias="assert", description="An expression; false is a breach.")


Sla = Annotated[MaxDurationSla | AssertionSla, Field(discriminator="type")]
"""A service level (ENG-246)."""


class Check(FlowModel):
    """What must hold before an execution is created. Implements ENG-192, ENG-193."""

    condition: str | bool = Field(description="An expression over inputs.")
    message: str = Field(description="Shown when the condition is false.")
    style: Literal["ERROR", "SUCCESS", "WARNING", "INFO"] = Field("INFO", description="How the message is shown.")
    behavior: Literal["BLOCK_EXECUTION", "FAIL_EXECUTION", "CREATE_EXECUTION"] = Field(
        "BLOCK_EXECUTION", description="What happens when the condition is false."
    )


class TaskCache(FlowModel):
    """Reuse of earlier results of a task (ENG-326)."""

    enabled: bool = Field(description="Whether results are reused.")
    ttl: Duration | None = Field(None, description="How old a result may be.")


class WorkerGroup(FlowModel):
    """Which workers may run tasks (ENG-047)."""

    key: str
    fallback: Literal["WAIT", "FAIL", "CANCEL", "IGNORE"] = "WAIT"


def as_dict(model: FlowModel) -> dict[str, Any]:
    """Return a model as it is written, names in camelCase, what is not set left out."""
    return model.model_dump(by_alias=True, exclude_none=True)
