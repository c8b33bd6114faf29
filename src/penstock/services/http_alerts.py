"""Alerts sent to a webhook."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import msgspec

from penstock.base.errors import UnavailableError
from penstock.services.alerts import Alert

_PATIENCE = 15.0
_MOST_IN_TEXT = 10


class HttpAlerts:
    """Posts alerts as JSON: `alerts`, and `text`, which incoming webhooks of chats show as it is.

    Args:
        url: Where to; a secret, since whoever knows it may write there.
        transport: What sends; the network by default.
    """

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._url = url
        self._transport = transport

    async def send(self, alerts: Sequence[Alert]) -> None:
        """Post alerts."""
        lines = [alert.sentence for alert in alerts[:_MOST_IN_TEXT]]
        if len(alerts) > _MOST_IN_TEXT:
            lines.append(f"... and {len(alerts) - _MOST_IN_TEXT} more.")
        body = {"text": "\n".join(lines), "alerts": msgspec.to_builtins(alerts)}
        try:
            async with httpx.AsyncClient(transport=self._transport, timeout=_PATIENCE) as client:
                answer = await client.post(self._url, json=body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnavailableError(f"alerts could not be delivered: {type(error).__name__}") from None
        if answer.is_error:
            raise UnavailableError(f"alerts were answered with status {answer.status_code}")
