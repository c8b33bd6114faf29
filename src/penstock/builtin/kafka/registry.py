"""A registry of Avro schemas: a record names the schema it was written with by the number it has there."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable
from types import ModuleType
from typing import Any
from urllib.parse import quote

import httpx

from penstock.builtin.kafka.connection import KafkaError
from penstock.builtin.messages.sending import MessageError
from penstock.builtin.serdes.files import library

_HEAD = struct.Struct(">bI")
"""What stands before a record: a zero, and the number of its schema."""
_TYPE = "application/vnd.schemaregistry.v1+json"
_SECONDS = 30.0


class SchemaRegistry:
    """A registry, as it is said in `serdeProperties`. It is asked for each schema once."""

    def __init__(self, properties: dict[str, Any]) -> None:
        self._url = str(properties.get("schema.registry.url") or "").split(",")[0].rstrip("/")
        user, _, password = str(properties.get("basic.auth.user.info") or "").partition(":")
        self._login = (user, password) if user else None
        self._known: dict[int, Any] = {}

    def writing(self, subject: str, schema: str | None) -> Callable[[Any], bytes | None]:
        """Return what writes records of a schema, which the registry is told.

        Raises:
            KafkaError: There is no schema, it is wrong, or the registry does not take it.
        """
        if schema is None:
            raise KafkaError("AVRO needs a schema", hint="set `keyAvroSchema` or `valueAvroSchema`")
        avro = _avro()
        try:
            parsed = avro.parse_schema(json.loads(schema))
        except (ValueError, KeyError, avro.schema.SchemaParseException, avro.schema.UnknownType) as error:
            raise KafkaError(f"the Avro schema is wrong: {error}", hint="write an Avro schema as JSON") from None
        body = {"schema": schema}
        head = _HEAD.pack(0, self._asked("POST", f"/subjects/{quote(subject, safe='')}/versions", body)["id"])

        def write(value: Any) -> bytes | None:
            if value is None:
                return None
            target = io.BytesIO(head)
            target.seek(len(head))
            try:
                avro.schemaless_writer(target, parsed, value)
            except (ValueError, TypeError, AttributeError, KeyError) as error:
                raise MessageError(f"a record is not of its schema: {error}", hint="mend one of them") from None
            return target.getvalue()

        return write

    def read(self, content: bytes) -> Any:
        """Return what a record stands for.

        Raises:
            ValueError: It was not written with a schema of a registry.
            KafkaError: The registry does not know its schema.
        """
        if len(content) < _HEAD.size or content[0] != 0:
            raise ValueError("no record with a schema")
        number = _HEAD.unpack_from(content)[1]
        if number not in self._known:
            text = self._asked("GET", f"/schemas/ids/{number}")["schema"]
            self._known[number] = _avro().parse_schema(json.loads(text))
        return _avro().schemaless_reader(io.BytesIO(content[_HEAD.size :]), self._known[number], None)

    def _asked(self, method: str, path: str, body: Any = None) -> Any:
        if not self._url:
            raise KafkaError("AVRO needs a schema registry", hint="set `serdeProperties` with `schema.registry.url`")
        headers = {"Accept": _TYPE, "Content-Type": _TYPE}
        try:
            answer = httpx.request(
                method, self._url + path, json=body, headers=headers, auth=self._login, timeout=_SECONDS
            )
        except httpx.HTTPError as error:
            raise KafkaError(f"the schema registry cannot be reached: {error}", hint="see its address") from None
        if answer.status_code != httpx.codes.OK:
            said = f"{answer.status_code} {answer.text[:200]}"
            raise KafkaError(f"the schema registry answered {said}", hint="see `serdeProperties` and the schema")
        return answer.json()


def _avro() -> ModuleType:
    return library("fastavro", "avro")
