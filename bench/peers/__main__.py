"""`python -m bench.peers`: Penstock and other engines from PyPI, one after the other on this machine.

Each peer is installed into `.cache/peers/<name>` and runs its own script of this folder the way its documentation
shows. All print the same three figures: executions of two small tasks per minute, the idle latency of one such
execution, and the seconds of 100 tasks side by side.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parent.parent / ".cache" / "peers"
# Prefect 3.8's server calls FastAPI in a way that later releases refuse, whatever its own requirements say.
PACKAGES = {
    "dbos": ["dbos"],
    "prefect": ["prefect", "fastapi<0.116"],
    "dagster": ["dagster"],
    "airflow": ["apache-airflow"],
}
FIGURES = ("executions_per_minute", "idle_median_ms", "fan_out_100_s")


def installed(name: str) -> Path:
    """Return the Python of a peer's environment, made when needed."""
    folder = CACHE / name
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"Installing {name}", flush=True)
        venv.create(folder, with_pip=True)
        for package in PACKAGES[name]:
            subprocess.run([python, "-m", "pip", "install", "--quiet", package], check=True)
    return python


def measured(name: str, count: int) -> dict[str, float]:
    """Return the figures of a peer."""
    with tempfile.TemporaryDirectory(prefix=f"peer-{name}-") as folder:
        command = [str(installed(name)), str(HERE / f"with_{name}.py"), str(count)]
        done = subprocess.run(
            command, cwd=folder, env={**os.environ, "HOME": folder}, capture_output=True, text=True, timeout=900
        )
    if done.returncode != 0:
        raise SystemExit(f"{name} failed:\n{done.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def penstock() -> dict[str, float]:
    """Return Penstock's figures: SQLite, through the REST API, the load client included."""
    with tempfile.TemporaryDirectory(prefix="peer-penstock-") as folder:
        target = Path(folder) / "figures.json"
        command = [sys.executable, "-m", "bench", "--only", "sqlite", "--scale", "0.2", "--json", str(target)]
        subprocess.run(command, check=True, capture_output=True)
        [result] = json.loads(target.read_text())
    return {
        "executions_per_minute": result["benchmark_1"]["executions_per_minute"],
        "idle_median_ms": result["idle_latency"]["median_ms"],
        "fan_out_100_s": result["loop_100_s"],
    }


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("peers", nargs="*", default=[], help=f"which ones: {', '.join(PACKAGES)}; all by default")
    parser.add_argument("--count", type=int, default=200, help="executions of two tasks per peer (default 200)")
    options = parser.parse_args()
    rows = {"penstock": penstock()}
    for name in options.peers or PACKAGES:
        rows[name] = measured(name, options.count)
    print(f"{'':<10}{'executions/min':>16}{'idle latency, ms':>18}{'100 tasks, s':>14}")
    for name, figures in rows.items():
        first, second, third = (figures[key] for key in FIGURES)
        print(f"{name:<10}{first:>16,.0f}{second:>18,.1f}{third:>14,.3f}")


if __name__ == "__main__":
    main()
