"""Flows from files onto a server, all together: each is checked first, and nothing is written when one is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.base.errors import InvalidRequestError, NotFoundError
from penstock.cli.ctl.deploying import moved, names_of
from penstock.cli.ctl.files import NamespaceFiles
from penstock.cli.including import expanded
from penstock.cli.remote import Remote, json_of, path_of
from penstock.cli.run.sources import flow_files
from penstock.cli.validating import Checked, check_on_server
from penstock.model.yaml import split_documents

_YAML = {"Content-Type": "application/x-yaml"}


@dataclass(frozen=True, slots=True)
class Pushed:
    """What came of flows that were to be stored: they are, or none is for what was found in them."""

    stored: Sequence[tuple[str, str]] = ()
    problems: Sequence[Checked] = ()


def push(remote: Remote, path: Path, *, namespace: str | None, delete: bool) -> Pushed:
    """Create or update the flows of a file or folder. Implements OPS-112 in part (`flow updates`).

    Args:
        remote: The server.
        path: Where they are.
        namespace: The only namespace they may be of, those below it too; needed to delete others.
        delete: Whether other flows there are deleted.
    """
    params = {"delete": _word(delete and namespace is not None), "allowNamespaceChild": "true"}
    return _send(remote, path, None, "flows/bulk", params | ({"namespace": namespace} if namespace else {}))


def push_namespace(remote: Remote, namespace: str, path: Path, *, delete: bool, override: bool) -> Pushed:
    """Make the flows of a file or folder those of a namespace. Implements OPS-112 in part, IAC-061.

    Args:
        remote: The server.
        namespace: The namespace.
        path: Where they are.
        delete: Whether other flows of the namespace are deleted.
        override: Whether flows of other namespaces are put into this one.
    """
    wanted = namespace if override else None
    return _send(remote, path, wanted, path_of("flows", namespace), {"delete": _word(delete)})


def namespace_of(path: Path) -> str:
    """Return the one namespace that all flows of a folder say.

    Raises:
        InvalidRequestError: There are several, or none.
    """
    found = sorted({names_of(source)[0] for source in _sources(path, None)})
    if len(found) != 1:
        raise InvalidRequestError(
            f"the flows in {path} are of {len(found)} namespaces: {', '.join(found)}",
            hint="name the namespace before the folder",
        )
    return found[0]


def sync_files(remote: Remote, namespace: str, source: Path, target: str, *, delete: bool) -> dict[str, int]:
    """Make files of a namespace those of a folder; returns how many became what. Implements OPS-113 in part.

    Args:
        remote: The server.
        namespace: The namespace.
        source: A file or folder here.
        target: The folder there.
        delete: Whether files there that are not here are deleted.
    """
    files = NamespaceFiles(remote, namespace)
    counts: dict[str, int] = {}
    kept = set()
    for done in files.upload(source, target, override=True):
        counts[done.action] = counts.get(done.action, 0) + 1
        kept.add(done.path)
        if done.action == "failed":
            raise InvalidRequestError(f"{done.file}: {done.message}", hint=done.hint)
    if delete:
        folder = f"{target.strip('/')}/".lstrip("/")
        for one in [*files.walk()]:
            if not one.is_folder and one.path.startswith(folder) and one.path not in kept:
                files.delete(one.path, recursive=False)
                counts["deleted"] = counts.get("deleted", 0) + 1
    return counts


def _send(remote: Remote, path: Path, namespace: str | None, target: str, params: dict[str, str]) -> Pushed:
    problems = [one for one in check_on_server([path], remote, namespace) if one.errors]
    if problems:
        return Pushed(problems=problems)
    sources = _sources(path, namespace)
    if not sources:
        raise NotFoundError(f"there are no flow files in {path}", hint="they end in .yml or .yaml")
    text = "\n---\n".join(source.strip("\n") for source in sources) + "\n"
    stored: list[dict[str, Any]] = json_of(
        remote.ask("POST", target, params=params, content=text.encode(), headers=_YAML)
    )
    return Pushed([(one["namespace"], one["id"]) for one in stored])


def _sources(path: Path, namespace: str | None) -> list[str]:
    texts = [source for file in dict.fromkeys(flow_files([path])) for source, _ in split_documents(expanded(file))]
    return texts if namespace is None else [moved(text, namespace) for text in texts]


def _word(truth: bool) -> str:
    return str(truth).lower()
