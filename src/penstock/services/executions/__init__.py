"""Use cases of executions: starting, steering, reading, waiting for and following them."""

from penstock.services.executions.admission import Admission, TooManyExecutionsError
from penstock.services.executions.bulk import Bulk, BulkError
from penstock.services.executions.children import ChildFlows, asks_outputs
from penstock.services.executions.creation import CheckFailedError, ExecutionService, Launch, LaunchCheck, Preparation
from penstock.services.executions.deleting import Deleting
from penstock.services.executions.expressions import ExpressionTester, NamespaceExpressions, Outcome
from penstock.services.executions.followers import Followers, Watch
from penstock.services.executions.following import ExecutionView, Following
from penstock.services.executions.idempotency import FirstExecutions
from penstock.services.executions.inputs import InputReader, Upload
from penstock.services.executions.reading import ExecutionReader
from penstock.services.executions.replaying import Replay, Replaying
from penstock.services.executions.resuming import ResumeReader
from penstock.services.executions.size import ExecutionSize, ExecutionSizes
from penstock.services.executions.steering import Steering

__all__ = [
    "Admission",
    "Bulk",
    "BulkError",
    "CheckFailedError",
    "ChildFlows",
    "Deleting",
    "ExecutionReader",
    "ExecutionService",
    "ExecutionSize",
    "ExecutionSizes",
    "ExecutionView",
    "ExpressionTester",
    "FirstExecutions",
    "Followers",
    "Following",
    "InputReader",
    "Launch",
    "LaunchCheck",
    "NamespaceExpressions",
    "Outcome",
    "Preparation",
    "Replay",
    "Replaying",
    "ResumeReader",
    "Steering",
    "TooManyExecutionsError",
    "Upload",
    "Watch",
    "asks_outputs",
]
