"""Protocol Buffers: `ProtobufToIon`, `IonToProtobuf`. Needs the extra `protobuf`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, ClassVar

from pydantic import Field

from penstock.builtin.serdes.files import (
    Conversion,
    ConvertedFile,
    FormatError,
    items,
    library,
    local_file,
    new_file,
    store_items,
    stream_of,
)
from penstock.builtin.serdes.json_text import plain
from penstock.sdk import Property, RunContext

_LONGEST = 64 << 20
"""The most bytes of a message that is read from a file of several."""
_HINT = "make the descriptor file with: protoc --include_imports --descriptor_set_out=types.desc types.proto"


class ProtobufConversion(Conversion):
    """A conversion from or to messages of a type."""

    descriptor_file: Property[str] = Field(
        description="The file that describes the types, as `protoc --include_imports --descriptor_set_out` makes it."
    )
    type_name_: Property[str] = Field(alias="typeName", description="The type of the messages, as in company.Product.")
    delimited: Property[bool] = Field(
        Property.of(False), description="Whether the file has several messages, each after its length; else one alone."
    )

    def message_type(self, context: RunContext) -> Any:
        """Return the class of the messages.

        Raises:
            FormatError: The descriptor file does not describe it.
        """
        pool_module = library("google.protobuf.descriptor_pool", "protobuf")
        descriptors = library("google.protobuf.descriptor_pb2", "protobuf")
        errors = library("google.protobuf.message", "protobuf")
        uri, name = context.render(self.descriptor_file), context.render(self.type_name_)
        pool = pool_module.DescriptorPool()
        try:
            found = descriptors.FileDescriptorSet.FromString(local_file(context, uri, "types.desc").read_bytes())
            for one in found.file:
                pool.Add(one)
            described = pool.FindMessageTypeByName(name)
        except (errors.DecodeError, TypeError) as error:
            raise FormatError(f"{uri} is no descriptor file: {error}", hint=_HINT) from None
        except KeyError:
            raise FormatError(f"{uri} does not describe the type {name}", hint=_HINT) from None
        return library("google.protobuf.message_factory", "protobuf").GetMessageClass(described)


class ProtobufToIon(ProtobufConversion):
    """Make the messages of a Protocol Buffers file into items. Needs `penstock[protobuf]`.

    ```yaml
    - id: products
      type: io.kestra.plugin.serdes.protobuf.ProtobufToIon
      from: "{{ outputs.fetch.uri }}"
      descriptorFile: "{{ outputs.types.uri }}"
      typeName: company.Product
      delimited: true
    ```

    Implements ENG-338.
    """

    type_name: ClassVar[str] = "io.kestra.plugin.serdes.protobuf.ProtobufToIon"

    error_on_unknown_fields: Property[bool] = Field(
        Property.of(False), description="Fail when a message has fields that its type has not."
    )

    def run(self, context: RunContext) -> ConvertedFile:
        """Read message by message."""
        return ConvertedFile(uri=store_items(context, self._read(context))[0])

    def _read(self, context: RunContext) -> Iterator[Any]:
        formats = library("google.protobuf.json_format", "protobuf")
        errors = library("google.protobuf.message", "protobuf")
        kind, uri = self.message_type(context), context.render(self.from_)
        is_strict = context.render(self.error_on_unknown_fields)
        with stream_of(context, uri) as source:
            texts = _delimited(source) if context.render(self.delimited) else iter([source.read()])
            for number, data in enumerate(texts, 1):
                try:
                    message = kind.FromString(data)
                except errors.DecodeError as error:
                    raise FormatError(f"message {number} of {uri} cannot be read: {error}") from None
                if is_strict and message.ByteSize() != _known_size(message):
                    raise FormatError(f"message {number} of {uri} has fields that its type has not")
                yield formats.MessageToDict(
                    message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
                )


class IonToProtobuf(ProtobufConversion):
    """Make items into the messages of a Protocol Buffers file. Needs `penstock[protobuf]`.

    ```yaml
    - id: products
      type: io.kestra.plugin.serdes.protobuf.IonToProtobuf
      from: "{{ outputs.query.uri }}"
      descriptorFile: "{{ outputs.types.uri }}"
      typeName: company.Product
      delimited: true
    ```

    Implements ENG-338.
    """

    type_name: ClassVar[str] = "io.kestra.plugin.serdes.protobuf.IonToProtobuf"

    def run(self, context: RunContext) -> ConvertedFile:
        """Write message by message."""
        formats = library("google.protobuf.json_format", "protobuf")
        kind, several = self.message_type(context), context.render(self.delimited)
        local = new_file(context, "messages.pb")
        with local.open("wb") as target:
            for number, item in enumerate(items(context, context.render(self.from_)), 1):
                if number > 1 and not several:
                    raise FormatError("there are several items, and the file is to have one message", hint=_SEVERAL)
                try:
                    data = formats.ParseDict(plain(item), kind()).SerializeToString()
                except formats.ParseError as error:
                    raise FormatError(f"item {number} does not fit the type: {error}") from None
                target.write(_varint(len(data)) + data if several else data)
        return ConvertedFile(uri=context.put_file(local, "messages.pb"))


_SEVERAL = "set `delimited: true`"


def _delimited(source: BinaryIO) -> Iterator[bytes]:
    """Yield the messages of a file of several."""
    while (length := _length(source)) is not None:
        data = source.read(length) if length <= _LONGEST else b""
        if len(data) != length:
            raise FormatError("the file ends within a message, or is not one of several messages")
        yield data


def _length(source: BinaryIO) -> int | None:
    """Return the length that stands before a message; None at the end."""
    length = shift = 0
    while True:
        byte = source.read(1)
        if not byte:
            if shift:
                raise FormatError("the file ends within a length")
            return None
        length |= (byte[0] & 0x7F) << shift
        shift += 7
        if not byte[0] & 0x80:
            return length
        if shift > 63:
            raise FormatError("the file is not one of several messages")


def _varint(number: int) -> bytes:
    """Return a number as it stands before a message."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _known_size(message: Any) -> int:
    """Return the size of a message without what its type does not know."""
    copy = type(message)()
    copy.CopyFrom(message)
    copy.DiscardUnknownFields()
    size: int = copy.ByteSize()
    return size
