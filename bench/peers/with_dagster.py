"""Dagster with a persistent instance: jobs of two ops, executed in the process. Run by `bench.peers`."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from pathlib import Path

os.environ["DAGSTER_HOME"] = str(Path.cwd())

from dagster import DagsterInstance, DynamicOut, DynamicOutput, job, op


@op
def first() -> int:
    """Do next to nothing."""
    return 1


@op
def second(number: int) -> int:
    """Do next to nothing."""
    return number


@job
def simple() -> None:
    """Run two ops."""
    second(first())


@op(out=DynamicOut(int))
def numbers():  # type: ignore[no-untyped-def]  # the generator's type is Dagster's own affair
    """Give 100 numbers."""
    for number in range(100):
        yield DynamicOutput(number, mapping_key=str(number))


@job
def fan_out() -> None:
    """Run one op per number."""
    numbers().map(second)


def main(count: int) -> None:
    """Measure and print the figures."""
    Path("dagster.yaml").touch()
    instance = DagsterInstance.get()
    simple.execute_in_process(instance=instance)
    latencies = []
    for _ in range(10):
        began = time.perf_counter()
        simple.execute_in_process(instance=instance)
        latencies.append(time.perf_counter() - began)
    runs = max(10, count // 10)
    began = time.perf_counter()
    for _ in range(runs):
        simple.execute_in_process(instance=instance)
    elapsed = time.perf_counter() - began
    began = time.perf_counter()
    fan_out.execute_in_process(instance=instance)
    figures = {
        "executions_per_minute": runs / elapsed * 60,
        "idle_median_ms": statistics.median(latencies) * 1000,
        "fan_out_100_s": time.perf_counter() - began,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(int(sys.argv[1]))
