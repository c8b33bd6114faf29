"""Start a flow by what an HTTP address answers: `Trigger`."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from penstock.builtin.http.exchange import HttpCall, address_of, headers_of, text_of, whole
from penstock.sdk import PollingTrigger, Property, RunContext, TriggerEvent, is_truthy


class Trigger(HttpCall, PollingTrigger):
    """Call an HTTP address every `interval`, and start the flow when the answer is the one waited for.

    `responseCondition` sees the answer as `response`, with `statusCode`, `body` and `headers`; every status is an
    answer. The flow reads `trigger.uri`, `trigger.code`, `trigger.headers` and `trigger.body`.

    ```yaml
    triggers:
      - id: cheap
        type: io.kestra.plugin.core.http.Trigger
        uri: https://shop.example.com/products/1
        responseCondition: "{{ json(response.body).price <= 110 }}"
        interval: PT30S
        stopAfter: [SUCCESS]
    ```

    Implements ENG-307, ENG-308.
    """

    type_name: ClassVar[str] = "io.kestra.plugin.core.http.Trigger"
    type_aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.http.Trigger",)
    _takes_any_status: ClassVar[bool] = True

    response_condition: Property[str] = Field(
        Property.of("{{ response.statusCode < 400 }}"),
        description="The flow starts when this is true of the answer; any status below 400 by default.",
    )

    def poll(self, context: RunContext) -> TriggerEvent | None:
        """Make the call and look at the answer."""
        with self.exchange(context) as response:
            code, headers = response.status_code, headers_of(response)
            body, uri = text_of(response, whole(response)), address_of(response)
        answer: dict[str, Any] = {"statusCode": code, "code": code, "body": body, "headers": headers}
        holds = is_truthy(context.render_text(str(self.response_condition.raw), {"response": answer}).strip())
        context.logger.debug(f"the answer with status {code} is {'' if holds else 'not '}the one waited for")
        return TriggerEvent({"uri": uri, "code": code, "headers": headers, "body": body}) if holds else None
