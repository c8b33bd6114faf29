"""SQLite and PostgreSQL keep every contract of a store."""

from __future__ import annotations

from penstock.testing import store as contracts


class TestJournal(contracts.JournalContract):
    pass


class TestPartitions(contracts.PartitionsContract):
    pass


class TestJobQueue(contracts.JobQueueContract):
    pass


class TestExecutionQueries(contracts.ExecutionQueriesContract):
    pass


class TestCounts(contracts.CountsContract):
    pass


class TestLines(contracts.LinesContract):
    pass


class TestFlowStore(contracts.FlowStoreContract):
    pass


class TestTriggerStore(contracts.TriggerStoreContract):
    pass


class TestEvaluationStore(contracts.EvaluationStoreContract):
    pass


class TestKeyValueStore(contracts.KeyValueStoreContract):
    pass


class TestTaskCache(contracts.TaskCacheContract):
    pass


class TestSettingsStore(contracts.SettingsStoreContract):
    pass


class TestSecretStore(contracts.SecretStoreContract):
    pass


class TestDocumentStore(contracts.DocumentStoreContract):
    pass


class TestSuiteResultStore(contracts.SuiteResultStoreContract):
    pass


class TestAssetStore(contracts.AssetStoreContract):
    pass


class TestTemplateStore(contracts.TemplateStoreContract):
    pass


class TestDashboardStore(contracts.DashboardStoreContract):
    pass


class TestChartReads(contracts.ChartReadsContract):
    pass


class TestNamespaceStore(contracts.NamespaceStoreContract):
    pass


class TestTokenStore(contracts.TokenStoreContract):
    """GOV-076."""


class TestPreferenceStore(contracts.PreferenceStoreContract):
    """UI-020, UI-160."""


class TestDraftStore(contracts.DraftStoreContract):
    """BEY-043."""


class TestPurgeStore(contracts.PurgeStoreContract):
    pass


class TestWaitReads(contracts.WaitReadsContract):
    pass


class TestNotifier(contracts.NotifierContract):
    pass


class TestSwitchStore(contracts.SwitchStoreContract):
    pass
