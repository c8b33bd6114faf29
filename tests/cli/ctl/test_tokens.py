from __future__ import annotations

import json

from typer.testing import CliRunner, Result

from penstock.base.errors import NotFoundError, UnauthorizedError
from penstock.cli.main import app
from tests.cli.ctl.conftest import Ctl


def token(ctl: Ctl, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["auth", "token", *arguments], env=ctl.variables)


def account(ctl: Ctl, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["auth", "account", *arguments], env=ctl.variables)


def test_token_made_logs_in_until_it_is_revoked(ctl: Ctl) -> None:
    """ENG-286, GOV-075, GOV-077, OPS-121."""
    name = f"ci {ctl.namespace}"
    made = token(ctl, "create", name, "--description", "deploys", "--max-age", "P30D", "--extended")
    assert made.exit_code == 0, made.exception
    value = made.stdout.strip()
    login = {"KESTRACTL_USERNAME": None, "KESTRACTL_PASSWORD": None, "KESTRACTL_TOKEN": value}
    ctl("namespaces", "list", **login)
    ctl("config", "add", "by-token", ctl.url, "main", "--default", **login)
    nobody = {key: None for key in ctl.variables if key.startswith("KESTRACTL")}
    assert value not in ctl("namespaces", "list", "--verbose", **nobody).output
    [row] = [one for one in json.loads(token(ctl, "list", "-o", "json").stdout) if one["name"] == name]
    assert (row["description"], row["extended"]) == ("deploys", True)
    assert value not in token(ctl, "list").output
    assert "revoked" in token(ctl, "revoke", name).stdout
    assert isinstance(ctl.error("namespaces", "list", **nobody), UnauthorizedError)
    assert isinstance(token(ctl, "revoke", name).exception, NotFoundError)


def test_token_made_for_a_program_is_one_document(ctl: Ctl) -> None:
    """GOV-075."""
    made = json.loads(token(ctl, "create", ctl.namespace, "--output", "json").stdout)
    assert made["fullToken"]
    assert "revoked" in token(ctl, "revoke", made["id"]).stdout


def test_program_has_an_account_of_its_own(ctl: Ctl) -> None:
    """ENG-286, GOV-071."""
    name = f"a-{ctl.namespace}".replace(".", "-").replace("_", "-").lower()[:60].strip("-")
    assert account(ctl, "create", name, "--description", "deploys").exit_code == 0
    value = token(ctl, "create", "ci", "--account", name).stdout.strip()
    login = {"KESTRACTL_USERNAME": None, "KESTRACTL_PASSWORD": None, "KESTRACTL_TOKEN": value}
    ctl("namespaces", "list", **login)
    assert "disabled" in account(ctl, "disable", name).stdout
    assert isinstance(ctl.error("namespaces", "list", **login), UnauthorizedError)
    [row] = [one for one in json.loads(account(ctl, "list", "-o", "json").stdout) if one["name"] == name]
    assert (row["disabled"], row["description"]) == (True, "deploys")
    assert "enabled" in account(ctl, "enable", name).stdout
    ctl("namespaces", "list", **login)
    assert "ci" in token(ctl, "list", "--account", name).stdout
    assert "revoked" in token(ctl, "revoke", "ci", "--account", name).stdout
    assert "deleted" in account(ctl, "delete", name).stdout
    assert isinstance(account(ctl, "delete", name).exception, NotFoundError)
