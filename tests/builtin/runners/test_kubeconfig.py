"""By what a cluster lets one in."""

from __future__ import annotations

import base64
import json
import ssl
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock.builtin.runners.kubernetes.access import Access, KnownToken, ProgramToken, pem
from penstock.builtin.runners.kubernetes.connection import Connection, access_of
from penstock.builtin.runners.kubernetes.kubeconfig import known_access
from penstock.builtin.runners.runner import RunnerError
from penstock.testing.run_context import RunContextFactory
from tests.support.certificates import certificate_in

NOBODY = Path("/nowhere")


def written(path: Path, user: dict[str, Any], **cluster: Any) -> dict[str, str]:
    """Write a kubeconfig; return the environment that names it."""
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u", "namespace": "jobs"}}],
        "clusters": [{"name": "k", "cluster": {"server": "https://k:6443", **cluster}}],
        "users": [{"name": "u", "user": user}],
    }
    path.write_text(yaml.safe_dump(config))
    return {"KUBECONFIG": str(path)}


def test_kubeconfig_names_the_cluster(tmp_path: Path) -> None:
    """SCR-076: certificates in it or beside it."""
    text = certificate_in(tmp_path).read_text()
    user = {"client-certificate": "certificate.pem", "client-key-data": base64.b64encode(text.encode()).decode()}
    access = known_access(written(tmp_path / "config", user, **{"certificate-authority": "certificate.pem"}), NOBODY)
    assert access is not None
    assert (access.server, access.namespace) == ("https://k:6443", "jobs")
    assert access.authority == text.strip()
    assert access.authorization() is None
    assert access.tls().verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ("user", "known"),
    [
        ({"token": "t"}, "Bearer t"),
        ({"tokenFile": "token"}, "Bearer from the file"),
        ({"username": "ada", "password": "secret"}, "Basic YWRhOnNlY3JldA=="),
    ],
)
def test_kubeconfig_says_who_we_are(tmp_path: Path, user: dict[str, Any], known: str) -> None:
    """SCR-076."""
    (tmp_path / "token").write_text("from the file\n")
    access = known_access(written(tmp_path / "config", user, **{"insecure-skip-tls-verify": True}), NOBODY)
    assert access is not None
    assert access.authorization() == known
    assert access.tls().verify_mode is ssl.CERT_NONE


def test_program_of_a_kubeconfig_gives_a_token_that_is_used_until_it_ends(tmp_path: Path) -> None:
    """SCR-076, SCR-084: as the programs of clouds do."""
    count, end = tmp_path / "count", (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    said = {"kind": "ExecCredential", "status": {"token": "t", "expirationTimestamp": end}}
    program = tmp_path / "program.sh"
    program.write_text(f"echo x >>{count}; test $EXTRA = yes && echo '{json.dumps(said)}'\n")
    wish = {"command": "/bin/sh", "args": [str(program)], "env": [{"name": "EXTRA", "value": "yes"}]}
    source = ProgramToken(wish)
    assert [source.token(is_refused=False), source.token(is_refused=False)] == ["t", "t"]
    assert source.token(is_refused=True) == "t"
    assert count.read_text() == "x\nx\n"
    with pytest.raises(RunnerError, match="gives no token"):
        ProgramToken({"command": sys.executable, "args": ["-c", "raise SystemExit(3)"]}).token(is_refused=False)


def test_worker_in_a_cluster_uses_its_service_account(tmp_path: Path) -> None:
    """SCR-076: whose token others renew."""
    for name, text in {"token": "one", "namespace": "kestra", "ca.crt": certificate_in(tmp_path).read_text()}.items():
        (tmp_path / name).write_text(text)
    environment = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443", "KUBECONFIG": "/nowhere"}
    access = known_access(environment, tmp_path)
    assert access is not None
    assert (access.server, access.namespace) == ("https://[fd00::1]:443", "kestra")
    assert access.authorization() == "Bearer one"
    (tmp_path / "token").write_text("two")
    assert access.authorization() == "Bearer two"
    assert known_access({"KUBECONFIG": "/nowhere"}, tmp_path) is None


def test_flow_names_the_cluster_by_either_name(tmp_path: Path, contexts: RunContextFactory) -> None:
    """SCR-076: certificates as PEM or as a kubeconfig has them; secrets are masked."""
    text = certificate_in(tmp_path).read_text()
    packed = base64.b64encode(text.encode()).decode()
    names = [("caCertData", "clientCertData", "clientKeyData"), ("caCert", "clientCert", "clientKey")]
    context = contexts.of({"host": "k"})
    for authority, certificate, key in names:
        given = {authority: packed, certificate: text, key: packed, "oauthToken": "{{ secret('TOKEN') }}"}
        config = Connection.model_validate({"masterUrl": "https://{{ host }}:6443", "username": "arn:x", **given})
        access = access_of(context, config)
        assert (access.server, access.authorization()) == ("https://k:6443", "Bearer value of TOKEN")
        assert access.authority == access.key == text
        assert access.login is None
        access.tls()
    assert "value of TOKEN" not in context.hide("value of TOKEN")


def test_what_the_flow_leaves_out_is_as_the_worker_knows_it(
    tmp_path: Path, contexts: RunContextFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SCR-076."""
    monkeypatch.setenv("KUBECONFIG", written(tmp_path / "config", {"token": "t"})["KUBECONFIG"])
    access = access_of(contexts.of(), Connection.model_validate({"oauthToken": "mine"}))
    assert (access.server, access.authorization()) == ("https://k:6443", "Bearer mine")
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    with pytest.raises(RunnerError, match="no cluster is named"):
        access_of(contexts.of(), None)


def test_certificates_that_cannot_be_read_are_told_of() -> None:
    """SCR-076."""
    assert pem("-----BEGIN x") == "-----BEGIN x\n"
    with pytest.raises(RunnerError, match="neither PEM nor Base64"):
        pem("no certificate!")
    with pytest.raises(RunnerError, match="cannot be read"):
        Access("https://k", authority="-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n").tls()
    assert "secret" not in repr(Access("https://k", tokens=KnownToken("secret")))
