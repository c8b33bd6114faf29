"""Families of metrics from plain numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily

from penstock.base.measures import Summary
from penstock.services.metrics.tallies import Labels


def counter(name: str, text: str, labels: Sequence[str], counts: Mapping[Labels, int]) -> Metric:
    """Return a counter; the ending `_total` comes by itself."""
    family = CounterMetricFamily(name, text, labels=labels)
    for values, count in list(counts.items()):
        family.add_metric(values, count)
    return family


def gauge(name: str, text: str, labels: Sequence[str], found: Mapping[Labels, float]) -> Metric:
    """Return a gauge."""
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, value in found.items():
        family.add_metric(values, value)
    return family


def summary(name: str, text: str, labels: Sequence[str], found: Mapping[Labels, Summary]) -> Iterator[Metric]:
    """Yield a summary in seconds, and a gauge of the longest."""
    family = SummaryMetricFamily(f"{name}_seconds", text, labels=labels)
    longest = GaugeMetricFamily(f"{name}_seconds_max", f"{text} The longest.", labels=labels)
    for values, one in list(found.items()):
        family.add_metric(values, one.count, one.seconds)
        longest.add_metric(values, one.longest)
    yield family
    yield longest
