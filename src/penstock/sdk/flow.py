"""What authors of control-flow tasks need: the words of `penstock.engine.flow`, and truth as flows understand it."""

from penstock.engine.flow import EndedChild, Flowable, Launch, ResolvedTask, Scope, Step
from penstock.engine.states import StateType
from penstock.expressions import is_truthy

__all__ = ["EndedChild", "Flowable", "Launch", "ResolvedTask", "Scope", "StateType", "Step", "is_truthy"]
