"""`penstock-sim`: simulate many seeds, or replay one and tell its story."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Annotated, NoReturn

import structlog
import typer
from structlog.typing import EventDict, WrappedLogger

from penstock.simulation.simulator import Simulator
from penstock.simulation.world import Outcome

app = typer.Typer(add_completion=False)
_PART = 25
_PARTS_EACH = 10
"""How many parts a process simulates before others take the place of all, so that memory stays small.

A pool that renews its processes by itself (`max_tasks_per_child`) can stand still for good when it does.
"""
_PROGRESS = 500
_HASHES = "PYTHONHASHSEED"
_MODULE = "penstock.simulation.main"


@app.command()
def simulate(
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds to simulate.")] = 200,
    first: Annotated[int, typer.Option(help="The first of them.")] = 0,
    seed: Annotated[int | None, typer.Option(help="Replay this seed alone and tell its shortest failure.")] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Tell all of the replayed seed as it is.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="How many processes simulate at a time.")] = 1,
) -> None:
    """Simulate the server on a simulated clock, database and network; a seed decides what happens and what breaks."""
    if seed is not None:
        structlog.configure(processors=[quiet])
        simulator = Simulator()
        outcome = simulator.run(seed)
        tell(outcome if whole or outcome.violation is None else simulator.shortest(outcome))
        raise typer.Exit(0 if outcome.violation is None else 1)
    began, executions, failed = time.monotonic(), 0, 0
    for done, (number, made, violation) in enumerate(several(range(first, first + seeds), jobs), 1):
        executions += made
        if done % _PROGRESS == 0:
            typer.echo(f"{done} of {seeds} seeds, {failed} failed", err=True)
        if violation is not None:
            failed += 1
            typer.echo(f"seed {number}: {violation}\n  replay it with: penstock-sim --seed {number}")
    typer.echo(f"{seeds} seeds, {executions} executions, {failed} failed, {time.monotonic() - began:.1f} s")
    raise typer.Exit(1 if failed else 0)


Result = tuple[int, int, str | None]
"""A seed, how many executions there were, and what was violated."""


def several(seeds: range, jobs: int) -> Iterator[Result]:
    """Yield how seeds ended, in order; simulated by one process, or by several."""
    if jobs == 1:
        yield from simulated(seeds)
        return
    for some in cut(seeds, _PART * _PARTS_EACH * jobs):
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            for results in pool.map(gathered, cut(some, _PART)):
                yield from results


def cut(seeds: range, size: int) -> list[range]:
    """Return the seeds in pieces of a size."""
    return [seeds[start : start + size] for start in range(0, len(seeds), size)]


def gathered(seeds: range) -> list[Result]:
    """Return how seeds ended; runs in a process of its own."""
    return list(simulated(seeds))


def simulated(seeds: range) -> Iterator[Result]:
    """Simulate seeds one after another."""
    structlog.configure(processors=[quiet])
    simulator = Simulator()
    for number in seeds:
        outcome = simulator.run(number)
        yield number, outcome.executions, outcome.violation


def quiet(logger: WrappedLogger, name: str, event: EventDict) -> NoReturn:
    """Drop a log line: what breaks is meant to, and the story is told otherwise."""
    raise structlog.DropEvent


def tell(outcome: Outcome) -> None:
    """Print how a simulation ended."""
    machines = ", ".join(machine.name for machine in outcome.scenario.machines)
    typer.echo(f"seed {outcome.scenario.seed}: {machines}; {len(outcome.scenario.happenings)} happenings")
    for line in outcome.story:
        typer.echo(line)
    typer.echo(outcome.violation or f"all holds ({outcome.executions} executions, {outcome.steps} steps)")


def main() -> None:
    """Run the command. Sets and dictionaries must come in the same order each time, so hashes are fixed first."""
    if os.environ.get(_HASHES) != "0":
        os.execve(sys.executable, [sys.executable, "-m", _MODULE, *sys.argv[1:]], {**os.environ, _HASHES: "0"})  # noqa: S606
    app(prog_name="penstock-sim")


if __name__ == "__main__":
    main()
