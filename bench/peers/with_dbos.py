"""DBOS on SQLite: durable workflows of two steps, as its documentation shows them. Run by `bench.peers`."""

from __future__ import annotations

import json
import statistics
import sys
import time

from dbos import DBOS, DBOSConfig

QUEUE = "fan-out"


@DBOS.step()
def step(number: int) -> int:
    """Do next to nothing, durably."""
    return number


@DBOS.workflow()
def simple() -> int:
    """Run two steps."""
    return step(step(1))


@DBOS.workflow()
def one(number: int) -> int:
    """Run one step, as a child on a queue."""
    return step(number)


@DBOS.workflow()
def fan_out(count: int) -> int:
    """Run so many children side by side."""
    queue = DBOS.retrieve_queue(QUEUE)
    handles = [queue.enqueue(one, number) for number in range(count)]
    return sum(handle.get_result() for handle in handles)


def main(count: int) -> None:
    """Measure and print the figures."""
    config: DBOSConfig = {"name": "peer", "system_database_url": "sqlite:///peer.sqlite", "log_level": "ERROR"}
    DBOS(config=config)
    DBOS.launch()
    DBOS.register_queue(QUEUE)
    simple()
    latencies = []
    for _ in range(20):
        began = time.perf_counter()
        simple()
        latencies.append(time.perf_counter() - began)
    began = time.perf_counter()
    for handle in [DBOS.start_workflow(simple) for _ in range(count)]:
        handle.get_result()
    elapsed = time.perf_counter() - began
    fan_out(1)
    began = time.perf_counter()
    fan_out(100)
    figures = {
        "executions_per_minute": count / elapsed * 60,
        "idle_median_ms": statistics.median(latencies) * 1000,
        "fan_out_100_s": time.perf_counter() - began,
    }
    DBOS.destroy()
    print(json.dumps(figures))


if __name__ == "__main__":
    main(int(sys.argv[1]))
