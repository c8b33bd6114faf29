"""The scheduler: starts flows at the dates of their triggers."""

from penstock.services.scheduler.calendar import Recovery
from penstock.services.scheduler.scheduler import Scheduler, SchedulerSettings

__all__ = ["Recovery", "Scheduler", "SchedulerSettings"]
