"""Flow files onto a server: what each flow needs, done one by one, so that one failure hides no other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.base.errors import ConflictError, InvalidRequestError, PenstockError, UnauthorizedError, UnavailableError
from penstock.cli.including import expanded
from penstock.cli.remote import YAML, RefusedError, Remote, path_of
from penstock.cli.run.sources import flow_files
from penstock.model.yaml import read_yaml, split_documents

_NAMESPACE = re.compile(r"^(namespace[ \t]*:[ \t]*)([^#\n]*?)([ \t]*(?:#.*)?)$", re.MULTILINE)
_PLAN = "flows/validate/plan"
_ID = re.compile(r"^id[ \t]*:.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Deployed:
    """What became of one flow of a file.

    Attributes:
        action: `created`, `updated`, `unchanged` or `failed`.
        file: Where it was read.
        namespace: Its namespace on the server.
        id: Its id.
        message: Why it failed.
        hint: What to do about that.
        triggers: When they would fire next, `before` and `after`; told by a plan alone.
    """

    action: str
    file: str
    namespace: str
    id: str
    message: str = ""
    hint: str = ""
    triggers: Sequence[Mapping[str, Any]] = ()

    @property
    def failed(self) -> bool:
        """Whether the flow is not on the server as it is in the file."""
        return self.action == "failed"


class Deployment:
    """Puts flows onto a server. Implements ENG-011 in part (`flows deploy`), OPS-122 in part, BEY-040 in part.

    Args:
        remote: The server.
        namespace: Where flows are put that lie neither there nor below it; where they say themselves when None.
        override: Whether flows that exist and differ are replaced.
        dry_run: Whether to say what would happen only.
    """

    def __init__(
        self, remote: Remote, *, namespace: str | None = None, override: bool = False, dry_run: bool = False
    ) -> None:
        self._remote = remote
        self._namespace = namespace
        self._override = override
        self._dry_run = dry_run

    def deploy(self, paths: Iterable[Path], *, fail_fast: bool = False) -> Iterator[Deployed]:
        """Deploy all flows of files and folders; yields what became of each.

        Raises:
            UnavailableError: The server does not answer; there is no use in going on.
            UnauthorizedError: It does not let us.
        """
        for file in dict.fromkeys(flow_files(paths)):
            whole = expanded(file)
            for text, first_line in split_documents(whole) or [(whole, 1)]:
                done = self._document(str(file), text, first_line)
                yield done
                if done.failed and fail_fast:
                    return

    def _document(self, file: str, text: str, first_line: int) -> Deployed:
        namespace, flow_id = "", ""
        try:
            source = text if self._namespace is None else moved(text, self._namespace)
            namespace, flow_id = names_of(source)
            action = self.put(namespace, flow_id, source)
            planned = self._planned(source) if self._dry_run and action != "unchanged" else ()
            return Deployed(action, file, namespace, flow_id, triggers=planned)
        except (UnavailableError, UnauthorizedError):
            raise
        except PenstockError as error:
            return Deployed("failed", file, namespace, flow_id, told(error, first_line), error.hint)

    def _planned(self, source: str) -> Sequence[Mapping[str, Any]]:
        """Return when the triggers of a flow would fire next; nothing where the server cannot tell."""
        answer = self._remote.ask("POST", _PLAN, content=source.encode(), headers=YAML, allow=(404, 405))
        return [trigger for one in answer.json() for trigger in one["triggers"]] if answer.is_success else ()

    def put(self, namespace: str, flow_id: str, source: str) -> str:
        """Have the server hold a flow in this source; returns `created`, `updated` or `unchanged`.

        Raises:
            ConflictError: It holds another one, which may not be replaced.
            RefusedError: It refuses the source.
        """
        path = path_of("flows", namespace, flow_id)
        there = self._remote.find(path, source="true")
        if there is not None and there.get("source") == source:
            return "unchanged"
        if there is not None and not self._override:
            raise ConflictError(f"{namespace}.{flow_id} exists and differs", hint="give --override to replace it")
        if self._dry_run:
            check(self._remote, "flows/validate", source)
        elif there is None:
            self._remote.send_yaml("POST", "flows", source)
        else:
            self._remote.send_yaml("PUT", path, source)
        return "created" if there is None else "updated"


def check(remote: Remote, path: str, source: str) -> None:
    """Have a server check a source without storing it.

    Raises:
        RefusedError: It would refuse it.
    """
    said = remote.send_yaml("POST", path, source)
    for verdict in said if isinstance(said, list) else [said]:
        if verdict.get("constraints"):
            raise RefusedError(str(verdict["constraints"]), status=422, body=verdict)


def names_of(source: str) -> tuple[str, str]:
    """Return the namespace and the id a flow's source says.

    Raises:
        InvalidRequestError: It says neither, or is no YAML.
    """
    document = read_yaml(source)
    data: Any = document.data
    if not isinstance(data, dict) or not data.get("id") or not data.get("namespace"):
        broken = document.problems[0].message if document.problems else "it has no `id` or no `namespace`"
        raise InvalidRequestError(f"this is no flow: {broken}", hint="a flow has `id`, `namespace` and `tasks`")
    return str(data["namespace"]), str(data["id"])


def moved(source: str, namespace: str) -> str:
    """Return a flow's source with the namespace it is put into; one that lies there or below it stays as it is.

    Raises:
        InvalidRequestError: The place where it says its namespace is not found.
    """
    data: Any = read_yaml(source).data
    if not isinstance(data, dict):
        return source
    said = data.get("namespace")
    if said is not None and (str(said) == namespace or str(said).startswith(f"{namespace}.")):
        return source
    if said is None:
        changed = _ID.sub(lambda found: f"{found[0]}\nnamespace: {namespace}", source, count=1)
    else:
        changed = _NAMESPACE.sub(lambda found: f"{found[1]}{namespace}{found[3]}", source, count=1)
    if read_yaml(changed).data != {**data, "namespace": namespace}:
        raise InvalidRequestError(
            "the line with the namespace cannot be changed", hint=f"write `namespace: {namespace}` into the file"
        )
    return changed


def told(error: PenstockError, first_line: int = 1) -> str:
    """Return what an error says; of a refused flow, each problem with its place."""
    problems: Sequence[dict[str, Any]] = error.body.get("problems") or () if isinstance(error, RefusedError) else ()
    errors = [one for one in problems if one.get("severity", "error") == "error"]
    if not errors:
        return error.message
    return "; ".join(_problem(one, first_line) for one in errors)


def _problem(problem: dict[str, Any], first_line: int) -> str:
    line = problem.get("line")
    place = f"line {line + first_line - 1}, column {problem.get('column', 1)}: " if line else ""
    path = f"{problem['path']}: " if problem.get("path") else ""
    return f"{place}{path}{problem.get('message', '')}"


def fire_times(trigger: Mapping[str, Any]) -> str:
    """Return in words when a trigger would fire next, and when it does as it is."""
    after, before = (", ".join(trigger[key]) or "never" for key in ("after", "before"))
    changes = "" if after == before else f" (as it is: {before})"
    return f"trigger {trigger['id']} would fire at {after}{changes}"
