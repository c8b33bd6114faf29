"""Binary Ion, as Ion's own libraries write it by default: read into the values its text form gives. Implements EXP-153.

Each value is a byte of type and length, the length where that has no room for it, and the content. Symbols are numbers
of a table that grows by structs between the rows.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final

from penstock.expressions.errors import ExpressionError
from penstock.expressions.ion import to_ion

MARK: Final = b"\xe0\x01\x00\xea"
"""How binary Ion begins."""
_SYSTEM = (
    *("$0", "$ion", "$ion_1_0", "$ion_symbol_table", "name", "version", "imports", "symbols", "max_id"),
    "$ion_shared_symbol_table",
)
_TABLE = "$ion_symbol_table"
_MAX_DEPTH = 200
_MAX_IMPORTED = 100_000
_MAX_EXPONENT = 10_000
_NULL, _VARIABLE = 15, 14
_PADDING, _ANNOTATED = 0, 14


class _Wrong(Exception):
    """Something is not as it must be."""


def is_binary_ion(content: bytes) -> bool:
    """Return whether a content is binary Ion."""
    return content.startswith(MARK)


def binary_as_text(content: bytes) -> str:
    """Return binary Ion as Ion text, one row a line.

    Raises:
        ExpressionError: The content is no binary Ion.
    """
    return "".join(f"{to_ion(row)}\n" for row in from_binary_ion(content))


def from_binary_ion(content: bytes) -> list[Any]:
    """Return the values of binary Ion, one for each row.

    Raises:
        ExpressionError: The content is no binary Ion.
    """
    reader = _Reader(content)
    try:
        return reader.rows()
    except (_Wrong, IndexError, ValueError, OverflowError, ArithmeticError, struct.error):
        raise ExpressionError(f"the binary Ion cannot be read (at its byte {reader.position})") from None


class _Reader:
    def __init__(self, content: bytes) -> None:
        self.position = 0
        self._content = content
        self._symbols = list(_SYSTEM)

    def rows(self) -> list[Any]:
        found: list[Any] = []
        while self.position < len(self._content):
            if self._content.startswith(MARK, self.position):
                self.position += len(MARK)
                self._symbols = list(_SYSTEM)
                continue
            is_value, value, annotations = self._value(0)
            if annotations[:1] == [_TABLE] and isinstance(value, dict):
                self._learn(value)
            elif is_value:
                found.append(value)
        return found

    def _learn(self, table: dict[str, Any]) -> None:
        imports = table.get("imports")
        if imports != _TABLE:
            self._symbols = list(_SYSTEM)
            for one in imports if isinstance(imports, list) else ():
                count = int(one.get("max_id") or 0)
                if count > _MAX_IMPORTED:
                    raise _Wrong
                first = len(self._symbols)
                self._symbols.extend(f"${first + number}" for number in range(count))  # a table that only others have
        self._symbols.extend(str(one) for one in table.get("symbols") or ())

    def _value(self, depth: int) -> tuple[bool, Any, list[str]]:
        """Return whether there is a value and not mere padding, the value, and its annotations."""
        if depth > _MAX_DEPTH:
            raise _Wrong
        kind, length = divmod(self._byte(), 16)
        if kind == _ANNOTATED:
            return self._annotated(length, depth)
        if length == _NULL:
            return True, None, []
        if kind == 1:
            return True, bool(length), []
        end = self._end(length, is_sorted=kind == 13 and length == 1)
        if kind == _PADDING:
            self.position = end
            return False, None, []
        if kind not in _SCALARS:
            return True, self._container(kind, end, depth), []
        data, self.position = self._content[self.position : end], end
        return True, _SCALARS[kind](self, data), []

    def _annotated(self, length: int, depth: int) -> tuple[bool, Any, list[str]]:
        self._end(length, is_sorted=False)
        names_end = self.var_uint() + self.position
        names = []
        while self.position < names_end:
            names.append(self._symbol(self.var_uint()))
        is_value, value, _ = self._value(depth + 1)
        return is_value, value, names

    def _container(self, kind: int, end: int, depth: int) -> Any:
        items: list[Any] = []
        fields: dict[str, Any] = {}
        while self.position < end:
            name = self._symbol(self.var_uint()) if kind == 13 else ""
            is_value, value, _ = self._value(depth + 1)
            if is_value and kind == 13:
                fields[name] = value
            elif is_value:
                items.append(value)
        if self.position != end or kind not in (11, 12, 13):
            raise _Wrong
        return fields if kind == 13 else items

    def _end(self, length: int, *, is_sorted: bool) -> int:
        """Return where the content ends whose length is given, or follows."""
        size = self.var_uint() if length == _VARIABLE or is_sorted else length
        if self.position + size > len(self._content):
            raise _Wrong
        return self.position + size

    def _byte(self) -> int:
        self.position += 1
        return self._content[self.position - 1]

    def var_uint(self) -> int:
        value = 0
        while True:
            byte = self._byte()
            value = value << 7 | byte & 0x7F
            if byte & 0x80:
                return value

    def _symbol(self, number: int) -> str:
        return self._symbols[number]

    def symbol(self, data: bytes) -> str:
        return self._symbol(int.from_bytes(data, "big"))


def _float(_: _Reader, data: bytes) -> float:
    if not data:
        return 0.0
    found: float = struct.unpack(">f" if len(data) == 4 else ">d", data)[0]
    return found


def _signed(data: bytes) -> int:
    """Return a number whose first bit is its sign."""
    if not data:
        return 0
    size = int.from_bytes(data, "big") & ((1 << len(data) * 8 - 1) - 1)
    return -size if data[0] & 0x80 else size


def _var_int(data: bytes, start: int) -> tuple[int, bool, int]:
    """Return a number whose first byte holds its sign, whether it has that sign, and where it ends."""
    first = data[start]
    value, is_negative = first & 0x3F, bool(first & 0x40)
    while not data[start] & 0x80:
        start += 1
        value = value << 7 | data[start] & 0x7F
    return (-value if is_negative else value), is_negative, start + 1


def _decimal(_: _Reader, data: bytes) -> Decimal:
    if not data:
        return Decimal(0)
    exponent, _is_negative, start = _var_int(data, 0)
    if abs(exponent) > _MAX_EXPONENT:
        raise _Wrong
    coefficient = Decimal(_signed(data[start:])).as_tuple()
    return Decimal((coefficient.sign, coefficient.digits, exponent))


def _timestamp(_: _Reader, data: bytes) -> Any:
    """Return a date with its time, a date, or the text of what is less than a date."""
    offset, is_negative, start = _var_int(data, 0)
    inner = _Reader(data)
    numbers: list[int] = []
    inner.position = start
    while inner.position < len(data) and len(numbers) < 6:
        numbers.append(inner.var_uint())
    if len(numbers) < 3:
        return "-".join(f"{one:0{4 if place == 0 else 2}}" for place, one in enumerate(numbers))
    if len(numbers) == 3:
        return date(*numbers)
    year, month, day, hour, minute, *second = numbers
    fraction = _decimal(inner, data[inner.position :])
    moment = datetime(year, month, day, hour, minute, second[0] if second else 0)  # noqa: DTZ001 - the zone follows
    moment += timedelta(microseconds=int(fraction * 1_000_000))
    if is_negative and offset == 0:
        return moment  # of which nobody knows where
    zone = timezone(timedelta(minutes=offset))
    return moment.replace(tzinfo=timezone.utc).astimezone(zone)  # noqa: UP017 - beside one of any offset


_SCALARS: dict[int, Callable[[_Reader, bytes], Any]] = {
    2: lambda _, data: int.from_bytes(data, "big"),
    3: lambda _, data: -int.from_bytes(data, "big"),
    4: _float,
    5: _decimal,
    6: _timestamp,
    7: _Reader.symbol,
    8: lambda _, data: data.decode(),
    9: lambda _, data: data.decode("latin-1"),
    10: lambda _, data: base64.b64encode(data).decode(),
}
