from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Literal

import pytest
import structlog

from penstock.cli.serving import teller
from penstock.wiring.config.settings import Logger
from penstock.wiring.logs import configure_logs


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, defaults = root.handlers, root.level, structlog.get_config()
    yield
    root.handlers, root.level = handlers, level
    structlog.configure(**defaults)


def fail(password: str) -> None:
    secret = {"password": password}
    raise ValueError(f"cannot use {len(secret)} secret")


def log_failure(*, own: bool) -> None:
    hidden = f"s3cr3t-{len('four')}"  # a value that no line of source shows
    try:
        fail(hidden)
    except ValueError:
        if own:
            structlog.get_logger("penstock.test").exception("it failed", action="test")
        else:
            logging.getLogger("other.library").exception("it failed")


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("style", ["plain", "json"])
def test_log_of_an_exception_shows_the_traceback_without_local_variables(
    style: Literal["plain", "json"], own: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("INFO", Logger(format=style))
    log_failure(own=own)
    shown = capsys.readouterr().err
    assert "ValueError: cannot use 1 secret" in shown
    assert "in fail" in shown
    assert "s3cr3t-4" not in shown


def test_log_of_an_exception_as_json_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO", Logger(format="json"))
    log_failure(own=True)
    log_failure(own=False)
    for line in capsys.readouterr().err.splitlines():
        entry = json.loads(line)
        assert entry["exception"].startswith("Traceback")
        assert entry["event"] == "it failed"


def test_course_of_a_server_is_told_as_json_where_logs_are(capsys: pytest.CaptureFixture[str]) -> None:
    """OPS-105."""
    configure_logs("INFO", Logger(format="json"))
    teller(Logger(format="json"))("ready")
    teller(Logger())("stopped")
    record, line = capsys.readouterr().err.splitlines()
    assert json.loads(record)["event"] == "ready"
    assert line == "stopped"


def test_log_level_of_a_configured_logger_is_applied(capsys: pytest.CaptureFixture[str]) -> None:
    """OPS-103."""
    configure_logs("INFO", Logger(levels={"penstock.test": "ERROR"}))
    structlog.get_logger("penstock.test").warning("quiet", action="test")
    structlog.get_logger("penstock.other").warning("loud", action="test")
    logging.getLogger("penstock.test").setLevel(logging.NOTSET)
    shown = capsys.readouterr().err
    assert "loud" in shown
    assert "quiet" not in shown
