from __future__ import annotations

import base64
from pathlib import Path

import pytest
from pydantic import SecretStr

from penstock.base.clock import SECOND
from penstock.builtin.runners.docker import Docker
from penstock.expressions import LimitExceededError, render
from penstock.secrets import AwsSecrets, Caching
from penstock.services.scheduler import Recovery
from penstock.wiring.config import ConfigurationError, load
from penstock.wiring.expressions import ExpressionPlan, set_up_expressions
from penstock.wiring.local import KEY, data_folder, ensure_key, local_defaults
from penstock.wiring.plan import ALL_ROLES, Plan
from penstock.wiring.planning import plan_of

MEMORY = "kestra: {repository: {type: memory}, queue: {type: memory}, storage: {type: local}}\n"


def planned(text: str, tmp_path: Path, **environment: str) -> Plan:
    configuration = load(environment={"KESTRA_CONFIGURATION": text, **environment})
    return plan_of(configuration.settings, ALL_ROLES, data=tmp_path, environment=environment)


@pytest.fixture(autouse=True)
def no_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PENSTOCK_DATA", raising=False)


def test_plan_minimal_local_test_configuration_boots(tmp_path: Path) -> None:
    """OPS-051, OPS-212."""
    plan = planned(MEMORY, tmp_path)
    assert plan.database == "sqlite://"
    assert plan.storage == tmp_path / "storage"
    assert (plan.http.port, plan.http.management_port) == (8080, 8081)


def test_plan_working_directories_are_made_where_it_is_configured(tmp_path: Path) -> None:
    """SCR-027, OPS-066."""
    plan = planned(MEMORY + f"kestra.tasks.tmp-dir.path: {tmp_path / 'work'}\n", tmp_path)
    assert plan.worker.directory == tmp_path / "work"
    assert planned(MEMORY, tmp_path).worker.directory is None


def test_plan_limits_keep_the_names_of_pools_namespaces_and_labels(tmp_path: Path) -> None:
    """BEY-012."""
    text = (
        MEMORY
        + "kestra.concurrency: {pools: {gpuLarge: 2}, namespaces: {company.team: 5}, labels: {'system.a:bC': 3}}\n"
    )
    limits = planned(text, tmp_path).limits
    assert (limits.pools, limits.namespaces) == ({"gpuLarge": 2}, {"company.team": 5})
    assert limits.labels == {"system.a:bC": 3}
    with pytest.raises(ConfigurationError, match=r"kestra\.concurrency\.pools\.gpu"):
        planned(MEMORY + "kestra.concurrency.pools: {gpu: 0}\n", tmp_path)


def test_plan_alerts_go_to_the_configured_address_alone(tmp_path: Path) -> None:
    """BEY-005."""
    assert planned(MEMORY, tmp_path).alerts is None
    text = "kestra.alerts: {url: 'https://chat.example.com/hook', of: [FAILING], fixed-delay: PT5M}\n"
    alerts = planned(MEMORY + text, tmp_path).alerts
    assert alerts is not None
    assert (alerts.url, alerts.kinds, alerts.every) == ("https://chat.example.com/hook", ("FAILING",), 300_000_000)


def test_plan_retention_is_on_and_its_rules_take_what_they_leave_out_from_the_general_periods(tmp_path: Path) -> None:
    """BEY-020."""
    day = 24 * 3600 * SECOND
    plan = planned(MEMORY, tmp_path)
    assert plan.retention is not None
    assert (plan.retention.policy.executions, plan.retention.policy.logs) == (90 * day, 30 * day)
    text = (
        "kestra.retention: {executions: 30d, rules: [{namespace: Company.a, labels: {aB: c}, executions: forever}, "
        "{states: [FAILED], logs: P1D}]}\n"
    )
    configured = planned(MEMORY + text, tmp_path).retention
    assert configured is not None
    first, second = configured.policy.rules
    assert (first.namespace, first.labels, first.executions, first.logs) == ("Company.a", {"aB": "c"}, None, 30 * day)
    assert (second.states, second.executions, second.logs) == (("FAILED",), 30 * day, day)
    assert planned(MEMORY + "kestra.retention.enabled: false\n", tmp_path).retention is None
    with pytest.raises(ConfigurationError, match=r"kestra\.retention\.logs"):
        planned(MEMORY + "kestra.retention.logs: soon\n", tmp_path)


@pytest.mark.parametrize(("key", "value", "words"), [
    ("executions", "90", "says no unit; write 90d for days, or 90s for seconds"),
    ("rules", "[{namespac: company.audit, executions: P1D}]", "namespac"),
    ("rules", "[{states: [DONE], executions: P1D}]", "one of `SUCCESS`"),
])  # fmt: skip
def test_plan_retention_that_would_keep_less_than_was_meant_is_refused(
    tmp_path: Path, key: str, value: str, words: str
) -> None:
    """BEY-020: what it removes is gone, so a condition that is not understood must not be left out."""
    with pytest.raises(ConfigurationError, match=rf"kestra\.retention\.{key}") as refused:
        planned(MEMORY + f"kestra.retention: {{{key}: {value}}}\n", tmp_path)
    assert words in str(refused.value)


def test_plan_admission_keeps_the_names_of_namespaces(tmp_path: Path) -> None:
    """BEY-011."""
    assert planned(MEMORY + "kestra.admission.namespaces: {company.Team: 5}\n", tmp_path).admission == {
        "company.Team": 5
    }


def test_plan_missing_storage_type_is_named(tmp_path: Path) -> None:
    """OPS-051."""
    with pytest.raises(ConfigurationError, match=r"kestra\.storage\.type is missing"):
        planned("kestra: {repository: {type: memory}, queue: {type: memory}}", tmp_path)


def test_plan_shared_variables_come_from_environment_and_globals(tmp_path: Path) -> None:
    """OPS-058, OPS-059, EXP-030, EXP-031."""
    text = MEMORY + "kestra.variables.globals.greeting: hi\nkestra.environment.name: prod\nkestra.url: http://x/\n"
    plan = planned(text, tmp_path, ENV_MY_VARIABLE="1", OTHER="2")
    assert plan.shared["envs"] == {"my_variable": "1"}
    assert plan.shared["globals"] == {"greeting": "hi"}
    assert plan.shared["kestra"] == {"environment": "prod", "url": "http://x/"}


def test_plan_empty_prefix_exposes_all_variables(tmp_path: Path) -> None:
    """OPS-058."""
    plan = planned(MEMORY + "kestra.variables.env-vars-prefix: ''\n", tmp_path, OTHER="2")
    assert plan.shared["envs"]["other"] == "2"


def test_plan_plugin_defaults_take_keys_beside_values(tmp_path: Path) -> None:
    """OPS-070."""
    text = (
        MEMORY
        + """
kestra.plugins.defaults:
  - type: io.kestra
    retry: {type: constant, interval: PT5M, maxAttempts: 3}
  - type: io.kestra.plugin.core.log.Log
    forced: true
    values: {level: WARN}
"""
    )
    first, second = planned(text, tmp_path).plugin_defaults
    assert first.values["retry"]["maxAttempts"] == 3
    assert (second.forced, second.values) == (True, {"level": "WARN"})


def test_plan_missed_schedules_are_configured_by_type(tmp_path: Path) -> None:
    """OPS-071, ENG-282."""
    schedule = "io.kestra.plugin.core.trigger.Schedule"
    entry = f"kestra.plugins.configurations: [{{type: {schedule}, values: {{recoverMissedSchedules: %s}}}}]\n"
    plan = planned(MEMORY + entry % "NONE", tmp_path)
    assert plan.recovery == {schedule: Recovery.NONE}
    with pytest.raises(ConfigurationError, match="`SOME`"):
        planned(MEMORY + entry % "SOME", tmp_path)


def test_plan_heartbeat_longer_than_its_timeout_is_refused(tmp_path: Path) -> None:
    """OPS-125."""
    with pytest.raises(ConfigurationError, match="must be shorter"):
        planned(MEMORY + "kestra.server.liveness: {timeout: 3s, heartbeat-interval: 5s}\n", tmp_path)


def test_plan_grace_period_reaches_the_worker(tmp_path: Path) -> None:
    """OPS-127, OPS-207."""
    assert planned(MEMORY + "kestra.server.terminationGracePeriod: 30s\n", tmp_path).worker.grace == 30 * SECOND
    assert planned(MEMORY + "kestra.server.terminateGracePeriod: 20s\n", tmp_path).worker.grace == 20 * SECOND


def test_plan_follows_every_key_of_the_language_pages(tmp_path: Path) -> None:
    """ENG-387: in the environment as in an image, in the spellings of the pages."""
    key = base64.b64encode(bytes(32)).decode()
    text = f"""
kestra:
  repository: {{type: memory}}
  queue: {{type: memory}}
  storage: {{type: local}}
  url: https://flows.example.com
  hiddenLabels: {{prefixes: [internal., system.]}}
  systemFlows: {{namespace: company.ops}}
  localFiles: {{allowedPaths: [/data]}}
  regex: {{timeout: PT3S}}
  variables: {{recursiveRendering: true}}
  server: {{terminationGracePeriod: PT7S, liveness: {{timeout: PT20S}}}}
  encryption: {{secretKey: "{key}"}}
  plugins:
    defaults: [{{type: io.kestra.plugin.core.log.Log, values: {{level: WARN}}}}]
    configurations: [{{type: io.kestra.plugin.core.flow.Subflow, values: {{outputs: {{enabled: true}}}}}}]
"""
    plan = planned(text, tmp_path)
    assert (plan.http.url, plan.http.hidden_labels) == ("https://flows.example.com", ("internal.", "system."))
    assert plan.system_namespace == "company.ops"
    assert [str(path) for path in plan.worker.allowed_paths] == ["/data"]
    assert (plan.expressions.regex_timeout, plan.expressions.recursive_rendering) == (3.0, True)
    assert (plan.worker.grace, plan.worker_timeout) == (7 * SECOND, 20 * SECOND)
    assert plan.encryption is not None
    assert plan.plugin_defaults[0].values == {"level": "WARN"}
    assert plan.plugin_configurations["io.kestra.plugin.core.flow.Subflow"] == {"outputs": {"enabled": True}}


def test_local_data_folder_is_given_set_here_or_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert data_folder(Path("x"), {}) == Path("x")
    assert data_folder(None, {"PENSTOCK_DATA": "/d"}) == Path("/d")
    assert data_folder(None, {}) == tmp_path / ".penstock"
    (tmp_path / ".penstock").mkdir()
    assert data_folder(None, {}) == Path(".penstock")


def test_local_defaults_give_way_to_the_configuration(tmp_path: Path) -> None:
    defaults = local_defaults(tmp_path)
    plain = load(environment={}, defaults=defaults).settings
    assert plan_of(plain, ALL_ROLES, data=tmp_path, environment={}).database == f"sqlite:///{tmp_path}/penstock.db"
    other = load(environment={"DATASOURCES_H2_URL": "jdbc:h2:mem:x"}, defaults=defaults).settings
    assert plan_of(other, ALL_ROLES, data=tmp_path, environment={}).database == "sqlite://"


def test_plan_upgrades_the_database_of_the_local_folder_alone(tmp_path: Path) -> None:
    """BEY-071."""
    own = load(environment={}, defaults=local_defaults(tmp_path)).settings
    assert plan_of(own, ALL_ROLES, data=tmp_path, environment={}).upgrades
    assert not plan_of(own, ALL_ROLES, data=None, environment={}).upgrades  # as the components of a server are planned
    assert not plan_of(own, ALL_ROLES, data=tmp_path / "other", environment={}).upgrades


def test_local_key_is_made_once_for_its_owner_alone_and_gives_way(tmp_path: Path) -> None:
    """ENG-374, OPS-076: secrets can be kept without configuring anything."""
    assert plan_of(load(environment={}, defaults=local_defaults(tmp_path)).settings, ALL_ROLES).encryption is None
    for _ in range(2):
        ensure_key(tmp_path / "data")
        assert [path.name for path in (tmp_path / "data").iterdir()] == [KEY]
    key = (tmp_path / "data" / KEY).read_text()
    assert (tmp_path / "data" / KEY).stat().st_mode & 0o777 == 0o600
    defaults = local_defaults(tmp_path / "data")
    settings = load(environment={}, defaults=defaults).settings
    assert settings.kestra.encryption.secret_key == SecretStr(key)
    assert plan_of(settings, ALL_ROLES, data=tmp_path, environment={}).encryption is not None
    other = load(environment={"KESTRA_ENCRYPTION_SECRET_KEY": "x" * 43 + "="}, defaults=defaults).settings
    assert other.kestra.encryption.secret_key != SecretStr(key)


def test_plan_settings_of_expressions_are_taken(tmp_path: Path) -> None:
    """OPS-060, OPS-061."""
    assert planned(MEMORY, tmp_path).expressions == ExpressionPlan(10.0, False, 1000)
    text = MEMORY + "kestra.variables: {recursiveRendering: true, cache-size: 5}\nkestra.regex.timeout: 500ms\n"
    assert planned(text, tmp_path).expressions == ExpressionPlan(0.5, True, 5)
    assert planned(MEMORY + "kestra.variables.cache-enabled: false\n", tmp_path).expressions.cache_size == 0


def test_expressions_of_the_process_follow_the_plan() -> None:
    """EXP-003, EXP-012, EXP-123."""
    try:
        set_up_expressions(ExpressionPlan(0.05, True, 5)).close()
        assert render("{{ a }}", {"a": "{{ b }}", "b": "end"}) == "end"
        with pytest.raises(LimitExceededError, match=r"0\.05 s"):
            render("{{ x | regexMatch('^(a|a)+$') }}", {"x": "a" * 60 + "b"})
    finally:
        set_up_expressions(ExpressionPlan()).close()


def test_plan_configurations_of_plugins_are_kept_by_type(tmp_path: Path) -> None:
    """OPS-071, SCR-026, BEY-035."""
    assert planned(MEMORY, tmp_path).plugin_configurations == {
        Docker.type_name: {"fallback": "true", "volume-enabled": False}
    }
    text = "kestra.tasks.scripts.docker: {fallback: error, volume-enabled: true}\n"
    text += "kestra.plugins.configurations: [{type: a, values: {b: 1}}]\n"
    assert planned(MEMORY + text, tmp_path).plugin_configurations == {
        Docker.type_name: {"fallback": "error", "volume-enabled": True},
        "a": {"b": 1},
    }
    plan = planned(MEMORY + "kestra.tasks.scripts.docker.fallback: true\n", tmp_path)
    assert plan.plugin_configurations[Docker.type_name]["fallback"] == "true"
    with pytest.raises(ConfigurationError, match="fallback"):
        planned(MEMORY + "kestra.tasks.scripts.docker.fallback: maybe\n", tmp_path)


def test_plan_encryption_key_is_read_and_a_wrong_one_refused(tmp_path: Path) -> None:
    """OPS-076."""
    assert planned(MEMORY, tmp_path).encryption is None
    key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    assert planned(MEMORY + f"kestra.encryption.secret-key: {key}\n", tmp_path).encryption is not None
    with pytest.raises(ConfigurationError, match="openssl rand") as failure:
        planned(MEMORY + "kestra.encryption.secret-key: my-own-word\n", tmp_path)
    assert "my-own-word" not in str(failure.value)


def test_plan_names_what_keeps_secrets(tmp_path: Path) -> None:
    """ENG-374, GOV-227, GOV-228, GOV-229."""
    plan = planned(MEMORY + "kestra.secret.jdbc.tags: {owner: ops}\n", tmp_path)
    assert (plan.secret_manager, plan.secret_caching, plan.secret_tags) == (None, None, (("owner", "ops"),))
    given = """kestra.secret:
  type: aws-secret-manager
  cache: {enabled: true, maximum-size: 5, expire-after-write: 10s}
  aws-secret-manager: {region: eu-west-1, prefix: ours, tags: {tier: "1"}, filter-on-prefix: {prefix: app-}}
"""
    plan = planned(MEMORY + given, tmp_path)
    assert isinstance(plan.secret_manager, AwsSecrets)
    assert (plan.secret_manager.prefix, plan.secret_manager.refusal is None) == ("ours", False)
    assert plan.secret_caching == Caching(5, 10 * SECOND)
    assert plan.secret_tags == (("tier", "1"),)
    with pytest.raises(ConfigurationError, match="type"):
        planned(MEMORY + "kestra.secret.type: vault\n", tmp_path)


def test_plan_lists_reach_back_and_take_as_long_as_is_configured(tmp_path: Path) -> None:
    """BEY-022: three months and half a minute where nothing is said."""
    usual = planned(MEMORY, tmp_path)
    assert (usual.http.list_range, usual.list_timeout) == (90 * 24 * 3600 * SECOND, 30 * SECOND)
    configured = planned(MEMORY + "kestra.lists: {time-range: forever, timeout: 5s}\n", tmp_path)
    assert (configured.http.list_range, configured.list_timeout) == (None, 5 * SECOND)
