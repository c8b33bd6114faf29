"""Retries as written (ENG-235, ENG-236, ENG-242)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, AliasChoices, Field

from penstock.base.durations import DurationError, parse_duration
from penstock.model.base import FlowModel


def _duration(text: str) -> str:
    """Check a duration, unless it is an expression."""
    if "{{" not in text and "{%" not in text:
        try:
            parse_duration(text)
        except DurationError as error:
            raise ValueError(str(error)) from error
    return text


def _fixed(text: str) -> str:
    """Check a duration that has to be known before anything is rendered."""
    try:
        parse_duration(text)
    except DurationError as error:
        if "{{" in text or "{%" in text:
            raise ValueError("must be a duration such as PT30S; it cannot be an expression") from error
        raise ValueError(str(error)) from error
    return text


Duration = Annotated[str, AfterValidator(_duration)]
"""An ISO 8601 duration, or an expression that gives one."""
FixedDuration = Annotated[str, AfterValidator(_fixed)]
"""An ISO 8601 duration."""


class _Retry(FlowModel):
    max_attempts: int | None = Field(
        None,
        ge=1,
        validation_alias=AliasChoices("maxAttempts", "maxAttempt"),
        description="All attempts, the first included.",
    )
    max_duration: FixedDuration | None = Field(
        None, description="Total time of all attempts and the waits between them."
    )
    warning_on_retry: bool = Field(False, description="End with a warning when there was more than one attempt.")
    behavior: Literal["RETRY_FAILED_TASK", "CREATE_NEW_EXECUTION"] = Field(
        "RETRY_FAILED_TASK", description="On a flow: try the failed task again, or begin a new execution."
    )


class ConstantRetry(_Retry):
    """Try again after always the same time."""

    type: Literal["constant"] = "constant"
    interval: FixedDuration = Field(description="Time between two attempts.")


class ExponentialRetry(_Retry):
    """Try again after a time that grows."""

    type: Literal["exponential"]
    interval: FixedDuration = Field(description="Time before the second attempt.")
    max_interval: FixedDuration | None = Field(None, description="The time does not grow beyond this.")
    delay_factor: float = Field(2.0, gt=0, description="What the time is multiplied by after each attempt.")


class RandomRetry(_Retry):
    """Try again after a time between two bounds."""

    type: Literal["random"]
    min_interval: FixedDuration = Field(description="The shortest time between two attempts.")
    max_interval: FixedDuration = Field(description="The longest time between two attempts.")


Retry = Annotated[ConstantRetry | ExponentialRetry | RandomRetry, Field(discriminator="type")]
"""When and how often a failed attempt is tried again."""
