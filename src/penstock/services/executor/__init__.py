"""The executor: drains events, decides, commits one batch, then carries out what was decided."""

from penstock.services.executor.delivery import Delivery, Receipt
from penstock.services.executor.executor import Executor
from penstock.services.executor.limits import Limits
from penstock.services.executor.settings import ExecutorSettings

__all__ = ["Delivery", "Executor", "ExecutorSettings", "Limits", "Receipt"]
