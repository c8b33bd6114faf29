"""What can be set about the HTTP interface; filled by `penstock.wiring`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from penstock.base.clock import Micros


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Settings of the API and the web interface.

    Args:
        version: The server's version, as `/api/v1/configs` tells it.
        url: The external address (`kestra.url`), such as `https://flows.example.com`; empty when it is not known.
        context_path: The path everything lives under (`micronaut.server.context-path`), such as `/penstock`; or empty.
        tenants: The tenants there are.
        default_tenant: The tenant of a path without one (API-002).
        ui: The folder with the built interface; None when there is none.
        open_urls: Path prefixes reached without authentication (`kestra.server.basic-auth.open-urls`).
        environment_name: What the interface calls this instance.
        environment_color: The colour it marks it with.
        secure_cookie: Send the session cookie over TLS only.
        max_field_size: Most bytes of one form field that is no file.
        max_body_size: Most bytes of a request body that is kept in memory (sources, JSON, webhooks).
        preview_initial: Rows a file preview shows at first.
        preview_max: Rows it shows at most.
        system_namespace: The namespace of the instance's own flows.
        hidden_labels: Prefixes of labels that lists do not show.
        cors_origins: Origins whose pages may call the API; `*` for all.
        keep_alive: Seconds between signs of life of an event stream.
        list_range: How far back lists of executions and log lines reach that ask for no time; None for all.
    """

    version: str = "0"
    url: str = ""
    context_path: str = ""
    tenants: frozenset[str] = field(default_factory=lambda: frozenset({"main"}))
    default_tenant: str = "main"
    ui: Path | None = None
    open_urls: tuple[str, ...] = ()
    environment_name: str | None = None
    environment_color: str | None = None
    secure_cookie: bool = False
    max_field_size: int = 16 * 1024 * 1024
    max_body_size: int = 64 * 1024 * 1024
    preview_initial: int = 100
    preview_max: int = 5000
    system_namespace: str = "system"
    hidden_labels: tuple[str, ...] = ("system.",)
    cors_origins: tuple[str, ...] = ()
    keep_alive: float = 15.0
    list_range: Micros | None = None

    @property
    def context(self) -> str:
        """The context path with a slash before it and none after; empty when there is none."""
        path = self.context_path.strip("/")
        return f"/{path}" if path else ""

    def execution_url(self, namespace: str, flow_id: str, execution_id: str) -> str:
        """Return the address of an execution's page; the path alone when the external address is unknown (ENG-125)."""
        base = self.url.rstrip("/") if self.url else self.context
        return f"{base}/ui/executions/{namespace}/{flow_id}/{execution_id}"
