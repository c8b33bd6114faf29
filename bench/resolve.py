"""How long it takes to read and to resolve flows of many tasks: milliseconds, and microseconds a task."""

from __future__ import annotations

import time

from penstock.engine.resolve import resolve
from penstock.model.flow import read_flow
from penstock.model.registry import TypeRegistry
from penstock.wiring.plugins import builtin_types

REGISTRY = TypeRegistry(builtin_types())
TASK = """\
  - id: t{index}
    type: io.kestra.plugin.core.log.Log
    message: "task {index} of {{{{ inputs.user }}}}"
    level: INFO
"""


def flow_of(count: int) -> str:
    tasks = "".join(TASK.format(index=index) for index in range(count))
    return f"id: many\nnamespace: bench\ninputs:\n  - {{id: user, type: STRING}}\ntasks:\n{tasks}"


def main() -> None:
    print(f"{'tasks':>6} {'read ms':>9} {'us/task':>8} {'resolve ms':>11} {'us/task':>8}")
    for count in (100, 1000, 5000):
        source = flow_of(count)
        begin = time.perf_counter()
        parsed = read_flow(source, REGISTRY)
        read = time.perf_counter() - begin
        begin = time.perf_counter()
        resolve(parsed, REGISTRY, tenant="main", revision=1)
        resolved = time.perf_counter() - begin
        each = read / count * 1e6, resolved / count * 1e6
        print(f"{count:6} {read * 1e3:9.1f} {each[0]:8.1f} {resolved * 1e3:11.1f} {each[1]:8.1f}")


if __name__ == "__main__":
    main()
