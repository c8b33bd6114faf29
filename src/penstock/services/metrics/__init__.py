"""What a server counts about its own work, and how Prometheus reads it."""

from penstock.services.metrics.published import Published, Sources
from penstock.services.metrics.tallies import ExecutorTally, HttpTally, SchedulerTally, Tallies, WorkerTally

__all__ = ["ExecutorTally", "HttpTally", "Published", "SchedulerTally", "Sources", "Tallies", "WorkerTally"]
