"""A small web shop for the tutorial: products, a book search, a service that wakes up slowly, and a place for alerts.

Run it beside a server and the flows of `examples/tutorial` work without the internet:

    python examples/shop.py
"""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

PORT = 8765
FAILURES_FIRST = 2
"""How many requests `/health` and `/flaky` answer badly before they are well."""

PRODUCTS: tuple[dict[str, Any], ...] = (
    {"id": 1, "title": "Mascara", "category": "beauty", "brand": "Essence", "price": 9.99, "rating": 4.9},
    {"id": 2, "title": "Eyeshadow", "category": "beauty", "brand": "Glamour", "price": 19.99, "rating": 3.3},
    {"id": 3, "title": "Powder", "category": "beauty", "brand": "Velvet", "price": 14.99, "rating": 3.8},
    {"id": 4, "title": "Lipstick", "category": "beauty", "brand": "Glamour", "price": 12.99, "rating": 2.5},
    {"id": 5, "title": "Desk lamp", "category": "furniture", "brand": "Velvet", "price": 49.5, "rating": 4.1},
)
BOOKS = {
    "pynchon": ["V.", "Gravity's Rainbow"],
    "dostoyevsky": ["The Idiot", "Demons"],
    "hedayat": ["The Blind Owl"],
}


class Answer(NamedTuple):
    """What the shop says to a request."""

    status: int
    body: Any


class Shop:
    """What the shop knows: how often each path was asked for, and the alerts it was sent."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.alerts: list[str] = []
        self._lock = Lock()

    def get(self, path: str, query: dict[str, list[str]]) -> Answer:
        """Answer a GET."""
        with self._lock:
            self.requests[path] += 1
            asked = self.requests[path]
        if path == "/products":
            return Answer(200, _listing(PRODUCTS))
        if path.startswith("/products/category/"):
            category = path.rpartition("/")[2]
            return Answer(200, _listing(tuple(one for one in PRODUCTS if one["category"] == category)))
        if path == "/search.json":
            titles = BOOKS.get(query.get("author", [""])[0], [])
            return Answer(200, {"numFound": len(titles), "docs": [{"title": title} for title in titles]})
        if path in ("/health", "/flaky"):
            well, ill = 200, 202 if path == "/health" else 503
            return Answer(ill if asked <= FAILURES_FIRST else well, {"asked": asked})
        return Answer(404, {"message": f"there is no {path}"})

    def post(self, path: str, body: str) -> Answer:
        """Answer a POST."""
        if path != "/alerts":
            return Answer(404, {"message": f"there is no {path}"})
        with self._lock:
            self.alerts.append(body)
        return Answer(200, "ok")


def _listing(products: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    return {"products": products, "total": len(products)}


def _handler(shop: Shop) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            self._send(shop.get(address.path, parse_qs(address.query)))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            self._send(shop.post(self.path, body))

        def _send(self, answer: Answer) -> None:
            body = json.dumps(answer.body).encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the base class's
            """Say nothing: the flows' own logs tell what they asked for."""

    return Handler


@contextmanager
def open_shop(port: int = 0) -> Iterator[tuple[Shop, str]]:
    """Yield an open shop and its address; port 0 takes a free one."""
    shop = Shop()
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(shop))
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield shop, f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    """Keep the shop open until interrupted."""
    with open_shop(PORT) as (_, address):
        sys.stdout.write(f"the shop is open at {address}; Ctrl-C closes it\n")
        try:
            signal.pause()
        except KeyboardInterrupt:
            sys.stdout.write("closed\n")


if __name__ == "__main__":
    main()
