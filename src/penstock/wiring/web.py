"""The ports of a process: API and interface on one, health and metrics on another."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import structlog

from penstock.api import create_api, create_management
from penstock.services.auth import AuthService
from penstock.wiring.core import Core
from penstock.wiring.plan import HttpPlan
from penstock.wiring.services import api_services, api_settings, health_service, published, worker_routers
from penstock.wiring.webserver import PortTaken, WebServer, listen

log = structlog.get_logger(__name__)
API = "webserver"
MANAGEMENT = "management endpoints"


class Web:
    """The web servers of a process. Its ports are taken when it is made, before anything else is touched.

    Implements OPS-005, OPS-093, OPS-094, OPS-136, OPS-137.

    Args:
        plan: Where to listen.
        serves_api: Whether API and interface are served, not only the management endpoints.

    Raises:
        PortTaken: Another process listens there.
    """

    names = (API, MANAGEMENT)

    def __init__(self, plan: HttpPlan, *, serves_api: bool) -> None:
        self._plan = plan
        self._sockets = {}
        if serves_api:
            self._sockets[API] = listen(plan.host, plan.port)
        if plan.management_port is not None:
            try:
                self._sockets[MANAGEMENT] = listen(plan.host, plan.management_port)
            except PortTaken as error:
                if plan.management_is_required:
                    self.close()
                    raise
                log.warning("no management endpoints", action="web.listen", reason=error.message)
        self._servers: dict[str, WebServer] = {}

    @property
    def port(self) -> int | None:
        """The port of API and interface."""
        return self._sockets[API].getsockname()[1] if API in self._sockets else None

    @property
    def url(self) -> str:
        """Where a person on this machine opens it."""
        if self._plan.url:
            return self._plan.url
        host = "localhost" if self._plan.host in ("0.0.0.0", "::", "127.0.0.1") else self._plan.host  # noqa: S104
        return f"http://{host}:{self.port}{self._plan.context_path}"

    async def open(self, core: Core, auth: AuthService | None) -> None:
        """Build what answers on the ports; `services` serves it.

        Args:
            core: What the use cases stand on.
            auth: Who may use the API; None where it is not served.
        """
        if API in self._sockets and auth is not None:
            services = api_services(core, auth, await worker_routers(core))
            app = create_api(services, api_settings(self._plan, core.plan.system_namespace))
            self._servers[API] = WebServer(app, self._sockets[API])
        if MANAGEMENT in self._sockets:
            credentials = self._plan.management_credentials
            app = create_management(health_service(core), published(core), credentials=credentials)
            self._servers[MANAGEMENT] = WebServer(app, self._sockets[MANAGEMENT])

    def services(self) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        """Return what is to run, by name."""
        return [(name, server.run()) for name, server in self._servers.items()]

    def stop(self) -> None:
        """Accept nothing new, let requests at hand end."""
        for server in self._servers.values():
            server.stop()

    def close(self) -> None:
        """Let go of the ports."""
        for one in self._sockets.values():
            one.close()
