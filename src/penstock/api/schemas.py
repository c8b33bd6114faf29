"""The shapes of the API for its description (OpenAPI): what clients are generated from.

Answers are not made of these classes; `penstock.api.render` makes them, and a test holds the two together.
Implements API-030 to API-039, API-041, API-049.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from penstock.engine.states import StateType


class Shape(BaseModel):
    """Base of all shapes: camelCase on the wire."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Problem(Shape):
    """One thing that is wrong, and where."""

    severity: str | None = None
    path: str | None = None
    input: str | None = None
    message: str
    hint: str | None = None
    code: str | None = None
    line: int | None = None
    column: int | None = None


class Error(Shape):
    """What every refusal says: what is wrong, and what to do."""

    message: str
    code: str | None = None
    hint: str | None = None
    path: str | None = None
    problems: list[Problem] | None = None


class StateHistory(Shape):
    """One change of a state."""

    state: StateType
    date: datetime


class State(Shape):
    """A state and how it came about."""

    current: StateType
    histories: list[StateHistory] = Field(default_factory=list)
    duration: str | None = Field(None, description="ISO 8601, such as PT0.5S.")
    start_date: datetime | None = None
    end_date: datetime | None = None


class Label(Shape):
    """A label."""

    key: str
    value: str


class TaskRunAttempt(Shape):
    """One try of a task run."""

    state: State
    worker_id: str | None = None
    log_file: str | None = None


class TaskRun(Shape):
    """One run of one task."""

    id: str
    execution_id: str
    namespace: str
    flow_id: str
    task_id: str
    parent_task_run_id: str | None = None
    value: str | None = None
    attempts: list[TaskRunAttempt] | None = None
    outputs: dict[str, Any] | None = None
    state: State
    iteration: int | None = None
    dynamic: bool | None = None
    edited: bool | None = Field(None, description="Whether its outputs were given by hand for a replay.")


class ExecutionTrigger(Shape):
    """What started an execution."""

    id: str
    type: str
    variables: dict[str, Any] | None = None
    log_file: str | None = None


class ExecutionEdits(Shape):
    """What somebody changed when he had an execution replayed."""

    execution_id: str
    by: str | None = None
    inputs: list[str]
    outputs: list[str] = Field(description="Ids of the reused task runs whose outputs were given by hand.")
    skipped: list[str]


class ExecutionMetadata(Shape):
    """Where an execution comes from."""

    attempt_number: int | None = None
    original_created_date: datetime | None = None
    edits: ExecutionEdits | None = Field(None, description="What was changed, when it is a replay with changes.")


class Breakpoint(Shape):
    """Where an execution stops."""

    id: str
    value: str | None = None


class Execution(Shape):
    """One run of a flow."""

    id: str
    namespace: str
    flow_id: str
    flow_revision: int
    task_run_list: list[TaskRun] | None = None
    inputs: dict[str, Any] | None = None
    outputs: dict[str, Any] | None = None
    variables: dict[str, Any] | None = None
    labels: list[Label] | None = None
    state: State
    parent_id: str | None = None
    original_id: str | None = None
    trigger: ExecutionTrigger | None = None
    deleted: bool
    metadata: ExecutionMetadata | None = None
    schedule_date: datetime | None = None
    kind: str | None = None
    breakpoints: list[Breakpoint] | None = None
    error: str | None = Field(None, description="Why it failed, where no task run says so.")
    url: str | None = None


class PagedExecutions(Shape):
    """A page of executions."""

    results: list[Execution]
    total: int


class LastExecution(Shape):
    """The newest execution of a flow."""

    id: str
    flow_id: str
    namespace: str
    start_date: datetime | None = None
    end_date: datetime | None = None
    status: StateType | None = None


class FlowFilter(Shape):
    """The name of a flow."""

    namespace: str
    id: str


class BulkAnswer(Shape):
    """How many were dealt with, and why others were not."""

    count: int
    invalids: list[dict[str, str]] | None = None


class BulkRefusal(Shape):
    """Which ids kept a bulk request from being carried out."""

    message: str
    invalids: list[dict[str, Any]]


class InputDependency(Shape):
    """When an input is asked for."""

    inputs: list[str] | None = None
    condition: str | None = None


class Input(Shape):
    """What an execution is given."""

    id: str
    type: str
    description: str | None = None
    display_name: str | None = None
    required: bool | None = None
    defaults: Any = None
    prefill: Any = None
    values: list[str] | None = None
    expression: str | None = None
    item_type: str | None = None
    validator: str | None = None
    min: Any = None
    max: Any = None
    after: str | None = None
    before: str | None = None
    allowed_file_extensions: list[str] | None = None
    allow_custom_value: bool | None = None
    auto_select_first: bool | None = None
    depends_on: InputDependency | None = None


class Output(Shape):
    """What an execution returns."""

    id: str
    type: str | None = None
    value: Any = None
    description: str | None = None


class Task(Shape):
    """A task as written; its other properties are those of its type."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow")

    id: str
    type: str
    description: str | None = None


class TriggerDefinition(Shape):
    """A trigger as written; its other properties are those of its type."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow")

    id: str
    type: str
    description: str | None = None
    disabled: bool | None = None
    cron: str | None = None


class Flow(Shape):
    """A flow as written, with what the server knows of it."""

    id: str
    namespace: str
    revision: int | None = None
    updated: datetime | None = None
    description: str | None = None
    inputs: list[Input] | None = None
    outputs: list[Output] | None = None
    disabled: bool | None = None
    labels: list[Label] | None = None
    variables: dict[str, Any] | None = None
    tasks: list[Task] | None = None
    errors: list[Task] | None = None
    finally_: list[Task] | None = Field(None, alias="finally")
    after_execution: list[Task] | None = None
    triggers: list[TriggerDefinition] | None = None
    deleted: bool | None = None
    source: str | None = None


class PagedFlows(Shape):
    """A page of flows."""

    results: list[Flow]
    total: int


class SearchResult(Shape):
    """A flow whose source contains what was searched for."""

    model: Flow
    fragments: list[str]


class PagedSearchResults(Shape):
    """A page of such flows."""

    results: list[SearchResult]
    total: int


class Violation(Shape):
    """What is to be said of a flow; valid when `constraints` is absent."""

    index: int
    filename: str | None = None
    namespace: str | None = None
    flow: str | None = None
    constraints: str | None = None
    outdated: bool | None = None
    deprecation_paths: list[str] | None = None
    warnings: list[str] | None = None
    infos: list[str] | None = None
    problems: list[Problem] | None = None


class InputError(Shape):
    """What is wrong with the value of an input."""

    message: str


class InputCheck(Shape):
    """An input of a launch form, with its value as it would be."""

    input: Input
    value: Any = None
    enabled: bool | None = None
    is_default: bool | None = None
    errors: list[InputError] | None = None


class FlowCheck(Shape):
    """A check of the flow that does not hold."""

    message: str
    style: str | None = None
    behavior: str | None = None


class InputsValidation(Shape):
    """What a launch with these values would find."""

    id: str | None = None
    namespace: str | None = None
    inputs: list[InputCheck]
    checks: list[FlowCheck] | None = None


class LogEntry(Shape):
    """One log line."""

    namespace: str
    flow_id: str
    task_id: str | None = None
    execution_id: str | None = None
    task_run_id: str | None = None
    attempt_number: int | None = None
    trigger_id: str | None = None
    timestamp: datetime | None = None
    level: Literal["ERROR", "WARN", "INFO", "DEBUG", "TRACE"] | None = None
    thread: str | None = None
    message: str | None = None
    execution_kind: str | None = None


class PagedLogs(Shape):
    """A page of log lines."""

    results: list[LogEntry]
    total: int


class MetricEntry(Shape):
    """One number a task reported."""

    namespace: str
    flow_id: str
    task_id: str | None = None
    execution_id: str | None = None
    task_run_id: str | None = None
    type: str
    name: str
    value: float
    timestamp: datetime
    tags: dict[str, str] | None = None


class PagedMetrics(Shape):
    """A page of metrics."""

    results: list[MetricEntry]
    total: int


class Trigger(Shape):
    """The state of a trigger."""

    namespace: str
    flow_id: str
    trigger_id: str
    date: datetime
    next_execution_date: datetime | None = None
    disabled: bool | None = None
    execution_id: str | None = None
    backfill: dict[str, Any] | None = None
    updated_date: datetime | None = None
    evaluate_running_date: datetime | None = None
    failures: int | None = None
    error: str | None = None


class Precondition(Shape):
    """One of all that a trigger waits for."""

    id: str
    wanted: dict[str, Any]
    met: bool
    execution_id: str | None = None
    date: datetime | None = None
    until: datetime | None = None


class WaitingStart(Shape):
    """A start for which all is met, and that waits for the end of the running execution."""

    execution_id: str
    state: str
    date: datetime


class TriggerPreconditions(Shape):
    """What a trigger on other flows waits for."""

    namespace: str
    flow_id: str
    trigger_id: str
    preconditions: list[Precondition]
    waiting: list[WaitingStart]
    execution_id: str | None = None


class TriggerRow(Shape):
    """A trigger of a list: its definition and its state."""

    abstract_trigger: TriggerDefinition | None = None
    trigger_context: Trigger


class PagedTriggerRows(Shape):
    """A page of triggers."""

    results: list[TriggerRow]
    total: int


class PagedTriggers(Shape):
    """A page of states of triggers."""

    results: list[Trigger]
    total: int


class FileMetas(Shape):
    """What is known of a file without reading it."""

    size: int


class FilePreview(Shape):
    """The beginning of a file."""

    extension: str
    type: Literal["TEXT", "LIST", "IMAGE", "MARKDOWN", "PDF"]
    content: Any
    truncated: bool


class EvalResult(Shape):
    """What an expression gives in a task run's context."""

    result: str | None = None
    error: str | None = None
    stack_trace: str | None = None


class Environment(Shape):
    """What this instance is called."""

    name: str | None = None
    color: str | None = None


class InstanceConfig(Shape):
    """What the interface knows of the instance; the first few without a login."""

    version: str | None = None
    edition: str | None = None
    environment: Environment | None = None
    is_basic_auth_initialized: bool | None = None
    uuid: str | None = None
    url: str | None = None
    preview: dict[str, int] | None = None
    system_namespace: str | None = None
    hidden_labels_prefixes: list[str] | None = None
    chart_default_duration: str | None = None
    is_custom_dashboards_enabled: bool | None = None
    is_anonymous_usage_enabled: bool | None = None
    is_ui_anonymous_usage_enabled: bool | None = None
    is_template_enabled: bool | None = None
    is_ai_enabled: bool | None = None
    is_concurrency_view_enabled: bool | None = None


class ConcurrencyLimit(Shape):
    """A flow with a concurrency limit, and how full it is."""

    tenant_id: str
    namespace: str
    flow_id: str
    running: int
    queued: int | None = None
    limit: int | None = None
    pool: str | None = None
    behavior: Literal["QUEUE", "CANCEL", "FAIL"] | None = None


class PagedConcurrencyLimits(Shape):
    """A page of flows with a concurrency limit."""

    results: list[ConcurrencyLimit]
    total: int


class Blocker(Shape):
    """One thing that is waited for, and what removes it."""

    reason: str
    sentence: str
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    task_id: str | None = None
    task_run_id: str | None = None
    executions: list[str] | None = Field(None, description="Executions that hold what is waited for.")
    because: list[Blocker] | None = Field(None, description="What these wait for in turn.")


class Explanation(Shape):
    """Why something is where it is."""

    kind: Literal["execution", "taskrun", "trigger"]
    id: str
    state: str
    sentence: str
    blockers: list[Blocker]
    waited: dict[str, str] = Field(description="How long it has waited so far, by what for; ISO 8601.")


class AuditFinding(Shape):
    """An execution that nothing would have moved on, and what was done about it."""

    date: datetime
    execution_id: str
    namespace: str
    flow_id: str
    state: str
    repair: str
    task_id: str | None = None
    task_run_id: str | None = None


class Audit(Shape):
    """What the auditor saw last, and what it has found so far."""

    date: datetime | None = None
    executor: str | None = None
    looked_at: int
    orphans: int
    findings: list[AuditFinding]


class Credentials(Shape):
    """A user name and a password."""

    uid: str | None = None
    username: str
    password: str


class NewApiToken(Shape):
    """An API token to be made."""

    name: str
    description: str | None = None
    max_age: str | None = None
    extended: bool | None = None


class CreatedApiToken(Shape):
    """An API token that was made, with its value."""

    id: str
    name: str
    full_token: str


class ApiToken(Shape):
    """An API token without its value."""

    id: str
    name: str
    description: str | None = None
    prefix: str
    iat: str
    exp: str | None = None
    last_used: str | None = None
    extended: bool
    expired: bool


class ApiTokenList(Shape):
    """The API tokens of a user."""

    results: list[ApiToken]
    total: int


class PluginElement(Shape):
    """One type of a plugin."""

    cls: str
    deprecated: bool | None = None
    title: str | None = None
    description: str | None = None


class Plugin(Shape):
    """A plugin and the types it brings."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow")

    name: str
    title: str | None = None
    description: str | None = None
    long_description: str | None = None
    group: str | None = None
    version: str | None = None
    categories: list[str] = Field(default_factory=list)
    guides: list[str] = Field(default_factory=list)
    tasks: list[PluginElement] = Field(default_factory=list)
    triggers: list[PluginElement] = Field(default_factory=list)
    conditions: list[PluginElement] = Field(default_factory=list)
    task_runners: list[PluginElement] = Field(default_factory=list)


class PluginIcon(Shape):
    """An icon: SVG, in base64."""

    name: str
    icon: str


class PluginVersions(Shape):
    """The installed versions of a type."""

    type: str
    versions: list[str]


class PluginArtifact(Shape):
    """One version of a plugin in an environment of its own."""

    group_id: str
    artifact_id: str
    version: str


class PluginArtifacts(Shape):
    """Some of them."""

    plugins: list[PluginArtifact]


class PagedPluginArtifacts(Shape):
    """All of them."""

    results: list[PluginArtifact]
    total: int


class PluginArtifactVersions(Shape):
    """The versions of one plugin."""

    group_id: str
    artifact_id: str
    versions: list[str]


class PluginList(Shape):
    """Plugins to install or to remove: `name`, `name==1.2`, `group:name:1.2` or `group:name:LATEST`."""

    plugins: list[str]


class Documentation(Shape):
    """The page of a type: text and JSON Schema."""

    markdown: str
    schema_: dict[str, Any] = Field(alias="schema")


class KeyValueEntry(Shape):
    """A key-value pair without its value."""

    namespace: str
    key: str
    version: int
    description: str | None = None
    creation_date: datetime
    update_date: datetime
    expiration_date: datetime | None = None


class KeyValue(Shape):
    """The value of a key, and its type."""

    type: Literal["STRING", "NUMBER", "BOOLEAN", "DATETIME", "DATE", "DURATION", "JSON"]
    value: Any
    revision: int
    updated: datetime


class KeyValueDetail(KeyValueEntry):
    """All there is to know of a key-value pair."""

    type: str
    value: Any
    revision: int


class PagedKeyValues(Shape):
    """A page of key-value pairs."""

    results: list[KeyValueEntry]
    total: int


class Keys(Shape):
    """Keys of one namespace."""

    keys: list[str]


class FileAttributes(Shape):
    """A namespace file, or a folder of them."""

    file_name: str
    last_modified_time: int = Field(description="Milliseconds since 1970.")
    creation_time: int = Field(description="Milliseconds since 1970.")
    type: Literal["File", "Directory"]
    size: int


class NamespaceFileRevision(Shape):
    """One revision of a namespace file; the first is 0."""

    revision: int


class NamespaceSettings(Shape):
    """What is set for all flows of a namespace."""

    id: str
    description: str | None = None
    variables: dict[str, Any] | None = Field(None, description="Read as `namespace.<key>` in expressions.")
    plugin_defaults: list[dict[str, Any]] | None = Field(None, description="`type`, `values` and `forced` of each.")


class Namespace(NamespaceSettings):
    """A namespace with its own settings."""

    deleted: bool


class SecretName(Shape):
    """A secret; its value is never told."""

    key: str


class SecretNames(Shape):
    """A page of the secrets that flows of a namespace may read."""

    read_only: bool = Field(description="Always true: secrets are set where the server is set up.")
    results: list[SecretName]
    total: int


class PagedNamespaces(Shape):
    """A page of namespaces."""

    results: list[Namespace]
    total: int


class InheritedPluginDefault(Shape):
    """A plugin default of a namespace above."""

    namespace: str
    type: str
    values: dict[str, Any] | None = None
    forced: bool | None = None


class Autocomplete(Shape):
    """What names shall contain, or those that are looked for."""

    q: str | None = None
    ids: list[str] | None = None


class DashboardWindow(Shape):
    """How much of the past a dashboard shows, as ISO 8601 durations."""

    default: str
    max: str


class DashboardChart(Shape):
    """A chart as written; its type says what else it has."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow")

    id: str
    type: str
    chart_options: dict[str, Any] | None = None


class Dashboard(Shape):
    """A dashboard with its source."""

    id: str
    title: str
    description: str | None = None
    time_window: DashboardWindow
    charts: list[DashboardChart]
    deleted: bool
    is_default: bool = Field(description="Whether it is there from the start, as written by nobody here.")
    created: datetime | None = None
    updated: datetime | None = None
    source: str
    source_code: str = Field(description="The same under its older name.")


class PagedDashboards(Shape):
    """A page of dashboards."""

    results: list[Dashboard]
    total: int


class ChartRows(Shape):
    """A page of what a chart shows: rows by column key. A KPI has one row with `value`, or none; Markdown `content`."""

    results: list[dict[str, Any]]
    total: int


class ChartFilter(Shape):
    """One filter; the operations are those of searches."""

    field: str = Field(description="Such as `namespace`, `flowId`, `state`, `labels`, `scope`, `timeRange`, `level`.")
    operation: str = "EQUALS"
    value: Any = None


class ChartFilters(Shape):
    """What all charts of a dashboard are narrowed to; where the source has no such field it does not matter."""

    start_date: datetime | None = None
    end_date: datetime | None = None
    page_size: int | None = Field(None, ge=1)
    page_number: int | None = Field(None, ge=1)
    namespace: str | None = Field(None, description="It, and what lies below it.")
    labels: dict[str, str] | None = None
    filters: list[ChartFilter] | None = None


class ChartPreview(Shape):
    """A chart that is not saved yet."""

    chart: str = Field(description="Its YAML source.")
    global_filter: ChartFilters | None = None


class FlowNode(Shape):
    """A flow among others."""

    uid: str
    namespace: str
    id: str


class FlowRelation(Shape):
    """One flow starts another: as a task, or by a trigger of the other."""

    source: str
    target: str
    relation: Literal["FLOW_TASK", "FLOW_TRIGGER"]


class FlowTopology(Shape):
    """Flows and how they start one another."""

    nodes: list[FlowNode]
    edges: list[FlowRelation]


class GraphNode(Shape):
    """A task, a trigger, or a point where a cluster is entered or left."""

    uid: str
    type: str
    branch_type: Literal["ERROR", "FINALLY", "AFTER_EXECUTION"] | None = None
    task: dict[str, Any] | None = None
    trigger_declaration: dict[str, Any] | None = None
    task_run: dict[str, Any] | None = None


class GraphRelation(Shape):
    """Why one node comes after another."""

    relation_type: (
        Literal["SEQUENTIAL", "CHOICE", "ERROR", "FINALLY", "AFTER_EXECUTION", "PARALLEL", "DYNAMIC"] | None
    ) = None
    value: str | None = None


class GraphEdge(Shape):
    """What comes after what."""

    source: str
    target: str
    relation: GraphRelation


class GraphCluster(Shape):
    """Nodes that belong together, and where they are entered and left."""

    cluster: GraphNode
    nodes: list[str]
    parents: list[str]
    start: str
    end: str


class FlowGraph(Shape):
    """A flow as a graph."""

    nodes: list[GraphNode]
    edges: list[GraphEdge]
    clusters: list[GraphCluster]
    flowables: list[str]


class MetricAggregation(Shape):
    """The value of a metric in one step of time."""

    name: str
    value: float | None = None
    date: datetime


class MetricAggregations(Shape):
    """A metric over time."""

    group_by: Literal["minute", "hour", "day", "week"]
    aggregations: list[MetricAggregation]


class BackfillOrder(Shape):
    """Which dates of a schedule are run again."""

    start: datetime
    end: datetime | None = Field(None, description="Now, when left out.")
    inputs: dict[str, Any] | None = None
    labels: list[Label] | None = None


class TriggerChange(Shape):
    """A trigger, and what is to change about it."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow")

    namespace: str
    flow_id: str
    trigger_id: str
    disabled: bool | None = None
    backfill: BackfillOrder | None = None


class SetDisabled(Shape):
    """Triggers that are switched off or on."""

    triggers: list[TriggerChange]
    disabled: bool


class TaskRunStateChange(Shape):
    """The state a task run gets by hand."""

    task_run_id: str
    state: StateType


class LabelsOfExecutions(Shape):
    """Labels that several executions get."""

    executions_id: list[str]
    execution_labels: list[Label]


class BlueprintItem(Shape):
    """A document to begin with."""

    id: str
    title: str
    description: str
    tags: list[str]
    included_tasks: list[str]


class Blueprint(BlueprintItem):
    """A document to begin with, and its source."""

    source: str
    kind: Literal["FLOW", "DASHBOARD", "APP"]


class PagedBlueprints(Shape):
    """A page of blueprints."""

    results: list[BlueprintItem]
    total: int


class BlueprintTag(Shape):
    """A tag of blueprints."""

    id: str
    name: str
