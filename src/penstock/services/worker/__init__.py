"""The worker: claims jobs, runs tasks in threads, reports what became of them. Knows one protocol, `WorkerGateway`."""

from penstock.services.worker.settings import WorkerSettings
from penstock.services.worker.worker import Worker

__all__ = ["Worker", "WorkerSettings"]
