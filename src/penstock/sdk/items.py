"""Items a task is given: in a stored file, as one map or as a list, read one by one. Implements PLG-022."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from penstock.sdk.context import RunContext
from penstock.sdk.errors import PluginError
from penstock.sdk.property import Property
from penstock.sdk.task import PluginModel
from penstock.sdk.values import ion_values

T = TypeVar("T")
_ROW = b"\n"
_OFTEN = 1_000
_SCHEMES = ("kestra://", "nsfile://", "file://")


class FileTaskError(PluginError):
    """A file, or an item of one, cannot be dealt with as the task asks."""

    code = "FILE_TASK_INVALID"


class Data(PluginModel, Generic[T]):
    """A property that takes items in one of three ways; `Data[Row]` gives each as a `Row`, `Data[dict]` as it is.

        class Load(Task):
            data: Data[Row] = Field(description="What is loaded.")

            def run(self, context: RunContext) -> None:
                for row in self.data.items(context):
                    ...

    However large a file is, no more than a row of it is held.
    """

    from_uri: Property[str] | None = Field(
        None, alias="fromURI", description="A stored file with one item a row, as Ion or JSON."
    )
    from_map: Property[dict[str, Any]] | None = Field(None, description="One item.")
    from_list: Property[list[dict[str, Any]]] | None = Field(None, description="Several items.")

    @model_validator(mode="after")
    def _is_one(self) -> Data[T]:
        if sum(one is not None for one in (self.from_uri, self.from_map, self.from_list)) != 1:
            raise ValueError("exactly one of `fromURI`, `fromMap` and `fromList` is needed")
        return self

    def items(self, context: RunContext) -> Iterator[T]:
        """Yield the items.

        Raises:
            FileTaskError: A row of the file, or an item, is not what it should be.
        """
        [wanted] = type(self).__pydantic_generic_metadata__["args"] or (Any,)
        given = context.render(self.from_uri) or context.render(self.from_map) or context.render(self.from_list, [])
        return items_of(context, given, wanted)


def items_of(context: RunContext, given: str | Mapping[str, Any] | Iterable[Any], wanted: type[T]) -> Iterator[T]:
    """Yield the items that a rendered `from` means: those of a stored file, one map, or those of a list.

    Raises:
        FileTaskError: A row of the file, or an item, is not what it should be.
    """
    adapter = TypeAdapter(wanted)
    for number, item in enumerate(_plain(context, given)):
        try:
            yield adapter.validate_python(item)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            text = "; ".join(f"`{'.'.join(map(str, one['loc']))}`: {one['msg']}" for one in problems)
            raise FileTaskError(f"item {number + 1} does not fit: {text}") from None


def _plain(context: RunContext, given: str | Mapping[str, Any] | Iterable[Any]) -> Iterator[Any]:
    if isinstance(given, Mapping):
        yield given
    elif not isinstance(given, str):
        yield from given
    elif given.startswith(_SCHEMES):
        yield from (item for _, item in stored_rows(context, given))
    else:
        for value in ion_values(given):
            yield from value if isinstance(value, list) else [value]


def rows_of(pieces: Iterable[bytes], separator: bytes) -> Iterator[bytes]:
    """Yield the rows of a file, each with its separator; the last one may have none."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(separator)
        for row in whole:
            yield row + separator
    if rest:
        yield rest


def stored_rows(context: RunContext, uri: str) -> Iterator[tuple[bytes, Any]]:
    """Yield the rows of a stored file with the item each holds as Ion or JSON; empty rows are passed over.

    Raises:
        FileTaskError: A row holds none, or several; or the task is to end.
    """
    for number, row in enumerate(rows_of(context.stream_file(uri), _ROW)):
        if number % _OFTEN == 0:
            stop_if_killed(context)
        if not row.strip():
            continue
        try:
            values = ion_values(row.decode())
        except (PluginError, UnicodeDecodeError) as error:
            raise FileTaskError(f"row {number + 1} of {uri} cannot be read: {error}") from error
        if len(values) != 1:
            raise FileTaskError(f"row {number + 1} of {uri} holds {len(values)} items", hint="write one item each row")
        yield row if row.endswith(_ROW) else row + _ROW, values[0]


def stop_if_killed(context: RunContext) -> None:
    """Raise when the task is to end: a loop over a large file must not outlive its kill."""
    if context.is_killed:
        raise FileTaskError("the task was stopped")
