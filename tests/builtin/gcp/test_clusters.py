"""Where a cluster of Google Kubernetes Engine is, and a token for it; a server answers as the service does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from penstock.builtin.gcp.account import GcpError
from penstock.builtin.gcp.clusters import ClusterMetadata, OauthAccessToken
from tests.builtin.messages.conftest import Bench
from tests.support.serving import serving

CLUSTER = {
    "name": "jobs",
    "endpoint": "10.0.0.1",
    "location": "europe-west1",
    "masterAuth": {"clusterCaCertificate": "Q0E="},
    "nodePools": [{}, {}],
}


class _Clusters(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        is_there = self.path == "/v1/projects/other/locations/europe-west1/clusters/jobs"
        is_known = self.headers["Authorization"] == "Bearer a-token"
        body = json.dumps(CLUSTER if is_there and is_known else {"error": {"message": f"no {self.path}"}}).encode()
        self.send_response(200 if is_there and is_known else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service(service_account: str) -> Iterator[dict[str, Any]]:
    """Give the properties that say where, and who asks."""
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), _Clusters)) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        yield {"endpointOverride": url, "serviceAccount": service_account, "clusterZone": "europe-west1"}


def test_cluster_is_found_with_its_certificate(bench: Bench, service: dict[str, Any]) -> None:
    """SCR-084."""
    task = bench.made(ClusterMetadata, **service, clusterProjectId="other", clusterId="jobs")
    found = task.run(bench.context())
    assert (found.endpoint, found.master_auth.cluster_certificate) == ("10.0.0.1", "Q0E=")
    assert (found.name, found.project, found.location, found.node_pools_count) == ("jobs", "other", "europe-west1", 2)


def test_cluster_that_is_not_there_is_told_of(bench: Bench, service: dict[str, Any]) -> None:
    """SCR-084: the project is that of the service account where none is named."""
    task = bench.made(ClusterMetadata, **service, clusterId="jobs")
    with pytest.raises(GcpError, match="no /v1/projects/shop/locations/europe-west1/clusters/jobs"):
        task.run(bench.context())


def test_token_is_that_of_the_account_and_hidden(bench: Bench, service_account: str) -> None:
    """SCR-083, SCR-084."""
    context = bench.context()
    token = bench.made(OauthAccessToken, serviceAccount=service_account).run(context).access_token
    assert token.token_value == "a-token"
    assert token.scopes == ["https://www.googleapis.com/auth/cloud-platform"]
    assert str(token.expiration_time).endswith("Z")
    assert "a-token" not in context.hide("it is a-token")
