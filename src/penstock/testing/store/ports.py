"""What the suites need of a store: one attribute per port."""

from __future__ import annotations

from typing import Protocol

from penstock.ports.assets import AssetStore
from penstock.ports.counts import CountKeeping
from penstock.ports.dashboards import ChartReads, DashboardStore
from penstock.ports.depths import QueueDepths
from penstock.ports.documents import DocumentStore
from penstock.ports.drafts import DraftStore
from penstock.ports.evaluations import EvaluationStore
from penstock.ports.flows import FlowStore
from penstock.ports.jobs import JobQueue
from penstock.ports.journal import Journal
from penstock.ports.keyvalue import KeyValueStore
from penstock.ports.namespaces import NamespaceStore
from penstock.ports.notifier import Notifier
from penstock.ports.preferences import PreferenceStore
from penstock.ports.purging import PurgeStore
from penstock.ports.queries import ExecutionQueries
from penstock.ports.secrets import SecretStore
from penstock.ports.settings import SettingsStore
from penstock.ports.sizes import SizeStore
from penstock.ports.suite_results import SuiteResultStore
from penstock.ports.switches import SwitchStore
from penstock.ports.task_cache import TaskCache
from penstock.ports.templates import TemplateStore
from penstock.ports.tokens import TokenStore
from penstock.ports.triggers import TriggerStore
from penstock.ports.waiting import WaitReads


class StorePorts(Protocol):
    """Everything kept in one database."""

    @property
    def journal(self) -> Journal:
        """What an executor writes and reads."""
        ...

    @property
    def jobs(self) -> JobQueue:
        """Work for workers."""
        ...

    @property
    def queries(self) -> ExecutionQueries:
        """Reads for people."""
        ...

    @property
    def counts(self) -> CountKeeping:
        """Counts of ended executions."""
        ...

    @property
    def flows(self) -> FlowStore:
        """Flows and their revisions."""
        ...

    @property
    def triggers(self) -> TriggerStore:
        """States of triggers."""
        ...

    @property
    def evaluations(self) -> EvaluationStore:
        """Evaluations of triggers."""
        ...

    @property
    def key_values(self) -> KeyValueStore:
        """Pairs per namespace."""
        ...

    @property
    def task_cache(self) -> TaskCache:
        """Outputs of earlier task runs."""
        ...

    @property
    def namespaces(self) -> NamespaceStore:
        """What is set for all flows of a namespace."""
        ...

    @property
    def templates(self) -> TemplateStore:
        """Templates and their revisions."""
        ...

    @property
    def dashboards(self) -> DashboardStore:
        """Dashboards."""
        ...

    @property
    def assets(self) -> AssetStore:
        """What flows use and make."""
        ...

    @property
    def documents(self) -> DocumentStore:
        """Texts that people write beside flows."""
        ...

    @property
    def suite_results(self) -> SuiteResultStore:
        """How test suites went."""
        ...

    @property
    def charts(self) -> ChartReads:
        """What charts show."""
        ...

    @property
    def secrets(self) -> SecretStore:
        """Secrets of namespaces."""
        ...

    @property
    def settings(self) -> SettingsStore:
        """What the instance remembers."""
        ...

    @property
    def tokens(self) -> TokenStore:
        """API tokens."""
        ...

    @property
    def preferences(self) -> PreferenceStore:
        """Settings and bookmarks of users."""
        ...

    @property
    def drafts(self) -> DraftStore:
        """Texts that users have not saved yet."""
        ...

    @property
    def switches(self) -> SwitchStore:
        """What people say of flows and triggers, apart from their sources."""
        ...

    @property
    def purging(self) -> PurgeStore:
        """Removing old records."""
        ...

    @property
    def depths(self) -> QueueDepths:
        """How much waits in queues."""
        ...

    @property
    def sizes(self) -> SizeStore:
        """How much room records take."""
        ...

    @property
    def waiting(self) -> WaitReads:
        """What moves executions."""
        ...

    @property
    def notifier(self) -> Notifier:
        """Wake-ups."""
        ...
