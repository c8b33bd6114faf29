"""A second try, in CI, for tests that need more than this project's own processes to keep their promises.

A browser, a broker, a foreign server or a cluster of processes may be starved by a machine that does other things, and
no patience of a test helps when it is the other side that gives up. Such a test is tried once more, which is told by
name with all that the first try said: each of them is a defect to be found, in the product or in the test. All other
tests have one try, and so has everything on the machine of a developer.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

FOLDERS = (
    "acceptance",
    "builtin/aws",
    "builtin/debezium",
    "builtin/email",
    "builtin/fs",
    "builtin/gcp",
    "builtin/git",
    "builtin/jdbc",
    "builtin/messages",
    "builtin/runners",
    "chaos",
    "cli",
    "sdk_client",
    "ui",
)
"""Where tests speak with foreign servers, browsers, servers that listen, or clusters of processes that are killed."""

FOREIGN = {
    "chromium_executable",
    "event_hubs",
    "kafka",
    "maria_server",
    "postgres_server",
    "pubsub_url",
    "rabbitmq",
    "redis_executable",
}
"""The fixtures that start what is not this project's own, for tests anywhere else."""


def has_second_try(item: pytest.Item, tests: Path) -> bool:
    """Return whether a test below the folder of all tests is tried once more when it fails."""
    if any(item.path.is_relative_to(tests / folder) for folder in FOLDERS):
        return True
    return item.get_closest_marker("postgres") is not None or not FOREIGN.isdisjoint(getattr(item, "fixturenames", ()))


def allow_second_tries(items: Iterable[pytest.Item], tests: Path) -> None:
    """Mark the tests that are tried once more; none where no machine waits for the outcome."""
    if not os.environ.get("CI"):
        return
    for item in items:
        if has_second_try(item, tests):
            item.add_marker(pytest.mark.flaky(reruns=1))


def is_second_try(item: pytest.Item) -> bool:
    """Return whether a test runs again, so that what its first try left behind shall not meet it."""
    return bool(getattr(item, "execution_count", 1) > 1)


def show_first_tries(reporter: pytest.TerminalReporter) -> None:
    """Show what the failed first tries said, as if they were failures."""
    for report in reporter.getreports("rerun"):
        reporter.write_sep("_", f"FIRST TRY OF {report.nodeid}", yellow=True, bold=True)
        report.toterminal(reporter._tw)
        for title, said in report.sections:
            reporter.write_sep("-", title)
            reporter.write_line(said.rstrip())
