"""Reading a key, an index or a method of plain data. Implements EXP-041, EXP-043.

Never reads a Python attribute: only map entries, list elements and the methods listed here exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from penstock.expressions.errors import ExpressionTypeError, kind_of, suggestion
from penstock.expressions.values import UNDEFINED, equal, is_list, text_of


def access(target: Any, key: Any) -> Any:
    """Return `target[key]`, or UNDEFINED when there is no such entry."""
    if isinstance(target, Mapping):
        found = entry(target, key)
        return len(target) if found is UNDEFINED and key == "length" else found
    if isinstance(target, str):
        return len(target) if key == "length" else UNDEFINED
    if is_list(target):
        return len(target) if key == "length" else _element(target, key)
    return UNDEFINED


def entry(target: Mapping[Any, Any], key: Any) -> Any:
    """Return the value of a map under a key, or UNDEFINED."""
    if key is None or key is UNDEFINED:
        return UNDEFINED
    if not isinstance(key, str):
        # JSON keys are strings: an index by number or boolean finds the entry of that text.
        if type(key) is int and key in target:
            return target[key]
        key = text_of(key)
    try:
        return target[key]
    except KeyError:
        return UNDEFINED


def _element(target: Any, key: Any) -> Any:
    if isinstance(key, str) and key.isascii() and key.isdigit() and len(key) < 16:
        key = int(key)
    if not isinstance(key, int) or isinstance(key, bool) or not 0 <= key < len(target):
        return UNDEFINED
    return target[key] if hasattr(target, "__getitem__") else list(target)[key]


def names_in(value: Any) -> tuple[str, ...]:
    """Return the names a message may offer for a value: the keys of a map, never anything of its content."""
    return tuple(key for key in value if isinstance(key, str)) if isinstance(value, Mapping) else ()


def _get(target: Any, key: Any, default: Any = None) -> Any:
    found = access(target, key)
    return default if found is UNDEFINED else found


def _has(target: Any, item: Any) -> bool:
    return any(equal(element, item) for element in target)


_MAP_METHODS: dict[str, tuple[Callable[..., Any], int]] = {
    "keySet": (lambda target: list(target), 0),
    "get": (_get, 1),
    "getOrDefault": (_get, 2),
    "values": (lambda target: list(target.values()), 0),
    "entrySet": (lambda target: [{"key": key, "value": value} for key, value in target.items()], 0),
    "containsKey": (lambda target, key: access(target, key) is not UNDEFINED, 1),
    "size": (len, 0),
    "isEmpty": (lambda target: len(target) == 0, 0),
}
_LIST_METHODS: dict[str, tuple[Callable[..., Any], int]] = {
    "get": (_get, 1),
    "contains": (_has, 1),
    "size": (len, 0),
    "isEmpty": (lambda target: len(target) == 0, 0),
}


def call_method(target: Any, name: str, arguments: list[Any]) -> Any:
    """Return the result of a method that collections answer to (EXP-043)."""
    methods = _MAP_METHODS if isinstance(target, Mapping) else _LIST_METHODS if is_list(target) else {}
    if name not in methods:
        hint = suggestion(name, methods) or (f"it has {', '.join(methods)}" if methods else "use a filter instead")
        raise ExpressionTypeError(f"{kind_of(target)} has no method `{name}`", hint=hint)
    method, count = methods[name]
    if len(arguments) != count:
        raise ExpressionTypeError(f"method `{name}` takes {count} arguments, {len(arguments)} are given")
    return method(target, *arguments)
