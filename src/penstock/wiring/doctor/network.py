"""Whether the server's ports are free, its names resolve, and what flows need is reached."""

from __future__ import annotations

import shlex
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx

from penstock.wiring.doctor.findings import Finding, Patient, Subject
from penstock.wiring.webserver import PortTaken, listen

_SUBJECT = Subject("network")
_PATIENCE = 10.0


def check_network(patient: Patient) -> Iterator[Finding]:
    """Look at ports, names and addresses."""
    settings = patient.configuration.settings
    http, management = settings.micronaut.server, settings.endpoints.all
    yield _port(http.host, http.port, http.context_path, "micronaut.server.port")
    if management.enabled:
        yield _port(http.host, management.port, "", "endpoints.all.port")
    name = urlsplit(settings.kestra.url or "").hostname
    for host in ("localhost", name) if name else ("localhost",):
        yield _name(host)
    for address in patient.reach:
        yield _reached(address)


def _port(host: str, port: int, path: str, key: str) -> Finding:
    if port == 0:
        return _SUBJECT.ok(f"{key} is 0: a free port is taken")
    try:
        listen(host, port).close()
    except PortTaken as error:
        if _is_penstock(port, path):
            return _SUBJECT.ok(f"a Penstock server answers on port {port}")
        return _SUBJECT.failure(error.message, f"sudo ss -ltnp 'sport = :{port}'  # names the process; or set {key}")
    return _SUBJECT.ok(f"port {port} is free")


def _is_penstock(port: int, path: str) -> bool:
    prefix = f"/{path.strip('/')}" if path.strip("/") else ""
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}{prefix}/health", timeout=_PATIENCE, trust_env=False)
        return "status" in answer.json()
    except (httpx.HTTPError, ValueError, TypeError):
        return False


def _name(host: str) -> Finding:
    try:
        socket.getaddrinfo(host, None)
    except OSError as error:
        line = f"127.0.0.1 {host}"
        return _SUBJECT.failure(
            f"the name {host} does not resolve: {error.strerror}", f"echo {shlex.quote(line)} | sudo tee -a /etc/hosts"
        )
    return _SUBJECT.ok(f"the name {host} resolves")


def _reached(address: str) -> Finding:
    """Ask an address; any answer will do, since it is the way there that counts."""
    try:
        answer = httpx.head(address, timeout=_PATIENCE)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return _SUBJECT.failure(
            f"{address} is not reached: {str(error) or type(error).__name__}",
            f"curl -sv {shlex.quote(address)}  # behind a proxy: export HTTPS_PROXY=http://proxy:3128",
        )
    return _SUBJECT.ok(f"{address} answers ({answer.status_code})")
