"""A call whose answer is needed at hand: `Request`."""

from __future__ import annotations

from typing import ClassVar

import httpx
from pydantic import Field

from penstock.builtin.http.exchange import HttpError, HttpTask, address_of, headers_of, shown, text_of
from penstock.sdk import Output, RunContext

_MOST = 10 * 1024 * 1024


class Answer(Output):
    """What `Request` gives."""

    uri: str = Field(description="The address that answered, after redirects.")
    code: int = Field(description="The status.")
    headers: dict[str, list[str]] = Field(description="The headers: names in lower case, each with its values.")
    body: str = Field(description="The answer as text.")


class Request(HttpTask):
    """Call an HTTP address and keep the answer as outputs, up to 10 MB; `Download` is for more.

    Implements ENG-113, USE-B039, USE-B040.
    """

    type_name = "io.kestra.plugin.core.http.Request"
    type_aliases = ("io.kestra.plugin.fs.http.Request",)
    output_type: ClassVar[type[Output] | None] = Answer

    def run(self, context: RunContext) -> Answer:
        """Make the call."""
        with self.exchange(context) as response:
            data = _whole(response)
            return Answer(
                uri=address_of(response),
                code=response.status_code,
                headers=headers_of(response),
                body=text_of(response, data),
            )


def _whole(response: httpx.Response) -> bytes:
    data = bytearray()
    for piece in response.iter_bytes():
        data += piece
        if len(data) > _MOST:
            raise HttpError(
                f"{shown(response.url)} answers with more than {_MOST} bytes",
                hint="use io.kestra.plugin.core.http.Download, which stores the answer as a file",
            )
    return bytes(data)
