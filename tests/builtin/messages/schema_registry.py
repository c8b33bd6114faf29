"""A registry of schemas, with the two addresses of its API that writing and reading need."""

from __future__ import annotations

import json
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Registry(ThreadingHTTPServer):
    """Gives each schema a number."""

    daemon_threads = True
    user, password = "reader", "s3cret-word"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.schemas: list[str] = []
        self.subjects: dict[str, list[int]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def number(self, subject: str, schema: str) -> int:
        if schema not in self.schemas:
            self.schemas.append(schema)
        number = self.schemas.index(schema) + 1
        versions = self.subjects.setdefault(subject, [])
        if number not in versions:
            versions.append(number)
        return number


class _Answer(BaseHTTPRequestHandler):
    server: Registry

    def do_POST(self) -> None:
        subject = self.path.split("/")[2]
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer({"id": self.server.number(subject, body["schema"])})

    def do_GET(self) -> None:
        self._answer({"schema": self.server.schemas[int(self.path.rpartition("/")[2]) - 1]})

    def _answer(self, answer: dict[str, object]) -> None:
        login = b64encode(f"{self.server.user}:{self.server.password}".encode()).decode()
        known = self.headers["Authorization"] == f"Basic {login}"
        body = json.dumps(answer if known else {"error_code": 40101}).encode()
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass
