"""What `penstock flow validate` does: check here with the installed types, or have a server check."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.cli.ctl.deploying import moved
from penstock.cli.errors import show_problems
from penstock.cli.including import expanded
from penstock.cli.options import configuration
from penstock.cli.remote import Remote
from penstock.cli.run.sources import flow_files, read_flows, read_suites
from penstock.cli.terminal import say, tell
from penstock.model.problems import Problem, Severity
from penstock.model.yaml import split_documents
from penstock.wiring.flow_reading import FlowReading, plugin_defaults
from penstock.wiring.plugin_plan import plugin_plan
from penstock.wiring.plugins import load_plugins


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdict on one flow of a file."""

    file: Path
    flow: str
    problems: Sequence[Problem]
    source: str

    @property
    def errors(self) -> int:
        """How many errors it has."""
        return sum(problem.severity is Severity.ERROR for problem in self.problems)


def validate_files(paths: Sequence[Path], config: Path | None, *, as_json: bool) -> int:
    """Check flows and test suites here and return the exit code."""
    settings = configuration(config).settings
    core = settings.kestra
    defaults = plugin_defaults([*core.tasks.defaults, *core.plugins.defaults])
    reading = FlowReading(load_plugins(plan=plugin_plan(settings)).registry, defaults)
    checked = []
    for source in read_flows(paths, reading):
        data = source.parsed.data
        name = f"{data.get('namespace')}.{data.get('id')}"
        checked.append(Checked(source.file, name, source.parsed.problems, source.whole))
    for suite in read_suites(paths):
        data = suite.parsed.data
        name = f"{data.get('namespace')}.{data.get('id')}"
        checked.append(Checked(suite.file, name, suite.parsed.problems, suite.whole))
    return _report(checked, as_json=as_json)


def validate_on_server(paths: Iterable[Path], remote: Remote, *, as_json: bool) -> int:
    """Have a server check files and return the exit code."""
    return _report(check_on_server(paths, remote), as_json=as_json)


def check_on_server(paths: Iterable[Path], remote: Remote, namespace: str | None = None) -> list[Checked]:
    """Have a server check files, with all that they include.

    Args:
        paths: Files and folders.
        remote: The server.
        namespace: Where the flows are to be put; where they say themselves when None.
    """
    checked: list[Checked] = []
    for file in dict.fromkeys(flow_files(paths)):
        text = expanded(file)
        if namespace is not None:
            text = "---\n".join(moved(source, namespace) for source, _ in split_documents(text)) or text
        checked.extend(verdict(file, text, body) for body in remote.send_yaml("POST", "flows/validate", text))
    return checked


def verdict(file: Path, text: str, body: dict[str, Any]) -> Checked:
    """Return a server's verdict (API-039); with positions when the server is Penstock."""
    problems = [
        Problem(
            Severity(one.get("severity", "error")),
            one.get("path", ""),
            one.get("message", ""),
            one.get("hint", ""),
            one.get("line", 0),
            one.get("column", 0),
        )
        for one in body.get("problems") or ()
    ]
    if not problems:
        lists = (
            ("constraints", Severity.ERROR),
            ("warnings", Severity.WARNING),
            ("deprecationPaths", Severity.DEPRECATION),
        )
        for key, severity in lists:
            found = body.get(key) or ()
            problems.extend(Problem(severity, "", text) for text in ([found] if isinstance(found, str) else found))
    return Checked(file, f"{body.get('namespace')}.{body.get('flow')}", problems, text)


def _report(checked: Sequence[Checked], *, as_json: bool) -> int:
    errors = sum(one.errors for one in checked)
    if as_json:
        say(json.dumps([_as_json(one) for one in checked], indent=2))
    else:
        for one in checked:
            show_problems(one.problems, str(one.file), one.source, stderr=False)
            if not one.errors:
                say(f"{one.file}: {one.flow} is valid")
        tell(f"{_count(len(checked), 'flow')}, {_count(errors, 'error')}")
    return 1 if errors else 0


def _as_json(one: Checked) -> dict[str, Any]:
    problems = [
        {
            "severity": problem.severity.value,
            "path": problem.path,
            "line": problem.line,
            "column": problem.column,
            "message": problem.message,
            "hint": problem.hint,
            "code": problem.code,
        }
        for problem in one.problems
    ]
    return {"file": str(one.file), "flow": one.flow, "valid": not one.errors, "problems": problems}


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
