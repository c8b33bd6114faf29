"""Messages to a web hook: an address that takes JSON and puts it before people."""

from __future__ import annotations

import json
from abc import abstractmethod
from typing import Any
from urllib.parse import urlsplit

import httpx
from pydantic import Field

from penstock.builtin.http.client import make_client
from penstock.builtin.http.options import HttpOptions
from penstock.builtin.notifications.report import Report, Reporting
from penstock.sdk import PluginError, PluginModel, Property, RunContext, Task
from penstock.sdk.http import Cutter

_SHOWN = 200


class NotificationError(PluginError):
    """A message could not be sent."""

    code = "NOTIFICATION_FAILED"


class Hook(PluginModel):
    """An address that takes messages."""

    url: Property[str] = Field(description="The address of the web hook. Who knows it may write: keep it as a secret.")
    payload: Property[Any] | None = Field(None, description="The message as the service takes it, in JSON or as a map.")
    options: HttpOptions = Field(HttpOptions.model_validate({}), description="How the call is made.")

    def given(self, context: RunContext) -> dict[str, Any]:
        """Return `payload` as a map.

        Raises:
            NotificationError: It is none.
        """
        found = context.render(self.payload)
        if isinstance(found, str):
            try:
                found = json.loads(found, strict=False)  # texts of several lines are what people write
            except ValueError as error:
                raise NotificationError(f"`payload` is no JSON: {error}", hint="see its quotes and commas") from None
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise NotificationError("`payload` is no map", hint='write it like {"text": "done"}')
        return found

    def send(self, context: RunContext, body: dict[str, Any]) -> None:
        """Send a message.

        Raises:
            NotificationError: The service does not take it. What is said does not show the address.
        """
        address = context.render(self.url).strip()
        host, cutter = urlsplit(address).hostname, Cutter()
        context.on_kill(cutter.cut)
        try:
            with make_client(context, self.options, None) as client:
                answer = client.post(address, json=body, extensions={"trace": cutter.trace})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            said = str(error) or type(error).__name__
            raise NotificationError(f"{host or '`url`'} does not answer: {said}", hint="see `url`") from None
        if not answer.is_success and not context.render(self.options.allow_failed):
            said = " ".join(answer.text.split())[:_SHOWN]
            raise NotificationError(f"{host} answered with status {answer.status_code}: {said}", hint="see `payload`")


class MessageHook(Hook, Task):
    """A task that sends a message as it is written."""

    message_text: Property[str] | None = Field(None, description="The message's text; `payload` is for more than that.")

    def run(self, context: RunContext) -> None:
        """Send it."""
        text, body = context.render(self.message_text), self.given(context)
        if text is None and not body:
            raise NotificationError("there is nothing to send", hint="set `messageText` or `payload`")
        self.send(context, {**({} if text is None else self.worded(text)), **body})

    def worded(self, text: str) -> dict[str, Any]:
        """Return the message that a text is."""
        return {"text": text}


class ExecutionHook(Hook, Reporting, Task):
    """A task that tells of an execution. `payload` is laid over what it would say by itself."""

    def run(self, context: RunContext) -> None:
        """Tell."""
        self.send(context, {**self.told(context, self.report(context)), **self.given(context)})

    @abstractmethod
    def told(self, context: RunContext, report: Report) -> dict[str, Any]:
        """Return the message."""


def filled(**fields: Any) -> dict[str, Any]:
    """Return the fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}
