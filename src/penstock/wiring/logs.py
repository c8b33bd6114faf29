"""The server's own log: events with an action and fields; for people in colour, for machines as JSON.

Implements OPS-103 and OPS-105 in part (`logger.levels`, `logger.format`).
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Any

import structlog

from penstock.wiring.config.settings import Logger
from penstock.wiring.metrics import LogCounter

TRACE = 5
_LEVELS = {"TRACE": TRACE, "DEBUG": 10, "INFO": 20, "WARN": 30, "WARNING": 30, "ERROR": 40, "OFF": 100}
_QUIET = logging.WARNING
_FOREIGN = ("uvicorn", "httpx", "httpcore", "sqlalchemy", "alembic", "asyncio")
_NAMES = {"io.kestra": "penstock", "io.penstock": "penstock"}


def level_number(name: str) -> int:
    """Return the number of a level; an unknown one counts as INFO."""
    return _LEVELS.get(name.strip().upper(), logging.INFO)


def configure_logs(level: str, settings: Logger, *, libraries: bool = False) -> None:
    """Write logs of this process to the standard error.

    Args:
        level: The least level that is shown.
        settings: Levels by logger, and the format.
        libraries: Apply the level to libraries too.
    """
    as_json = settings.format == "json"
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.processors.format_exc_info if as_json else _keep,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            pad_event_to=24,
            exception_formatter=structlog.dev.plain_traceback,  # the default shows local variables, secrets included
        )
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info if as_json else _keep,  # for what libraries log
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler, LogCounter()]
    root.setLevel(level_number(level))
    for name in _FOREIGN:
        logging.getLogger(name).setLevel(level_number(level) if libraries else max(_QUIET, level_number(level)))
    for name, wanted in settings.levels.items():
        logging.getLogger(_own_name(name)).setLevel(level_number(wanted))


def _own_name(name: str) -> str:
    """Return the logger of this product for a logger name of the documented one (OPS-103)."""
    for prefix, own in _NAMES.items():
        if name == prefix or name.startswith(prefix + "."):
            return own
    return name


def _keep(logger: Any, method: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
    return event
