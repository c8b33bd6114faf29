"""The cluster that the worker itself knows: by a kubeconfig, or by being a pod of it. Implements SCR-076."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from penstock.builtin.runners.kubernetes.access import Access, KnownToken, ProgramToken, TokenFile, TokenSource, pem
from penstock.builtin.runners.runner import RunnerError

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def known_access(environment: Mapping[str, str] = os.environ, account: Path = _ACCOUNT) -> Access | None:
    """Return the cluster of the kubeconfig, else the one the worker runs in; None when there is neither."""
    files = environment.get("KUBECONFIG")
    paths = [Path(one) for one in files.split(os.pathsep) if one] if files else [Path.home() / ".kube" / "config"]
    found = [path for path in paths if path.is_file()]
    if found:
        return access_of([(path, _read(path)) for path in found])
    return _access_inside(environment, account)


def _access_inside(environment: Mapping[str, str], account: Path) -> Access | None:
    host, token = environment.get("KUBERNETES_SERVICE_HOST"), account / "token"
    if not host or not token.is_file():
        return None
    shown = f"[{host}]" if ":" in host else host
    return Access(
        server=f"https://{shown}:{environment.get('KUBERNETES_SERVICE_PORT', '443')}",
        namespace=_text(account / "namespace") or None,
        authority=_text(account / "ca.crt") or None,
        tokens=TokenFile(token),
    )


def access_of(files: list[tuple[Path, Mapping[str, Any]]]) -> Access:
    """Return what the current context of kubeconfigs stands for; the first file that names a thing counts.

    Raises:
        RunnerError: They do not fit together.
    """
    current = next((str(data["current-context"]) for _, data in files if data.get("current-context")), None)
    _, context = _named(files, "contexts", "context", current)
    cluster_at, cluster = _named(files, "clusters", "cluster", context.get("cluster"))
    user_at, user = _named(files, "users", "user", context["user"]) if context.get("user") else (Path(), {})
    if not cluster.get("server"):
        raise RunnerError("the kubeconfig names no server", hint="see `clusters` in it")
    login = (str(user["username"]), str(user["password"])) if user.get("username") and user.get("password") else None
    return Access(
        server=str(cluster["server"]),
        namespace=context.get("namespace"),
        authority=_content(cluster_at, cluster, "certificate-authority"),
        is_checked=not cluster.get("insecure-skip-tls-verify"),
        known_as=cluster.get("tls-server-name"),
        certificate=_content(user_at, user, "client-certificate"),
        key=_content(user_at, user, "client-key"),
        tokens=_tokens(user_at, user),
        login=login,
    )


def _tokens(folder: Path, user: Mapping[str, Any]) -> TokenSource | None:
    if user.get("tokenFile"):
        return TokenFile(folder / str(user["tokenFile"]))
    if user.get("token"):
        return KnownToken(str(user["token"]))
    return ProgramToken(user["exec"]) if user.get("exec") else None


def _named(
    files: list[tuple[Path, Mapping[str, Any]]], kind: str, key: str, name: Any
) -> tuple[Path, Mapping[str, Any]]:
    for path, data in files:
        for entry in data.get(kind) or ():
            if entry.get("name") == name:
                return path.parent, entry.get(key) or {}
    raise RunnerError(f"the kubeconfig has no {key} `{name}`", hint="see `kubectl config view`")


def _content(folder: Path, entry: Mapping[str, Any], name: str) -> str | None:
    if entry.get(f"{name}-data"):
        return pem(str(entry[f"{name}-data"]))
    if not entry.get(name):
        return None
    text = _text(folder / str(entry[name]))
    if not text:
        raise RunnerError(f"the file `{entry[name]}` of the kubeconfig cannot be read", hint=f"see `{name}` in it")
    return text


def _read(path: Path) -> Mapping[str, Any]:
    try:
        data = yaml.safe_load(path.read_text())
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise RunnerError(
            f"the kubeconfig {path} cannot be read: {type(error).__name__}", hint="see `kubectl config view`"
        ) from None
    return data if isinstance(data, dict) else {}


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
