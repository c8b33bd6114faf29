"""`Webhook`: start a flow by an HTTP request."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from penstock.sdk import TriggerBase
from penstock.sdk.values import FixedDuration


class Webhook(TriggerBase):
    """Start the flow by a request to `/api/v1/main/executions/webhook/{namespace}/{flowId}/{key}`.

    The key authorises the request. The flow reads `trigger.body`, `trigger.headers` and `trigger.parameters`.

    ```yaml
    triggers:
      - id: on_request
        type: io.kestra.plugin.core.trigger.Webhook
        key: 4wjtkzwVGBM9yKnjm3yv8r
    ```

    Implements ENG-302 to ENG-305, ENG-413.
    """

    type_name: ClassVar[str] = "io.kestra.plugin.core.trigger.Webhook"
    type_aliases: ClassVar[tuple[str, ...]] = ("io.kestra.core.models.triggers.types.Webhook",)

    variable_names: ClassVar[frozenset[str] | None] = frozenset(("body", "headers", "parameters", "path"))

    key: str = Field(min_length=1, description="The secret part of the address; may be an expression.")
    wait: bool = Field(False, description="Answer when the execution has ended.")
    timeout: FixedDuration | None = Field(None, description="How long `wait` waits, as ISO 8601 duration.")
    return_outputs: bool = Field(False, description="Answer with the flow's outputs; needs `wait`.")
    response_content_type: str = Field("application/json", description="The content type of the answer.")
    inputs: dict[str, object] | None = Field(None, description="Values for the flow's inputs; may be expressions.")
