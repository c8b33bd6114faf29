"""A call whose answer is needed at hand: `Request`."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from penstock.builtin.http.exchange import HttpTask, address_of, headers_of, text_of, whole
from penstock.sdk import Output, RunContext


class Answer(Output):
    """What `Request` gives."""

    uri: str = Field(description="The address that answered, after redirects.")
    code: int = Field(description="The status.")
    headers: dict[str, list[str]] = Field(description="The headers: names in lower case, each with its values.")
    body: str = Field(description="The answer as text.")


class Request(HttpTask):
    """Call an HTTP address and keep the answer as outputs, up to 10 MB; `Download` is for more.

    Send JSON to an API and read what it answers:

    ```yaml
    tasks:
      - id: create
        type: io.kestra.plugin.core.http.Request
        uri: https://example.com/api/orders
        method: POST
        contentType: application/json
        headers:
          Authorization: "Bearer {{ secret('SHOP_TOKEN') }}"
        body: |
          {"article": "chair", "amount": 4}
      - id: shown
        type: io.kestra.plugin.core.log.Log
        message: "Order {{ json(outputs.create.body).id }}"
    ```

    Implements ENG-113, USE-B039, USE-B040.
    """

    type_name = "io.kestra.plugin.core.http.Request"
    type_aliases = ("io.kestra.plugin.fs.http.Request",)
    output_type: ClassVar[type[Output] | None] = Answer

    def run(self, context: RunContext) -> Answer:
        """Make the call."""
        with self.exchange(context) as response:
            data = whole(response)
            return Answer(
                uri=address_of(response),
                code=response.status_code,
                headers=headers_of(response),
                body=text_of(response, data),
            )
