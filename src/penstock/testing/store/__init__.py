"""Contracts of everything kept in a database: a suite of tests per port, for whoever writes another store.

A test module subclasses the suites and gives the fixture `store`: an open, empty store with these ports.
"""

from penstock.testing.store.assets import AssetStoreContract
from penstock.testing.store.counts import CountsContract
from penstock.testing.store.dashboards import ChartReadsContract, DashboardStoreContract
from penstock.testing.store.documents import DocumentStoreContract, SuiteResultStoreContract
from penstock.testing.store.drafts import DraftStoreContract
from penstock.testing.store.evaluations import EvaluationStoreContract
from penstock.testing.store.executions import ExecutionQueriesContract
from penstock.testing.store.flows import FlowStoreContract
from penstock.testing.store.jobs import JobQueueContract
from penstock.testing.store.journal import JournalContract
from penstock.testing.store.keyvalues import KeyValueStoreContract, SettingsStoreContract
from penstock.testing.store.lines import LinesContract
from penstock.testing.store.namespaces import NamespaceStoreContract
from penstock.testing.store.notifier import NotifierContract
from penstock.testing.store.partitions import PartitionsContract
from penstock.testing.store.ports import StorePorts
from penstock.testing.store.preferences import PreferenceStoreContract
from penstock.testing.store.purging import PurgeStoreContract
from penstock.testing.store.secrets import SecretStoreContract
from penstock.testing.store.switches import SwitchStoreContract
from penstock.testing.store.task_cache import TaskCacheContract
from penstock.testing.store.templates import TemplateStoreContract
from penstock.testing.store.tokens import TokenStoreContract
from penstock.testing.store.triggers import TriggerStoreContract
from penstock.testing.store.waiting import WaitReadsContract

__all__ = [
    "AssetStoreContract",
    "ChartReadsContract",
    "CountsContract",
    "DashboardStoreContract",
    "DocumentStoreContract",
    "DraftStoreContract",
    "EvaluationStoreContract",
    "ExecutionQueriesContract",
    "FlowStoreContract",
    "JobQueueContract",
    "JournalContract",
    "KeyValueStoreContract",
    "LinesContract",
    "NamespaceStoreContract",
    "NotifierContract",
    "PartitionsContract",
    "PreferenceStoreContract",
    "PurgeStoreContract",
    "SecretStoreContract",
    "SettingsStoreContract",
    "StorePorts",
    "SuiteResultStoreContract",
    "SwitchStoreContract",
    "TaskCacheContract",
    "TemplateStoreContract",
    "TokenStoreContract",
    "TriggerStoreContract",
    "WaitReadsContract",
]
