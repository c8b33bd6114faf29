"""YAML text to plain values and back. Implements EXP-130, EXP-154.

Read as YAML 1.2 core: `yes` is text, dates stay text, only `true` and `false` are booleans. A document whose aliases
would unfold to an enormous value is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import yaml

from penstock.expressions.errors import ExpressionError, LimitExceededError
from penstock.expressions.values import Written, is_list, number_text, text_of

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Loader(_Base):  # type: ignore[misc]
    """A safe loader with the scalar types of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}


_MAX_DEPTH = 200
_FLOAT = (
    r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_RESOLVERS = (
    ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        _FLOAT,
        "-+0123456789.",
    ),
    ("tag:yaml.org,2002:merge", r"<<", "<"),
)
for _tag, _pattern, _first in _RESOLVERS:
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), list(_first))


def _integer(loader: Any, node: Any) -> int:
    text = str(loader.construct_scalar(node))
    return int(text, 0) if text.startswith(("0o", "0x")) else int(text)


_Loader.add_constructor("tag:yaml.org,2002:int", _integer)


def from_yaml(text: str, max_elements: int) -> Any:
    """Return the value of a YAML document.

    Raises:
        ExpressionError: The text is no YAML, or unfolds to more than `max_elements` elements.
    """
    try:
        _check_depth(text)
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of the safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" (in its line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise ExpressionError(f"the text is no valid YAML{where}") from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, OverflowError):
        raise ExpressionError("the text is no valid YAML") from None
    _Unfolding(max_elements).size(value)
    return value


def _check_depth(text: str) -> None:
    """Raise for a document nested so deeply that the loader, which is recursive native code, would crash."""
    if sum(text.count(mark) for mark in ("[", "{", "-", ":", "?")) <= _MAX_DEPTH:
        return
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _MAX_DEPTH:
                raise LimitExceededError(f"the YAML is nested more than {_MAX_DEPTH} levels deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Unfolding:
    """Counts the elements of a value whose parts may be shared by aliases, without unfolding it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._sizes: dict[int, int] = {}
        self._open: set[int] = set()

    def size(self, value: Any) -> int:
        if not isinstance(value, dict | list):
            return 1
        known = self._sizes.get(id(value))
        if known is not None:
            return known
        if id(value) in self._open:
            raise ExpressionError("the YAML contains itself through an alias")
        self._open.add(id(value))
        items = value.values() if isinstance(value, dict) else value
        total = 1 + sum(self.size(item) for item in items)
        if total > self._limit:
            raise LimitExceededError(f"the YAML unfolds to more than {self._limit} elements")
        self._open.discard(id(value))
        self._sizes[id(value)] = total
        return total


def to_yaml(value: Any) -> str:
    """Return the value as block YAML without a final line break."""
    text: str = yaml.dump(
        _plain(value), Dumper=_Writer, default_flow_style=False, sort_keys=False, allow_unicode=True, width=2**30
    )
    return text.removesuffix("\n...\n").removesuffix("\n")


class _Writer(_Dumper):  # type: ignore[misc]
    """A safe dumper without anchors; quotes what another YAML reader would take for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {text_of(key): _plain(item) for key, item in value.items()}
    if is_list(value):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | float | str):
        return value
    if isinstance(value, int):
        return int(value)
    return value if isinstance(value, Decimal) else text_of(value)


def _represent_decimal(dumper: Any, value: Decimal) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:float", number_text(value))


_Writer.add_representer(Decimal, _represent_decimal)


class YamlMap(dict[str, Any], Written):
    """A map that is written as block YAML instead of JSON, because the filter `yaml` read it."""

    def text(self) -> str:
        """Return the map as block YAML."""
        return to_yaml(self)


class YamlList(list[Any], Written):
    """A list that is written as block YAML instead of JSON, because the filter `yaml` read it."""

    def text(self) -> str:
        """Return the list as block YAML."""
        return to_yaml(self)
