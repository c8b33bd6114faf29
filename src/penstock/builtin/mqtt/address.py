"""Which broker, who asks, and how it is spoken to."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from penstock.sdk import PluginError, PluginModel, Property, RunContext

Version = Literal["V3", "V5"]
_PORTS: Mapping[str, int] = {"tcp": 1883, "mqtt": 1883, "ssl": 8883, "mqtts": 8883, "ws": 80, "wss": 443}
_SECURE = ("ssl", "mqtts", "wss")
_SHOWN_SCHEMES = "tcp://host:1883, ssl://host:8883, ws://host:80/path or wss://host:443/path"


class MqttError(PluginError):
    """The broker did not do what it was asked for."""

    code = "MQTT_FAILED"


@dataclass(frozen=True, slots=True)
class Address:
    """A broker's address, taken apart."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, text: str) -> Address:
        """Take an address apart.

        Raises:
            MqttError: It is none.
        """
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in _PORTS or not parts.hostname:
            raise MqttError("`server` is no address of an MQTT broker", hint=f"write {_SHOWN_SCHEMES}")
        return cls(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], parts.path or "/mqtt")

    @property
    def is_secure(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme in _SECURE

    @property
    def is_websocket(self) -> bool:
        """Whether the protocol is spoken through a web socket."""
        return self.scheme in ("ws", "wss")


class Broker(PluginModel):
    """Properties of everything that speaks to a broker."""

    server: Property[str] = Field(description=f"The broker's address: {_SHOWN_SCHEMES}.")
    client_id: Property[str] | None = Field(
        None, description="The name of this client at the broker: one of its own for each task and trigger."
    )
    mqtt_version: Property[Version] = Field(Property.of("V5"), description="The version of the protocol.")
    username: Property[str] | None = Field(None, description="The user.")
    password: Property[str] | None = Field(None, description="The user's password.")
    auth_method: Property[str] | None = Field(
        None, description="The name of an extended authentication; with version 5 only."
    )
    connection_timeout: Property[timedelta] = Field(
        Property.of(timedelta(seconds=30)), description="The longest time to wait for the broker's answers."
    )
    https_hostname_verification_enabled: Property[bool] = Field(
        Property.of(True), description="Whether the broker's certificate has to be for its host name."
    )
    crt: Property[str] | None = Field(
        None, description="The certificate to trust, as PEM text or the path of a file on the worker."
    )

    def encryption(self, context: RunContext) -> ssl.SSLContext:
        """Return how a connection is encrypted.

        Raises:
            MqttError: The certificate is none.
        """
        trusted = context.render(self.crt)
        try:
            found = ssl.create_default_context(cadata=_pem(trusted))
        except (OSError, ValueError):
            raise MqttError("`crt` is no certificate", hint="give it as PEM text, or the path of such a file") from None
        found.check_hostname = context.render(self.https_hostname_verification_enabled)
        return found


def _pem(given: str | None) -> str | None:
    if given is None or "-----BEGIN" in given:
        return given
    return Path(given).read_text()
