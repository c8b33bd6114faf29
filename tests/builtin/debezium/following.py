"""A database whose changes are followed, and what reads them."""

from __future__ import annotations

import threading
from typing import Any, Protocol

from penstock.sdk import TriggerEvent
from tests.builtin.messages.conftest import Bench

PATIENT = {"maxWait": "PT30S"}
"""For those who know how many changes there are, and are done with the last."""


class Followed(Protocol):
    """A database with tables `orders` and `notes`, and where it is."""

    at: dict[str, Any]

    def run(self, *statements: str) -> None:
        """Run statements in one transaction."""
        ...


def begin(bench: Bench, cls: Any, shop: Followed, **more: Any) -> None:
    """Have it remembered from now on."""
    with bench.made(cls, **{**shop.at, **more}).subscription(bench.context()) as source:
        assert source.receive(0.0) is None


def events(bench: Bench, cls: Any, shop: Followed, count: int, **more: Any) -> list[TriggerEvent]:
    """Return the next changes, each acknowledged."""
    listening = bench.made(cls, **{**shop.at, **more}).listen(bench.context(), threading.Event())
    found = []
    for event in listening:
        event.acknowledge()
        found.append(event)
        if len(found) == count:
            break
    listening.close()
    return found


def gathered(bench: Bench, outputs: Any) -> dict[str, list[Any]]:
    """Return the rows of each file by its table's name."""
    return {name: bench.stored({"uri": uri}) for name, uri in outputs["uris"].items()}
