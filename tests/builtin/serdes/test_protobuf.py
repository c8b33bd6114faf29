"""Protocol Buffers files, run in a worker's context on real files."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import descriptor_pb2

from penstock.builtin.serdes.files import FormatError
from penstock.builtin.serdes.protobuf import IonToProtobuf, ProtobufToIon
from tests.builtin.serdes.test_formats import Converter, convert

__all__ = ["convert"]
ITEMS = '{name:"Ada",price:1.5,count:9007199254740993,tags:["a","b"],kind:"NEW",data:"AAE="}\n{name:"",price:0.0}\n'
READ = [
    {"name": "Ada", "price": 1.5, "count": "9007199254740993", "tags": ["a", "b"], "kind": "NEW", "data": "AAE="},
    {"name": "", "price": 0.0, "count": "0", "tags": [], "kind": "OLD", "data": ""},
]


def described() -> bytes:
    """Return the description of a type, as the compiler of Protocol Buffers makes it."""
    file = descriptor_pb2.FileDescriptorProto(name="product.proto", package="company", syntax="proto3")
    kind = file.enum_type.add(name="Kind")
    kind.value.add(name="OLD", number=0)
    kind.value.add(name="NEW", number=1)
    message = file.message_type.add(name="Product")
    field = descriptor_pb2.FieldDescriptorProto
    for number, (name, of) in enumerate(
        (("name", field.TYPE_STRING), ("price", field.TYPE_DOUBLE), ("count", field.TYPE_INT64)), 1
    ):
        message.field.add(name=name, number=number, type=of, label=field.LABEL_OPTIONAL)
    message.field.add(name="tags", number=4, type=field.TYPE_STRING, label=field.LABEL_REPEATED)
    message.field.add(name="kind", number=5, type=field.TYPE_ENUM, type_name=".company.Kind", label=1)
    message.field.add(name="data", number=6, type=field.TYPE_BYTES, label=field.LABEL_OPTIONAL)
    file.message_type.add(name="Nothing")
    return descriptor_pb2.FileDescriptorSet(file=[file]).SerializeToString()


@pytest.fixture
def of_type(convert: Converter) -> dict[str, Any]:
    uri = convert.context.put_bytes(described(), "types.desc")
    return {"descriptorFile": uri, "typeName": "company.Product", "delimited": True}


def test_protobuf_items_written_are_read_back(convert: Converter, of_type: dict[str, Any]) -> None:
    """ENG-338."""
    written = convert.run(IonToProtobuf, ITEMS, **of_type)
    assert convert.stored(written.uri)[:6] == b"\x23\x0a\x03Ada"
    assert convert.items(convert.on(ProtobufToIon, written.uri, **of_type).uri) == READ


def test_protobuf_single_message_is_a_file_of_its_own(convert: Converter, of_type: dict[str, Any]) -> None:
    """ENG-338."""
    of_type["delimited"] = False
    written = convert.run(IonToProtobuf, '{name:"Ada"}\n', **of_type)
    assert convert.stored(written.uri) == b"\x0a\x03Ada"
    assert convert.items(convert.on(ProtobufToIon, written.uri, **of_type).uri)[0]["name"] == "Ada"
    with pytest.raises(FormatError, match="several items") as caught:
        convert.run(IonToProtobuf, ITEMS, **of_type)
    assert "delimited" in caught.value.hint


def test_protobuf_fields_that_the_type_has_not_fail_where_that_is_wanted(
    convert: Converter, of_type: dict[str, Any]
) -> None:
    of_type["typeName"] = "company.Nothing"
    content = b"\x05\x0a\x03Ada"
    assert convert.items(convert.run(ProtobufToIon, content, **of_type).uri) == [{}]
    with pytest.raises(FormatError, match="its type has not"):
        convert.run(ProtobufToIon, content, **of_type, errorOnUnknownFields=True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x09\x0a\x03Ada", "within a message"),
        (b"\xff", "within a length"),
        (b"\xff" * 12, "not one of several"),
        (b"\x02\x0a\x09", "message 1 of .* cannot be read"),
    ],
)
def test_protobuf_to_ion_what_cannot_be_read_says_what_is_wrong(
    convert: Converter, of_type: dict[str, Any], content: bytes, said: str
) -> None:
    """ENG-338."""
    with pytest.raises(FormatError, match=said):
        convert.run(ProtobufToIon, content, **of_type)


def test_protobuf_wrong_type_says_what_is_needed(convert: Converter, of_type: dict[str, Any]) -> None:
    with pytest.raises(FormatError, match=r"does not describe the type company\.None") as caught:
        convert.run(ProtobufToIon, b"", **{**of_type, "typeName": "company.None"})
    assert "protoc" in caught.value.hint
    of_type["descriptorFile"] = convert.context.put_bytes(b"syntax = 'proto3';", "x.proto")
    with pytest.raises(FormatError, match="no descriptor file"):
        convert.run(ProtobufToIon, b"", **of_type)


def test_ion_to_protobuf_item_that_does_not_fit_says_which(convert: Converter, of_type: dict[str, Any]) -> None:
    with pytest.raises(FormatError, match="item 1 does not fit"):
        convert.run(IonToProtobuf, '{name:"Ada",colour:"red"}\n', **of_type)
