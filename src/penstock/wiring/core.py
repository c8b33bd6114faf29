"""What every role of a server stands on: stores, files, secrets, types, flows, and the doors between them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial

from penstock.base.clock import SECOND, Clock
from penstock.base.ids import new_id
from penstock.ports.objects import ObjectStorage
from penstock.ports.secrets import SecretManager, SecretSource
from penstock.secrets import CachedSecrets, ChainedSecrets
from penstock.services.assets import AssetService
from penstock.services.child_functions import ChildFunctions
from penstock.services.dependency_locks import DependencyLockFunctions
from penstock.services.directory_cache import DirectoryCacheFunctions
from penstock.services.encryption import EncryptionFunctions, TextEncryption
from penstock.services.executions import (
    Admission,
    ChildFlows,
    ExecutionService,
    FirstExecutions,
    Followers,
    InputReader,
    Preparation,
    ResumeReader,
    Steering,
    asks_outputs,
)
from penstock.services.executor import Executor, ExecutorSettings
from penstock.services.executor.auditor import Auditor
from penstock.services.executor.dispatch import LocalDispatcher, StoredDispatcher
from penstock.services.file_access import FileAccess
from penstock.services.file_functions import FileFunctions
from penstock.services.flow_functions import FlowFunctions
from penstock.services.flows import FlowCatalog, KnownNames
from penstock.services.flows.service import FlowService
from penstock.services.flows.verdicts import FlowChecker
from penstock.services.functions import ServerFunctions
from penstock.services.gateway import DirectGateway, LocalAssignments
from penstock.services.keyvalues import KeyValueFunctions, KeyValueService
from penstock.services.metrics import ExecutorTally, Tallies
from penstock.services.namespace_files import NamespaceFileFunctions, NamespaceFileService
from penstock.services.namespaces import KnownNamespaces, NamespaceService
from penstock.services.plugin_configurations import PluginConfigurations
from penstock.services.purging import PurgeFunctions, PurgeService
from penstock.services.record_functions import RecordFunctions
from penstock.services.schedule_functions import ScheduleFunctions
from penstock.services.scheduler.conditions import Conditions
from penstock.services.scheduler.evaluations import Evaluations
from penstock.services.scheduler.firing import Firing
from penstock.services.secrets import NamespaceSecrets, SealedSecrets
from penstock.services.steering_functions import SteeringFunctions
from penstock.services.task_cache import TaskCacheFunctions
from penstock.services.triggers import TriggerService
from penstock.services.worker.working_files import allowed_host_file
from penstock.storage import LocalStorage
from penstock.store import Store, open_store
from penstock.wiring.flow_reading import FlowReading
from penstock.wiring.plan import Plan, Role
from penstock.wiring.plugins import Plugins


@dataclass(frozen=True, slots=True)
class Core:
    """The objects roles share."""

    plan: Plan
    clock: Clock
    store: Store
    storage: ObjectStorage
    plugins: Plugins
    reading: FlowReading
    catalog: FlowCatalog
    known_namespaces: KnownNamespaces
    namespaces: NamespaceService
    secret_manager: SecretManager
    secrets: ChainedSecrets
    functions: ServerFunctions
    key_values: KeyValueService
    namespace_files: NamespaceFileService
    triggers: TriggerService
    followers: Followers
    executor: Executor | None
    auditor: Auditor | None
    local: LocalAssignments | None
    dispatcher: LocalDispatcher | StoredDispatcher
    gateway: DirectGateway
    remote_gateway: DirectGateway
    """For workers that ask over HTTP: nothing is handed to them in memory."""
    executions: ExecutionService
    inputs: InputReader
    resuming: ResumeReader
    steering: Steering
    tallies: Tallies


async def open_core(plan: Plan, plugins: Plugins, clock: Clock) -> Core:
    """Open the database and build what stands on it; nothing runs yet.

    Raises:
        UnavailableError: The database does not answer or is in use.
        PenstockError: Its schema is of another release.
    """
    plan.storage.mkdir(parents=True, exist_ok=True)
    store = await open_store(
        plan.database, clock, system_namespace=plan.system_namespace, list_seconds=plan.list_timeout / SECOND
    )
    core = build_core(plan, plugins, clock, store)
    await core.known_namespaces.refresh()
    return core


def build_core(plan: Plan, plugins: Plugins, clock: Clock, store: Store, storage: ObjectStorage | None = None) -> Core:
    """Return what stands on a store that is open; what it keeps of namespaces is still to be read."""
    storage = storage or LocalStorage(plan.storage)
    known = KnownNamespaces(store.namespaces)
    reading = FlowReading(plugins.registry, plan.plugin_defaults, known.of, listeners=plan.listeners)
    catalog = _catalog(plan, store, reading, known, clock)
    key_values, namespace_files = KeyValueService(store.key_values, clock), NamespaceFileService(storage)
    manager = _secret_manager(plan, store, clock)
    # The first that knows one wins: what is given for a run, what namespaces keep, the environment (ENG-374).
    secrets = ChainedSecrets([*plan.given_secrets, NamespaceSecrets(manager), *plan.secrets])
    triggers = TriggerService(store.triggers, store.switches, store.notifier, clock)
    functions = _functions(
        plan, store, storage, secrets, key_values, namespace_files, triggers, reading, catalog, clock
    )
    local = (
        LocalAssignments(_places(plan), window=2 * plan.worker.threads)
        if {Role.EXECUTOR, Role.WORKER} <= plan.roles
        else None
    )
    inputs = InputReader(
        storage,
        functions.answer,
        encryption=plan.encryption,
        regex_timeout=plan.expressions.regex_timeout,
        shared=plan.shared,
    )
    first = FirstExecutions(store.queries, clock)
    preparation = Preparation(catalog, inputs, clock, first)
    children = ChildFlows(preparation, asks_outputs=asks_outputs(plan.plugin_configurations))
    tallies = Tallies(ExecutorTally(plan.metrics.labels))
    executor = None
    if Role.EXECUTOR in plan.roles:
        executor = _executor(plan, store, catalog, functions, clock, local, children, tallies)
    auditor = _auditor(executor, store, catalog, clock) if executor is not None else None
    stored = StoredDispatcher(store.journal, store.notifier)
    dispatcher = LocalDispatcher(executor, stored) if executor is not None else stored
    resuming = ResumeReader(store.queries, catalog, functions.answer, storage, plan.encryption, plan.shared)
    steering = Steering(store.queries, dispatcher, resuming)
    functions.learn(SteeringFunctions(steering, store.queries).functions())
    admission = Admission(store.queries, clock, plan.admission) if plan.admission else None
    executions = ExecutionService(catalog, inputs, dispatcher, clock, first, admission)
    evaluations = Evaluations(
        store.evaluations,
        store.triggers,
        catalog,
        reading,
        Firing(executions, functions.answer, plan.shared),
        Conditions(reading.condition, plan.shared, functions.answer),
        store.journal,
        store.notifier,
        clock,
        plan.shared,
    )
    gateway_of = partial(
        DirectGateway,
        queue=store.jobs,
        journal=store.journal,
        queries=store.queries,
        flows=catalog,
        sink=dispatcher,
        functions=functions,
        evaluations=evaluations,
        notifier=store.notifier,
        clock=clock,
        shared=plan.shared,
        working_set=executor.working_set if executor is not None else None,
    )
    return Core(
        plan=plan,
        clock=clock,
        store=store,
        storage=storage,
        plugins=plugins,
        reading=reading,
        catalog=catalog,
        known_namespaces=known,
        namespaces=NamespaceService(store.namespaces, known, store.flows, store.notifier, clock),
        secret_manager=manager,
        secrets=secrets,
        functions=functions,
        key_values=key_values,
        namespace_files=namespace_files,
        triggers=triggers,
        followers=Followers(store.notifier),
        executor=executor,
        auditor=auditor,
        local=local,
        dispatcher=dispatcher,
        gateway=gateway_of(local=local, decides_alone=plan.is_embedded),
        remote_gateway=gateway_of(is_remote=True),
        executions=executions,
        inputs=inputs,
        resuming=resuming,
        steering=steering,
        tallies=tallies,
    )


def _functions(
    plan: Plan,
    store: Store,
    storage: ObjectStorage,
    secrets: SecretSource,
    key_values: KeyValueService,
    namespace_files: NamespaceFileService,
    triggers: TriggerService,
    reading: FlowReading,
    catalog: FlowCatalog,
    clock: Clock,
) -> ServerFunctions:
    """Return what expressions and tasks may ask the server for."""
    access = FileAccess(storage, store.queries)
    checker = FlowChecker(store.flows, reading.registry, defaults=reading.levels)
    return ServerFunctions(
        secrets=secrets,
        key_values=store.key_values,
        files=access,
        queries=store.queries,
        jobs=store.jobs,
        clock=clock,
        host_file=lambda uri: allowed_host_file(uri, plan.worker.allowed_paths),
        others={
            **KeyValueFunctions(key_values).functions(),
            **NamespaceFileFunctions(namespace_files, access).functions(),
            **FileFunctions(storage, access).functions(),
            **DirectoryCacheFunctions(storage, access, clock).functions(),
            **DependencyLockFunctions(storage).functions(),
            **TaskCacheFunctions(store.task_cache, storage, clock).functions(),
            **ChildFunctions(store.queries).functions(),
            **PurgeFunctions(PurgeService(store.purging, storage), namespace_files).functions(),
            **RecordFunctions(store.queries, triggers, clock).functions(),
            **FlowFunctions(FlowService(store.flows, checker, catalog, store.notifier, clock), checker).functions(),
            **EncryptionFunctions(plan.encryption).functions(),
            **TextEncryption(secrets).functions(),
            **ScheduleFunctions(triggers, store.queries, catalog, reading.triggers, clock).functions(),
            **AssetService(store.assets, clock).functions(),
            **PluginConfigurations(plan.plugin_configurations).functions(),
        },
    )


def _auditor(executor: Executor, store: Store, catalog: FlowCatalog, clock: Clock) -> Auditor:
    return Auditor(
        store.waiting,
        store.journal,
        store.notifier,
        catalog,
        store.settings,
        clock,
        lambda: executor.leases,
        executor.name,
        queue=store.jobs,
    )


def _catalog(plan: Plan, store: Store, reading: FlowReading, known: KnownNamespaces, clock: Clock) -> FlowCatalog:
    """Return the flows that can run, and the templates they may use where those are enabled (MIG-030)."""

    def stamp(tenant: str, namespace: str) -> Hashable:
        return known.of(tenant, namespace).stamp

    templates = FlowCatalog(store.templates, reading.resolve, clock, stamp=stamp) if plan.templates else None
    return FlowCatalog(store.flows, reading.resolve, clock, stamp=stamp, templates=templates, switches=store.switches)


def _places(plan: Plan) -> int:
    """Return how many jobs may be handed to the local worker at once; more where no other worker could take them."""
    return 5_000 if plan.is_embedded else 2 * plan.worker.threads


def _executor(
    plan: Plan,
    store: Store,
    catalog: FlowCatalog,
    functions: ServerFunctions,
    clock: Clock,
    local: LocalAssignments | None,
    children: ChildFlows,
    tallies: Tallies,
) -> Executor:
    settings = ExecutorSettings(
        owner=new_id(),
        exclusive=plan.is_embedded,
        worker_timeout=plan.worker_timeout,
        shared=plan.shared,
        limits=plan.limits,
    )
    return Executor(
        store.journal,
        store.jobs,
        catalog,
        store.notifier,
        clock,
        functions.answer,
        settings,
        local,
        children,
        tallies.executor,
    )


def _secret_manager(plan: Plan, store: Store, clock: Clock) -> SecretManager:
    """Return what keeps the secrets of namespaces."""
    manager = plan.secret_manager or SealedSecrets(store.secrets, plan.secret_encryption, clock)
    return manager if plan.secret_caching is None else CachedSecrets(manager, plan.secret_caching, clock)


def known_names(core: Core) -> KnownNames:
    """Return what knows the secrets and keys that there are."""
    return KnownNames(core.secrets, core.store.key_values, core.clock)
