"""The functions of the template language, one module per purpose."""

from __future__ import annotations

from penstock.expressions.functions import calendar, outside, parsing, rendering, utilities, workflow
from penstock.expressions.registry import Registry

FUNCTIONS = Registry(
    "function",
    [
        *calendar.ENTRIES,
        *outside.ENTRIES,
        *parsing.ENTRIES,
        *rendering.ENTRIES,
        *utilities.ENTRIES,
        *workflow.ENTRIES,
    ],
)
