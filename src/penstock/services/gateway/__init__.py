"""Ways for a worker to reach the server: straight in one process, or over HTTP."""

from penstock.services.gateway.direct import DirectGateway
from penstock.services.gateway.local import LocalAssignments

__all__ = ["DirectGateway", "LocalAssignments"]
