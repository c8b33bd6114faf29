from __future__ import annotations

import stat
from pathlib import Path

import pytest
import yaml

from penstock.base.errors import InvalidRequestError, NotFoundError, UnauthorizedError
from penstock.cli.ctl.contexts import ContextFile, Given, from_environment, resolve
from penstock.cli.remote import Address
from tests.cli.ctl.conftest import Ctl
from tests.support.live import USER

DOCUMENTED = """
contexts:
  default:
    host: https://kestra.example.com
    tenant: production
    auth_method: token
    token: secret-token
  plain:
    host: http://localhost:8080
    tenant: main
    auth_method: basicAuth
    username: me@example.com
    password: Secret1234
default_context: default
"""


def test_address_takes_each_part_from_the_first_source_that_has_it() -> None:
    """OPS-121."""
    flags = Given("flags", host="http://flags")
    variables = from_environment({"KESTRACTL_HOST": "http://variables", "KESTRACTL_TENANT": "t"})
    context = Given("context", host="http://file", tenant="file", username="u", password="p")
    assert resolve((flags, variables, context)) == Address("http://flags", "t", "u", "p")
    assert resolve((Given("none"),)) == Address("http://localhost:8080", "main")


def test_address_logs_in_by_the_first_source_with_a_login() -> None:
    """OPS-121."""
    context = Given("context", username="u", password="p")
    assert resolve((Given("flags", token="t"), context)).token == "t"
    assert resolve((context, Given("later", token="t"))).token is None
    mixed = resolve((Given("flags", password="new"), context))
    assert (mixed.username, mixed.password) == ("u", "new")


def test_address_with_two_logins_in_one_source_is_refused() -> None:
    """OPS-121."""
    with pytest.raises(InvalidRequestError, match="both a token and"):
        resolve((from_environment({"KESTRACTL_TOKEN": "t", "KESTRACTL_USERNAME": "u"}),))


def test_secrets_of_addresses_are_not_shown() -> None:
    """OPS-121."""
    shown = repr([Address("h", "t", "u", "hidden"), Given("x", token="hidden", password="hidden")])
    assert "hidden" not in shown


def test_file_of_the_documented_form_is_read(tmp_path: Path) -> None:
    """OPS-121."""
    (tmp_path / "config.yaml").write_text(DOCUMENTED)
    file = ContextFile(tmp_path / "config.yaml")
    assert resolve((file.get(),)) == Address("https://kestra.example.com", "production", token="secret-token")
    assert resolve((file.get("plain"),)).username == "me@example.com"
    with pytest.raises(NotFoundError, match="no context `other`") as caught:
        file.get("other")
    assert "default, plain" in caught.value.hint


@pytest.mark.parametrize(
    "text", ["contexts: [1]\ndefault_context: a", "a: b: Secret", "- 1", "contexts: {a: 1}\ndefault_context: a"]
)
def test_file_that_is_broken_is_one_error_without_its_content(tmp_path: Path, text: str) -> None:
    """OPS-121."""
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(InvalidRequestError) as caught:
        ContextFile(tmp_path / "config.yaml").get()
    assert "config.yaml" in caught.value.message
    assert "Secret" not in str(caught.value)


def test_contexts_are_added_used_shown_and_removed(ctl: Ctl, tmp_path: Path) -> None:
    """OPS-119, OPS-121."""
    ctl("config", "add", "one", ctl.url, "main", "--username", USER.username, "--password", USER.password)
    ctl("config", "add", "two", "https://two.example.com/", "production", "--token", "a-token")
    file = tmp_path / ".kestractl" / "config.yaml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert yaml.safe_load(file.read_text()) == {
        "contexts": {
            "one": {"host": ctl.url, "tenant": "main", "auth_method": "basicAuth",
                    "username": USER.username, "password": USER.password},
            "two": {"host": "https://two.example.com", "tenant": "production", "auth_method": "token",
                    "token": "a-token"},
        },
        "default_context": "one",
    }  # fmt: skip
    nobody = {name: None for name in ctl.variables if name.startswith("KESTRACTL")}
    ctl("namespaces", "list", **nobody)
    shown = ctl("config", "show", **nobody).output
    assert USER.password not in shown
    assert "a-token" not in shown
    assert [row["name"] for row in ctl.json("config", "show") if row["default"]] == ["one"]
    ctl("config", "use", "two")
    assert ctl.json("config", "show")[1]["default"]
    ctl("config", "remove", "two")
    assert [row["name"] for row in ctl.json("config", "show")] == ["one"]
    assert isinstance(ctl.error("config", "use", "two"), NotFoundError)


def test_context_added_in_a_file_named_is_used_from_there(ctl: Ctl, tmp_path: Path) -> None:
    """OPS-120."""
    nobody = {name: None for name in ctl.variables if name.startswith("KESTRACTL")}
    elsewhere = ("--config", str(tmp_path / "elsewhere.yaml"))
    login = {"KESTRACTL_USERNAME": USER.username, "KESTRACTL_PASSWORD": USER.password}
    ctl("config", "add", "here", ctl.url, *elsewhere, **{**nobody, **login})
    ctl("config", "add", "wrong", "http://127.0.0.1:1", "--token", "t", "--default", *elsewhere, **nobody)
    ctl("namespaces", "list", *elsewhere, "--context", "here", **nobody)
    assert ctl.run("namespaces", "list", *elsewhere, **nobody).exit_code == 1


def test_context_without_a_password_is_refused_where_nobody_can_be_asked(ctl: Ctl) -> None:
    """OPS-121."""
    error = ctl.error("config", "add", "x", ctl.url, "--username", "me@example.com", KESTRACTL_PASSWORD=None)
    assert "KESTRACTL_PASSWORD" in error.hint


def test_options_stand_before_or_after_the_command(ctl: Ctl) -> None:
    """OPS-120."""
    for arguments in (
        ("--host", ctl.url, "--output", "json", "namespaces", "list"),
        ("namespaces", "--host", ctl.url, "--output", "json", "list"),
        ("namespaces", "list", "--host", ctl.url, "--output", "json"),
    ):
        assert ctl(*arguments, KESTRACTL_HOST="http://127.0.0.1:1").stdout.startswith("[")
    assert ctl("namespaces", "list", KESTRACTL_OUTPUT="json").stdout.startswith("[")


def test_wrong_login_says_how_to_log_in(ctl: Ctl) -> None:
    """OPS-120."""
    error = ctl.error("flows", "list", "--password", "Wrong1234")
    assert isinstance(error, UnauthorizedError)
    assert "KESTRACTL_TOKEN" in error.hint
    assert "Wrong1234" not in str(error)


@pytest.mark.parametrize("address", ["localhost:8080", "ftp://x", "http://", "https://me:Secret1234@host"])
def test_address_that_is_none_is_refused(ctl: Ctl, address: str) -> None:
    """OPS-120."""
    error = ctl.error("flows", "list", "--host", address)
    assert isinstance(error, InvalidRequestError)
    assert "Secret1234" not in str(error)


def test_verbose_tells_each_request_without_the_login(ctl: Ctl) -> None:
    """OPS-120."""
    told = ctl("namespaces", "list", "--verbose").stderr
    assert "GET http://127.0.0.1" in told
    assert "-> 200" in told
    assert USER.password not in told


def test_output_of_an_unknown_form_is_refused(ctl: Ctl) -> None:
    """OPS-120."""
    assert "table, json, yaml" in ctl.error("flows", "list", "-o", "xml").hint
