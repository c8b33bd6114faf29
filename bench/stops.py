"""`python -m bench.stops`: a server that is told to stop (SIGTERM) at moments spread over its start.

Prints for each moment how long the server took to end, and how it did. Fails when one has not ended within the
patience, or when the server cannot be started any more afterwards.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import options

READY = "(ready after"
IN_ORDER = (0, -signal.SIGTERM)
"""How it may end: politely, or by the signal when it comes before anybody listens for it."""


def started(folder: Path) -> subprocess.Popen[str]:
    """Start a server on the database of a folder."""
    command = [sys.executable, "-m", "penstock", "server", "local", "--port", "0", "--data", str(folder)]
    environment = {**os.environ, "ENDPOINTS_ALL_ENABLED": "false"}
    with (folder / "server.log").open("w") as told:
        return subprocess.Popen(command, env=environment, stdout=told, stderr=told, text=True)


def until_ready(folder: Path, process: subprocess.Popen[str], patience: float) -> float:
    """Return how long a start takes; raises SystemExit when it does not succeed."""
    began = time.perf_counter()
    while READY not in (folder / "server.log").read_text():
        if process.poll() is not None or time.perf_counter() - began > patience:
            raise SystemExit(f"the server does not start:\n{(folder / 'server.log').read_text()}")
        time.sleep(0.01)
    return time.perf_counter() - began


def stopped(process: subprocess.Popen[str], patience: float) -> float:
    """Tell a server to stop and return how long it takes; raises SystemExit when it does not, or not in order."""
    began = time.perf_counter()
    process.send_signal(signal.SIGTERM)
    try:
        code = process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise SystemExit(f"the server has not ended within {patience:.0f} s") from None
    if code not in IN_ORDER:
        raise SystemExit(f"the server ended with {code}")
    return time.perf_counter() - began


def main() -> None:
    """Stop a server at every moment."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--moments", type=options.whole, default=20, help="how many, spread evenly over a start and a bit more"
    )
    parser.add_argument("--patience", type=float, default=60.0, help="seconds")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="penstock-stops-") as name:
        folder = Path(name)
        process = started(folder)
        whole = until_ready(folder, process, given.patience)
        print(f"a start takes {whole:.2f} s, a stop {stopped(process, given.patience):.2f} s")
        for number in range(given.moments):
            process, moment = started(folder), whole * 1.2 * (number + 1) / given.moments
            time.sleep(moment)
            took = stopped(process, given.patience)
            print(f"told after {moment:5.2f} s: ended after {took:5.2f} s with {process.returncode}")
        process = started(folder)
        until_ready(folder, process, given.patience)
        stopped(process, given.patience)


if __name__ == "__main__":
    main()
