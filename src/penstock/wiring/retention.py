"""Retention as it is configured (BEY-020), for servers and for the command line."""

from __future__ import annotations

from penstock.base.clock import Clock, Micros
from penstock.ports.objects import ObjectStorage
from penstock.services.retention import FOREVER, PAUSE, Policy, RetentionService, Rule
from penstock.store import Store
from penstock.wiring.config import ConfigurationError, Settings
from penstock.wiring.config.settings import RetentionRule
from penstock.wiring.config.units import Period, read_period
from penstock.wiring.plan import RetentionPlan


def retention_plan(settings: Settings) -> RetentionPlan | None:
    """Return what removes old records by itself; None where nothing is to be removed."""
    retention = settings.kestra.retention
    if not retention.enabled:
        return None
    return RetentionPlan(retention_policy(settings), retention.initial_delay, retention.fixed_delay)


def retention_policy(settings: Settings) -> Policy:
    """Return how long records are kept where they are removed."""
    retention = settings.kestra.retention
    rules = [_rule(one, retention.executions, retention.logs) for one in retention.rules]
    return Policy(_micros(retention.executions), _micros(retention.logs), rules)


def retention_service(
    store: Store, objects: ObjectStorage, clock: Clock, policy: Policy, *, pause: float = PAUSE
) -> RetentionService:
    """Return what removes records of a store."""
    return RetentionService(store.purging, objects, clock, policy, pause=pause)


def given_period(name: str, text: str) -> Micros | None:
    """Return how long something is kept, as an option of a command says it.

    Raises:
        ConfigurationError: It is no duration.
    """
    try:
        return _micros(read_period(text))
    except ValueError as error:
        raise ConfigurationError(f"{name} {text} {error}") from None


def _rule(given: RetentionRule, executions: Period, logs: Period) -> Rule:
    """Return a rule; a period it does not name is the general one."""
    return Rule(
        executions=_micros(executions if given.executions is None else given.executions),
        logs=_micros(logs if given.logs is None else given.logs),
        namespace=given.namespace,
        states=given.states,
        labels=given.labels,
    )


def _micros(period: Period) -> Micros | None:
    return period if isinstance(period, int) else FOREVER
