from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from penstock.base.clock import SECOND
from penstock.wiring.config import Configuration, ConfigurationError, load
from penstock.wiring.config.sources import read_file


def loaded(text: str, environment: Mapping[str, str] | None = None) -> Configuration:
    return load(environment={"KESTRA_CONFIGURATION": text, **(environment or {})})


@pytest.fixture(autouse=True)
def no_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))


def test_configuration_file_camel_case_and_kebab_case_are_one_key(tmp_path: Path) -> None:
    """OPS-046, OPS-048."""
    file = tmp_path / "application.yml"
    file.write_text(
        "kestra:\n  storage: {type: local, local: {basePath: /data}}\n  server: {termination-grace-period: 30s}\n"
    )
    settings = load(file, environment={}).settings
    assert settings.kestra.storage.local.base_path == "/data"
    assert settings.kestra.server.grace_period == 30 * SECOND


def test_configuration_default_file_in_home_is_read(tmp_path: Path) -> None:
    """OPS-046, OPS-211: `config.yml` before `config.yaml`."""
    folder = tmp_path / ".kestra"
    folder.mkdir()
    (folder / "config.yaml").write_text("kestra: {url: 'http://second'}")
    assert load(environment={}).settings.kestra.url == "http://second"
    (folder / "config.yml").write_text("kestra: {url: 'http://first'}")
    assert load(environment={}).settings.kestra.url == "http://first"


def test_configuration_environment_overrides_file_and_text(tmp_path: Path) -> None:
    """OPS-046, OPS-047."""
    file = tmp_path / "a.yml"
    file.write_text("kestra: {url: 'http://file'}\nmicronaut: {server: {port: 9000}}\n")
    environment = {
        "KESTRA_CONFIGURATION": "kestra: {url: 'http://text'}",
        "MICRONAUT_SERVER_PORT": "8090",
        "DATASOURCES_POSTGRES_USERNAME": "kestra",
    }
    settings = load(file, environment=environment).settings
    assert settings.kestra.url == "http://text"
    assert settings.micronaut.server.port == 8090
    assert settings.datasources.postgres.username == "kestra"
    assert load(file, environment={**environment, "KESTRA_URL": "http://env"}).settings.kestra.url == "http://env"


def test_configuration_own_spelling_wins_over_documented_spelling() -> None:
    settings = load(environment={"KESTRA_URL": "http://a", "PENSTOCK_URL": "http://b"}).settings
    assert settings.kestra.url == "http://b"
    assert loaded("penstock: {url: 'http://c'}").settings.kestra.url == "http://c"


def test_configuration_environment_may_add_entries_to_maps_and_lists() -> None:
    settings = load(
        environment={"KESTRA_VARIABLES_GLOBALS_MY_NAME": "v", "KESTRA_LOCAL_FILES_ALLOWED_PATHS": "/a, /b"}
    ).settings
    assert settings.kestra.variables.globals_ == {"my-name": "v"}
    assert settings.kestra.local_files.allowed_paths == ("/a", "/b")


def test_configuration_placeholders_take_keys_variables_and_defaults() -> None:
    """OPS-049."""
    settings = loaded(
        "kestra: {url: 'http://${HOST}:${micronaut.server.port}/${NONE:}', variables: {globals: {a: '${X:y}'}}}\n"
        "micronaut: {server: {port: 8123}}\n",
        {"HOST": "example.com"},
    ).settings
    assert settings.kestra.url == "http://example.com:8123/"
    assert settings.kestra.variables.globals_ == {"a": "y"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kestra: {url: '${NOPE}'}", r"kestra.url .* refers to `\$\{NOPE\}`"),
        ("kestra: {url: '${kestra.environment.name}', environment: {name: '${kestra.url}'}}", "in a circle"),
        ("kestra: {regex: {timeout: soon}}", r"kestra.regex.timeout: `soon`: is not a duration.*KESTRA_CONFIGURATION"),
        (
            "micronaut: {server: {port: eighty}}",
            r"micronaut.server.port: must be a whole number, not `eighty`",
        ),
        ("micronaut: {server: {max-request-size: big}}", "is not a size"),
        ("kestra: {lists: {timeout: -5}}", "kestra.lists.timeout: `-5`: must not be negative"),
        ("kestra: {url: flows.example.com}", "kestra.url: `flows.example.com`: is no address"),
        ("logger: {levels: {io.kestra: LOUD}}", "logger.levels.* `LOUD`: is no level; use one of TRACE, DEBUG"),
        ("kestra: [1]", "kestra"),
        ("- 1", "holds no settings"),
        ("a: [", "is not valid YAML at line 1"),
    ],
)
def test_configuration_mistake_is_named_with_key_value_and_source(text: str, message: str) -> None:
    """OPS-215."""
    with pytest.raises(ConfigurationError, match=message):
        loaded(text)


def test_configuration_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    """OPS-215."""
    file = tmp_path / "application.yml"
    file.write_bytes("kestra: {url: café}".encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"application.yml is no text in UTF-8 \(see byte 18\)"):
        read_file(file)


def test_configuration_wrong_secret_is_not_shown() -> None:
    with pytest.raises(ConfigurationError) as error:
        loaded("kestra: {server: {basic-auth: {password: [hunter2]}}}")
    assert "hunter2" not in str(error.value)
    assert "kestra.server.basic-auth.password" in str(error.value)


def test_configuration_unknown_key_warns_with_nearest_name() -> None:
    """OPS-215."""
    warnings = loaded("kestra: {storrage: {type: local}, ee: {license: {id: 1}}}\nother: {x: 1}\n").warnings
    assert len(warnings) == 1
    assert "kestra.storrage.type" in warnings[0]
    assert "did you mean kestra.storage.type?" in warnings[0]


@pytest.mark.parametrize(
    ("text", "micros"),
    [("25ms", 25_000), ("5s", 5_000_000), ("60m", 3_600_000_000), ("7d", 604_800_000_000), ("PT1S", 1_000_000)],
)
def test_configuration_duration_spellings_are_read(text: str, micros: int) -> None:
    """OPS-050."""
    assert loaded(f"kestra: {{regex: {{timeout: {text}}}}}").settings.kestra.regex.timeout == micros


@pytest.mark.parametrize(("text", "size"), [("10MB", 10 * 1024**2), ("1GB", 1024**3), ("2048", 2048), ("'true'", None)])
def test_configuration_size_spellings_are_read(text: str, size: int | None) -> None:
    """OPS-050."""
    document = f"micronaut: {{server: {{max-request-size: {text}}}}}"
    if size is None:
        with pytest.raises(ConfigurationError, match="is not a size"):
            loaded(document)
    else:
        assert loaded(document).settings.micronaut.server.max_request_size == size


def test_configuration_quoted_boolean_is_a_boolean() -> None:
    """OPS-050."""
    assert loaded("kestra: {templates: {enabled: 'true'}}").settings.kestra.templates.enabled is True


def test_configuration_shown_masks_secrets() -> None:
    """OPS-052, OPS-214."""
    shown = loaded(
        "kestra: {encryption: {secret-key: abc}, url: http://x, plugins: {defaults: [{type: t, values: {apiKey: s}}]}}"
    ).shown()
    assert "abc" not in str(shown)
    assert "'s'" not in str(shown)
    assert shown["kestra"]["url"] == "http://x"


def test_configuration_logger_names_keep_their_spelling() -> None:
    """OPS-103."""
    assert loaded("logger: {levels: {io.kestra.jdbcRunner: DEBUG}}").settings.logger.levels == {
        "io.kestra.jdbcRunner": "DEBUG"
    }


def test_configuration_command_line_wins_and_command_defaults_lose() -> None:
    configuration = load(
        environment={"MICRONAUT_SERVER_PORT": "1000", "KESTRA_URL": "http://env"},
        defaults={"kestra.url": "http://default", "kestra.storage.type": "local"},
        overrides={"micronaut.server.port": 2000},
    )
    assert configuration.settings.micronaut.server.port == 2000
    assert configuration.settings.kestra.url == "http://env"
    assert configuration.settings.kestra.storage.type == "local"
    assert configuration.is_given("kestra.url")
    assert not configuration.is_given("kestra.regex.timeout")
