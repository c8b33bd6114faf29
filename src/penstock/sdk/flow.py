"""What authors of control-flow tasks need: the words of `penstock.engine.flow`, and truth as flows understand it."""

from penstock.engine.flow import CallKind, EndedChild, Flowable, FlowEnd, Launch, ResolvedTask, Scope, StartFlow, Step
from penstock.engine.states import StateType
from penstock.expressions import is_truthy
from penstock.model.base import ID_PATTERN, NAMESPACE_PATTERN

__all__ = [
    "ID_PATTERN",
    "NAMESPACE_PATTERN",
    "CallKind",
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
