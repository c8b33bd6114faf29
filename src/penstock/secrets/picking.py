"""Which secrets a search means, where no database answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from penstock.base.errors import InvalidRequestError
from penstock.ports.queries import Filter
from penstock.ports.secrets import SecretName

Test = Callable[[str, Any], bool]
_NAMES: Mapping[str, Test] = {
    "EQUALS": lambda name, value: name in _several(value),
    "IN": lambda name, value: name in _several(value),
    "NOT_EQUALS": lambda name, value: name not in _several(value),
    "NOT_IN": lambda name, value: name not in _several(value),
    "STARTS_WITH": lambda name, value: name.startswith(str(value)),
    "ENDS_WITH": lambda name, value: name.endswith(str(value)),
    "CONTAINS": lambda name, value: str(value) in name,
    "PREFIX": lambda name, value: name == value or name.startswith(f"{value}."),
}
_TEXTS: Mapping[str, Test] = {
    "EQUALS": lambda text, value: str(value).lower() in text,
    "CONTAINS": lambda text, value: str(value).lower() in text,
    "NOT_EQUALS": lambda text, value: str(value).lower() not in text,
}


def picked(secrets: Sequence[SecretName], filters: Sequence[Filter]) -> list[SecretName]:
    """Return the secrets that fit, by namespace and key. Those of all namespaces are in each of them.

    Raises:
        InvalidRequestError: A filter cannot be answered.
    """
    fitting = [one for one in secrets if all(_fits(one, given) for given in filters)]
    return sorted(fitting, key=lambda one: (one.namespace or "", one.key))


def _fits(secret: SecretName, given: Filter) -> bool:
    if given.field == "namespace":
        return _test(given, _NAMES)(secret.namespace, given.value) if secret.namespace is not None else True
    if given.field == "id":
        return _test(given, _NAMES)(secret.key, given.value)
    if given.field == "q":
        text = f"{secret.key}\n{secret.namespace or ''}\n{secret.description or ''}".lower()
        return _test(given, _TEXTS)(text, given.value)
    raise InvalidRequestError(
        f"secrets that another service keeps cannot be searched by `{given.field}`", hint="use q, namespace or id"
    )


def _test(given: Filter, tests: Mapping[str, Test]) -> Test:
    try:
        return tests[given.operation]
    except KeyError:
        known = ", ".join(tests)
        raise InvalidRequestError(
            f"`{given.field}` cannot be asked for {given.operation}", hint=f"use {known}"
        ) from None


def _several(value: Any) -> list[str]:
    return list(map(str, value)) if isinstance(value, list | tuple) else str(value).split(",")
