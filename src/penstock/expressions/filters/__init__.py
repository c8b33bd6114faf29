"""The filters of the template language, one module per kind of value."""

from __future__ import annotations

from penstock.expressions.filters import collections, dates, json, numbers, patterns, strings, yaml
from penstock.expressions.registry import Registry

FILTERS = Registry(
    "filter",
    [
        *collections.ENTRIES,
        *dates.ENTRIES,
        *json.ENTRIES,
        *numbers.ENTRIES,
        *patterns.ENTRIES,
        *strings.ENTRIES,
        *yaml.ENTRIES,
    ],
)
