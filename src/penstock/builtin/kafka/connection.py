"""Which cluster, and how its client is set up: flows write its properties under the names of Kafka's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic import Field

from penstock.builtin.serdes.files import library
from penstock.sdk import PluginError, PluginModel, Property, RunContext

ANSWER = 30.0
"""Seconds after which a cluster that does not answer counts as not there."""
_SERVERS = "bootstrap.servers"
_OTHER_NAMES: Mapping[str, str] = {
    "ssl.truststore.location": "ssl.ca.location",
    "ssl.truststore.certificates": "ssl.ca.pem",
    "ssl.keystore.certificate.chain": "ssl.certificate.pem",
    "ssl.keystore.key": "ssl.key.pem",
}
"""Properties of Kafka's Java clients that this client knows under another name."""
_NOT_HERE = re.compile(
    r"(key|value)\.(de)?serializer|.*\.interceptor\.classes|interceptor\.classes|max\.poll\.records|metric.*"
    r"|ssl\.(trust|key)store\.type|client\.dns\.lookup|default\.api\.timeout\.ms|sasl\.jaas\.config"
)
"""Those that say nothing to it."""
_JAAS = re.compile(r"""\b(username|password)\s*=\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s;]+)""")


class KafkaError(PluginError):
    """The cluster did not do what it was asked for."""

    code = "KAFKA_FAILED"


class Complaints:
    """What the client tells of by the way: why it cannot connect is known here alone."""

    def __init__(self) -> None:
        self._last: str | None = None

    def __call__(self, error: Any) -> None:
        """Note one. That nobody can be reached says less than what came before."""
        if self._last is None or error.name() != "_ALL_BROKERS_DOWN":
            self._last = error.str()

    def named(self, otherwise: str) -> str:
        """Return the last one."""
        return self._last or otherwise


class Cluster(PluginModel):
    """Properties of everything that speaks to a cluster."""

    properties: Property[dict[str, Any]] = Field(
        description="How the client is set up, by Kafka's names: `bootstrap.servers`, `security.protocol` and so on."
    )
    serde_properties: Property[dict[str, Any]] = Field(
        Property.of({}), description="With AVRO: `schema.registry.url`, and `basic.auth.user.info` as user:password."
    )

    def settings(self, context: RunContext, complaints: Complaints, more: Mapping[str, Any]) -> dict[str, Any]:
        """Return the client's settings; what is given here counts where the flow says nothing.

        Raises:
            KafkaError: It is not said which cluster.
        """
        found: dict[str, Any] = {**more, "log_level": 0, "error_cb": complaints}
        for name, value in context.render(self.properties).items():
            if name == "sasl.jaas.config":
                found |= _login(str(value))
            if not _NOT_HERE.fullmatch(name):
                found[_OTHER_NAMES.get(name, name)] = value
        if not found.get(_SERVERS):
            raise KafkaError("it is not said which cluster", hint=f"set `properties` with `{_SERVERS}: host:9092`")
        return found


@contextmanager
def translated(complaints: Complaints) -> Iterator[None]:
    """Raise what the client library complains of as KafkaError."""
    kafka = library("confluent_kafka", "kafka")
    try:
        yield
    except kafka.KafkaException as error:
        raise failure(error.args[0], complaints) from None
    except (ValueError, TypeError, BufferError) as error:
        raise KafkaError(f"Kafka's client refuses that: {error}", hint="see `properties`") from None


def failure(error: Any, complaints: Complaints) -> KafkaError:
    """Return what went wrong as an error of ours."""
    name, said = error.name(), error.str()
    if name in ("_TRANSPORT", "_TIMED_OUT", "_ALL_BROKERS_DOWN", "_AUTHENTICATION"):
        hint = f"see whether `{_SERVERS}` is right, and what lets us in"
        return KafkaError(f"the cluster cannot be reached: {complaints.named(said)}", hint=hint)
    if name == "_INVALID_ARG":
        hint = "properties are those of librdkafka, which has most of Kafka's names"
        return KafkaError(f"`properties` is wrong: {said}", hint=hint)
    if "UNKNOWN_TOPIC" in name:
        return KafkaError("there is no such topic", hint="create it, or see whether its name is right")
    return KafkaError(f"Kafka failed: {said}", hint="see who may do what in the cluster")


def _login(text: str) -> dict[str, str]:
    """Return what the setting of a Java client says of user and password."""
    said = {name: value[1:-1] if value[0] in "\"'" else value for name, value in _JAAS.findall(text)}
    return {f"sasl.{name}": re.sub(r"\\(.)", r"\1", value) for name, value in said.items()}
