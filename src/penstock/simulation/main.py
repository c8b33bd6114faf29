"""`penstock-sim`: simulate many seeds, or replay one and tell its story."""

from __future__ import annotations

import os
import sys
import time
from typing import Annotated, NoReturn

import structlog
import typer
from structlog.typing import EventDict, WrappedLogger

from penstock.simulation.simulator import Simulator
from penstock.simulation.world import Outcome

app = typer.Typer(add_completion=False)
_HASHES = "PYTHONHASHSEED"
_MODULE = "penstock.simulation.main"


@app.command()
def simulate(
    seeds: Annotated[int, typer.Option(help="How many seeds to simulate.")] = 200,
    first: Annotated[int, typer.Option(help="The first of them.")] = 0,
    seed: Annotated[int | None, typer.Option(help="Replay this seed alone and tell its shortest failure.")] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Tell all of the replayed seed as it is.")] = False,
) -> None:
    """Simulate the server on a simulated clock, database and network; a seed decides what happens and what breaks."""
    structlog.configure(processors=[quiet])
    simulator = Simulator()
    if seed is not None:
        outcome = simulator.run(seed)
        tell(outcome if whole or outcome.violation is None else simulator.shortest(outcome))
        raise typer.Exit(0 if outcome.violation is None else 1)
    began, executions, failed = time.monotonic(), 0, 0
    for number in range(first, first + seeds):
        outcome = simulator.run(number)
        executions += outcome.executions
        if outcome.violation is not None:
            failed += 1
            typer.echo(f"seed {number}: {outcome.violation}\n  replay it with: penstock-sim --seed {number}")
    typer.echo(f"{seeds} seeds, {executions} executions, {failed} failed, {time.monotonic() - began:.1f} s")
    raise typer.Exit(1 if failed else 0)


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
    app()


if __name__ == "__main__":
    main()
