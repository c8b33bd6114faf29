"""Use cases of flows: writing, reading, checking them, and handing them resolved to whoever runs them."""

from penstock.services.flows.bulk import FlowBulk, switched
from penstock.services.flows.catalog import FlowCatalog
from penstock.services.flows.definitions import FlowDefinitions
from penstock.services.flows.known_names import KnownNames
from penstock.services.flows.service import FlowExistsError, FlowService
from penstock.services.flows.task_change import with_task
from penstock.services.flows.verdicts import FlowChecker, Verdict

__all__ = [
    "FlowBulk",
    "FlowCatalog",
    "FlowChecker",
    "FlowDefinitions",
    "FlowExistsError",
    "FlowService",
    "KnownNames",
    "Verdict",
    "switched",
    "with_task",
]
