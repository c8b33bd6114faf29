"""A server that speaks as Cloud Storage does, one for all tests of a process, and a service account it lets in."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from gcp_storage_emulator.server import create_server
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

from tests.builtin.messages.conftest import bench
from tests.builtin.polling.conftest import polled
from tests.support.serving import serving

__all__ = ["bench", "polled"]


class _Tokens(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        token = {"access_token": "a-token", "expires_in": 3600, "token_type": "Bearer"}
        is_known = self.path == "/token"
        body = json.dumps(token if is_known else {"error": "invalid_grant"}).encode()
        self.send_response(200 if is_known else 400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True, scope="session")
def _alone() -> Iterator[None]:
    """Keep the client library from asking Google itself about an account, which it does by the way."""
    with pytest.MonkeyPatch.context() as patch:
        name = "CredentialsWithRegionalAccessBoundary._is_regional_access_boundary_lookup_required"
        patch.setattr(f"google.auth.credentials.{name}", lambda _: False)
        yield


@pytest.fixture(scope="session")
def service_account() -> Iterator[str]:
    """Give the key of a service account, and run who gives it tokens."""
    key = rsa.generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), _Tokens)) as server:
        yield json.dumps({
            "type": "service_account", "project_id": "shop", "private_key_id": "1", "private_key": key.decode(),
            "client_email": "robot@shop.example.com", "token_uri": f"http://127.0.0.1:{server.server_port}/token",
        })  # fmt: skip


@pytest.fixture(scope="session")
def storage_url() -> Iterator[str]:
    server = create_server("127.0.0.1", 0, in_memory=True)
    server.start()
    host, port = server._api._httpd.server_address
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def client(storage_url: str) -> Iterator[Client]:
    made = Client(project="shop", credentials=AnonymousCredentials(), client_options={"api_endpoint": storage_url})
    yield made
    made.close()


@pytest.fixture
def account(storage_url: str, service_account: str) -> dict[str, Any]:
    """Give the properties that say where, and who asks."""
    return {"endpointOverride": storage_url, "serviceAccount": service_account}


@pytest.fixture
def bucket(client: Client) -> Any:
    """Give a bucket of the test's own."""
    return client.create_bucket(f"b{uuid.uuid4().hex}")
