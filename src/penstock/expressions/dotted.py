"""Maps whose keys hold dots, read with dots: `labels.system.username`, `namespace.github.token` (EXP-025, EXP-032)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class DottedMap(Mapping[str, Any]):
    """A flat map that also answers the first part of a dotted key with the map of the rest.

    It is written, counted and gone through as the flat map that it is. A full key wins over a part of longer ones.
    """

    __slots__ = ("_flat",)

    def __init__(self, flat: Mapping[str, Any]) -> None:
        self._flat = flat

    def __getitem__(self, key: str) -> Any:
        if key in self._flat:
            return self._flat[key]
        prefix = f"{key}."
        rest = {name[len(prefix) :]: value for name, value in self._flat.items() if name.startswith(prefix)}
        if not rest:
            raise KeyError(key)
        return DottedMap(rest)

    def __iter__(self) -> Iterator[str]:
        return iter(self._flat)

    def __len__(self) -> int:
        return len(self._flat)
