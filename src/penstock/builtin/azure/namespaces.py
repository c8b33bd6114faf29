"""A namespace of Event Hubs: where it is, and what lets us in.

It is spoken to as a Kafka cluster, which each namespace is from its Standard tier on: then it remembers itself how far
a group has read, and no storage account has to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from penstock.sdk import PluginError, PluginModel, Property, RunContext

_DOMAIN = "servicebus.windows.net"
_PORT = 9093
_EMULATOR_PORT = 9092
_ENDPOINT = re.compile(r"sb://([^/:;]+)(?::(\d+))?/?", re.IGNORECASE)


class EventHubsError(PluginError):
    """It is not said which namespace, or as whom."""

    code = "EVENT_HUBS_FAILED"


class Hub(PluginModel):
    """Properties of everything that speaks to an event hub."""

    namespace: Property[str] = Field(description="The namespace's name, or its host name.")
    event_hub_name: Property[str] = Field(description="The event hub in it.")
    connection_string: Property[str] | None = Field(
        None, description="The connection string of the namespace or the event hub; it says where, and who asks."
    )
    shared_key_account_name: Property[str] | None = Field(
        None, description="The name of a shared access policy, in place of a connection string."
    )
    shared_key_account_access_key: Property[str] | None = Field(None, description="The policy's key.")
    sas_token: Property[str] | None = Field(None, description="A shared access signature in place of a policy.")

    def kafka_properties(self, context: RunContext) -> Mapping[str, Any]:
        """Return how a Kafka client is set up for the namespace.

        Raises:
            EventHubsError: It is not said who asks, or not understood where the namespace is.
        """
        text = self._connection_string(context)
        parts = {name.strip().lower(): value for name, _, value in (one.partition("=") for one in text.split(";"))}
        endpoint = _ENDPOINT.fullmatch(parts.get("endpoint", "").strip())
        if endpoint is None:  # the text holds a key: it is not shown
            raise EventHubsError(
                "`connectionString` is none of Event Hubs", hint="it begins with Endpoint=sb://; copy the whole of it"
            )
        is_emulator = parts.get("usedevelopmentemulator", "").lower() == "true"
        port = endpoint[2] or (_EMULATOR_PORT if is_emulator else _PORT)
        return {
            "bootstrap.servers": f"{endpoint[1]}:{port}",
            "security.protocol": "SASL_PLAINTEXT" if is_emulator else "SASL_SSL",
            "sasl.mechanism": "PLAIN",
            "sasl.username": "$ConnectionString",
            "sasl.password": text,
        }

    def _connection_string(self, context: RunContext) -> str:
        given = context.render(self.connection_string)
        if given:
            return given.strip()
        name = context.render(self.namespace)
        endpoint = f"Endpoint=sb://{name if '.' in name else f'{name}.{_DOMAIN}'}/"
        policy, key = context.render(self.shared_key_account_name), context.render(self.shared_key_account_access_key)
        token = context.render(self.sas_token)
        if policy and key:
            return f"{endpoint};SharedAccessKeyName={policy};SharedAccessKey={key}"
        if token:
            return f"{endpoint};SharedAccessSignature={token}"
        hint = "set `connectionString`, or `sharedKeyAccountName` and `sharedKeyAccountAccessKey`, or `sasToken`"
        raise EventHubsError("it is not said who asks", hint=hint)
