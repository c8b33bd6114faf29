"""Why something does not go on: the blocker, since when, and what removes it."""

from penstock.services.explaining.blockers import Blocker, Explanation
from penstock.services.explaining.executions import ExecutionExplainer
from penstock.services.explaining.triggers import TriggerExplainer

__all__ = ["Blocker", "ExecutionExplainer", "Explanation", "TriggerExplainer"]
