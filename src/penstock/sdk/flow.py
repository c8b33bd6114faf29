"""What authors of control-flow tasks need: the words of `penstock.engine.flow`, and truth as flows understand it."""

from penstock.engine.flow import EndedChild, Flowable, FlowEnd, Launch, ResolvedTask, Scope, StartFlow, Step
from penstock.engine.states import StateType
from penstock.expressions import is_truthy

__all__ = [
    "EndedChild",
    "FlowEnd",
    "Flowable",
    "Launch",
    "ResolvedTask",
    "Scope",
    "StartFlow",
    "StateType",
    "Step",
    "is_truthy",
]
