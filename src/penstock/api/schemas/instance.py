"""The instance, its accounts, and why things wait."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from penstock.api.schemas.base import Shape


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


class Setup(Shape):
    """Whether the instance has been set up."""

    done: bool


class Profile(Shape):
    """Who somebody is."""

    username: str
    email: str | None = None


class TenantName(Shape):
    """A tenant."""

    id: str
    name: str


class ServiceAccountToKeep(Shape):
    """An account of a program, as it is to be."""

    name: str
    description: str | None = None
    disabled: bool | None = None
    super_admin: bool | None = None
    tenants: list[str] | None = None


class ServiceAccountChanges(Shape):
    """What is to become of an account of a program."""

    name: str | None = None
    description: str | None = None
    disabled: bool | None = None


class ServiceAccount(Shape):
    """An account of a program; its tokens are told elsewhere."""

    id: str
    name: str
    description: str | None = None
    super_admin: bool
    disabled: bool
    tenants: list[TenantName]
    groups: list[dict[str, str]]


class PagedServiceAccounts(Shape):
    """Some accounts of programs."""

    results: list[ServiceAccount]
    total: int


class Me(Shape):
    """Whoever asks."""

    id: str
    super_admin: bool
    restricted: bool
    profile: Profile
    auths: list[dict[str, Any]]
    tenants: list[TenantName]


class LoginMethods(Shape):
    """How people can log in."""

    login_password: bool
    mails_enabled: bool
    passwordless: bool
    oauths: list[str]


class License(Shape):
    """What the licence allows; nothing is bounded."""

    type: str
    expired: bool
    standalone: bool
    worker_groups: bool
    online: bool


class FlowUsage(Shape):
    """How many flows there are, and of what they are made."""

    count: int
    namespaces_count: int
    task_type_count: dict[str, int]
    trigger_type_count: dict[str, int]


class DailyExecutions(Shape):
    """How many executions began on a day."""

    start_date: datetime
    group_by: str
    execution_counts: dict[str, int] = Field(description="By state.")


class ExecutionUsage(Shape):
    """How many executions there were."""

    daily_executions_count: list[DailyExecutions]


class Usage(Shape):
    """What an instance is used for."""

    uuid: str
    flows: FlowUsage
    executions: ExecutionUsage


class NewPassword(Shape):
    """A password and the one that replaces it."""

    old_password: str
    new_password: str
