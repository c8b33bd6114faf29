"""From YAML text to a flow document, with everything that is wrong found at once.

Nothing here raises for bad content: `parse_flow` returns the problems, `read_flow` raises one error with all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from penstock.model.checking import Checker
from penstock.model.complaints import Complaint, unknown_property
from penstock.model.defaults import DefaultsStack, Levels, LevelsOf, PluginDefaults
from penstock.model.definitions import Completer, make_model, map_definitions
from penstock.model.document import FlowDocument
from penstock.model.input_types import Input
from penstock.model.problems import InvalidFlow, Path, Problem, Severity, path_text
from penstock.model.references import CODES, References, check_references, mentions
from penstock.model.registry import TypeRegistry
from penstock.model.rules import Call, called_flows, check_rules
from penstock.model.wanted import ANYTHING, Wanted, settle, shape_of
from penstock.model.yaml import Position, YamlDocument, read_yaml

_TEXTS = Wanted(values=Wanted(text=True), items=Wanted(values=Wanted(text=True)))
_DEFINITIONS = ("tasks", "errors", "finally", "afterExecution", "triggers", "listeners")
_TOLD = frozenset(("id", "type", "description", "displayName"))
_NEEDED = "it needs `id`, `namespace` and `tasks`"
_RENDERED = ("outputs", "checks", "sla", "retry", "concurrency", "idempotency")


@dataclass(frozen=True, slots=True)
class Mentioned:
    """A secret or key that an expression names, and where."""

    function: str
    """`secret` or `kv`."""
    name: str
    path: str
    line: int
    column: int


@dataclass(frozen=True)
class ParsedFlow:
    """A flow source that has been read."""

    source: str
    """The text, byte for byte."""
    document: FlowDocument | None
    """What it says; None when there are errors in the flow's own properties."""
    problems: tuple[Problem, ...]
    """Everything found, in the order of the text."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """The plain data of the text, as far as it is a map."""
    yaml: YamlDocument | None = None
    calls: Sequence[Call] = ()
    """The flows it is known to start."""
    mentions: tuple[Mentioned, ...] = ()
    """The secrets and keys that expressions cannot do without."""

    @property
    def errors(self) -> list[Problem]:
        """The problems that keep the flow from being saved."""
        return [problem for problem in self.problems if problem.severity is Severity.ERROR]

    def position(self, path: Path) -> Position:
        """Return where a value stands in the text."""
        return self.yaml.position(path) if self.yaml is not None else Position(1, 1)


def read_flow(source: str, registry: TypeRegistry, *, defaults: Levels | LevelsOf = ()) -> ParsedFlow:
    """Return a flow that can be run; its `document` is never None. What its expressions refer to is not judged.

    Raises:
        InvalidFlow: It has; carries every problem.
    """
    parsed = parse_flow(source, registry, defaults=defaults)
    if parsed.document is None or any(problem.code not in CODES for problem in parsed.errors):
        raise InvalidFlow(parsed.problems)
    return parsed


def parse_flow(
    source: str,
    registry: TypeRegistry,
    *,
    defaults: Levels | LevelsOf = (),
    first_line: int = 1,
) -> ParsedFlow:
    """Return what a flow source says and every problem in it.

    Implements ENG-001, ENG-002, ENG-006, ENG-007, ENG-014, ENG-042, ENG-399, EXP-009, BEY-033, MIG-010, MIG-025.

    Args:
        source: YAML text of one flow.
        registry: The types there are.
        defaults: Plugin defaults from outside the flow: its namespace's first, the instance's last; or what
            gives them once the namespace is read.
        first_line: The number of the text's first line, when it is part of a longer one.
    """
    yaml = read_yaml(source, first_line)
    if yaml.mark is None and not yaml.problems:
        problem = Problem(Severity.ERROR, "", "the flow is empty", _NEEDED, first_line, 1)
        return ParsedFlow(source, None, (problem,), {}, yaml)
    if not isinstance(yaml.data, dict):
        problems = yaml.problems or (Problem(Severity.ERROR, "", "a flow is a map", _NEEDED, first_line, 1),)
        return ParsedFlow(source, None, problems, {}, yaml)
    return _Parsing(yaml, registry, defaults).run()


class _Parsing:
    """One run over one document."""

    def __init__(self, yaml: YamlDocument, registry: TypeRegistry, defaults: Levels | LevelsOf) -> None:
        self._yaml = yaml
        self._raw: dict[str, Any] = yaml.data
        self._problems: list[Problem] = list(yaml.problems)
        self._registry = registry
        self._broken = {problem.path for problem in yaml.problems}
        self._defaults = self._own_defaults()
        levels = defaults(str(self._raw.get("namespace"))) if callable(defaults) else defaults
        stack = DefaultsStack([[one for _, one in self._defaults], *levels])
        self._checker = Checker(Completer(registry, stack), self._report)

    def _report(self, complaint: Complaint, severity: Severity) -> None:
        path = complaint.path
        if path[:1] == ("pluginDefaults",) and "pluginDefaults" not in self._raw and "taskDefaults" in self._raw:
            complaint = replace(complaint, path=("taskDefaults", *path[1:]))
        self._add(complaint, severity, self._yaml.position(complaint.path))

    def _add(self, complaint: Complaint, severity: Severity, place: Position) -> None:
        path = path_text(complaint.path)
        if path in self._broken:  # the YAML is wrong there already
            return
        problem = Problem(
            severity,
            path,
            complaint.message,
            complaint.hint,
            place.line,
            place.column,
            complaint.code,
            complaint.rename,
        )
        if problem not in self._problems[-50:]:
            self._problems.append(problem)

    def _own_defaults(self) -> list[tuple[int, PluginDefaults]]:
        """Return the flow's plugin defaults as far as they make sense; what does not is reported with the document."""
        entries = self._raw.get("pluginDefaults", self._raw.get("taskDefaults"))
        return [
            (index, PluginDefaults(one["type"], one.get("values", {}), one.get("forced") == 1))
            for index, one in enumerate(entries if isinstance(entries, list) else ())
            if isinstance(one, dict) and isinstance(one.get("type"), str) and isinstance(one.get("values", {}), dict)
        ]

    def run(self) -> ParsedFlow:
        """Return the outcome."""
        data = self._settled()
        inputs = self._inputs(data)
        document = self._document(data, inputs)
        tasks = self._checker.tasks
        check_rules(data, inputs or [], self._defaults, tasks, self._registry, self._report)
        references = References.of(data, [one for _, one in inputs or ()], tasks, self._registry)
        for complaint, severity, line, column in check_references(self._checker.rendered, references):
            place = self._yaml.position_within(complaint.path, line, column)
            self._add(complaint, severity, place)
        problems = sorted(self._problems, key=lambda problem: (problem.line, problem.column))
        calls, mentioned = called_flows(tasks, data.get("namespace")), tuple(self._mentioned())
        return ParsedFlow(self._yaml.text, document, tuple(problems), data, self._yaml, calls, mentioned)

    def _mentioned(self) -> Iterator[Mentioned]:
        for path, mention in mentions(self._checker.rendered):
            place = self._yaml.position_within(path, mention.line, mention.column)
            yield Mentioned(mention.function, mention.name, path_text(path), place.line, place.column)

    def _settled(self) -> dict[str, Any]:
        """Return the data with its scalars settled, every definition in it checked."""
        shape = shape_of(FlowDocument)
        data: dict[str, Any] = {}
        for key, value in self._raw.items():
            shaped = shape.by_name.get(key)
            if shaped is None:
                self._report(unknown_property((key,), shape.names), Severity.ERROR)
                data[key] = settle(value, ANYTHING)
            elif key == "labels":
                data[key] = settle(value, _TEXTS)
            elif key in _DEFINITIONS:
                data[key] = map_definitions(value, shaped.wanted, (key,), self._checker.definition)
            elif key in ("pluginDefaults", "taskDefaults", "inputs"):
                data[key] = value
            else:
                data[key] = settle(value, shaped.wanted)
            if shaped is not None and key != shaped.name:
                message, hint = f"`{key}` is an older name", f"write `{shaped.name}`"
                complaint = Complaint((key,), message, hint, "DEPRECATED", (key, shaped.name))
                self._report(complaint, Severity.DEPRECATION)
            if key in _RENDERED:
                self._note(data[key], (key,))
        return data

    def _note(self, value: Any, path: Path) -> None:
        """Remember the texts of a part of the flow that are rendered; descriptions are not."""
        for index, one in enumerate(value) if isinstance(value, list) else ():
            for name, item in one.items() if isinstance(one, dict) else ():
                if name not in _TOLD:
                    self._checker.note(item, (*path, index, name))
        if isinstance(value, dict):
            self._checker.note(value, path)

    def _inputs(self, data: dict[str, Any]) -> list[tuple[int, Input]] | None:
        """Return the declared inputs, and settle them in the data; None when `inputs` is no list."""
        raw = self._raw.get("inputs")
        if not isinstance(raw, list):
            return [] if raw is None else None
        made = []
        data["inputs"] = settled = list(raw)
        for index, one in enumerate(raw):
            path: Path = ("inputs", index)
            if not isinstance(one, dict):
                self._report(Complaint(path, "an input is a map with `id` and `type`"), Severity.ERROR)
                continue
            settled[index], declared = self._checker.input(one, path)
            if declared is not None:
                made.append((index, declared))
        return made

    def _document(self, data: dict[str, Any], inputs: list[tuple[int, Input]] | None) -> FlowDocument | None:
        known = {key: value for key, value in data.items() if key in shape_of(FlowDocument).by_name}
        if inputs is not None:
            known["inputs"] = [one for _, one in inputs]
        document, wrong = make_model(FlowDocument, known)
        for complaint in wrong:
            self._report(complaint, Severity.ERROR)
        return document if isinstance(document, FlowDocument) else None
