"""Prefect with a server of its own: flows of two tasks, called as its documentation shows. Run by `bench.peers`."""

from __future__ import annotations

import json
import statistics
import sys
import time

from prefect import flow, task
from prefect.testing.utilities import prefect_test_harness


@task
def step(number: int) -> int:
    """Do next to nothing."""
    return number


@flow(log_prints=False)
def simple() -> int:
    """Run two tasks."""
    return step(step(1))


@flow
def fan_out(count: int) -> int:
    """Run so many tasks side by side."""
    return sum(future.result() for future in step.map(list(range(count))))


def main(count: int) -> None:
    """Measure and print the figures."""
    with prefect_test_harness(server_startup_timeout=120):
        simple()
        latencies = []
        for _ in range(10):
            began = time.perf_counter()
            simple()
            latencies.append(time.perf_counter() - began)
        runs = max(10, count // 10)
        began = time.perf_counter()
        for _ in range(runs):
            simple()
        elapsed = time.perf_counter() - began
        began = time.perf_counter()
        fan_out(100)
        figures = {
            "executions_per_minute": runs / elapsed * 60,
            "idle_median_ms": statistics.median(latencies) * 1000,
            "fan_out_100_s": time.perf_counter() - began,
        }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(int(sys.argv[1]))
