"""A call whose answer becomes a file of internal storage: `Download`."""

from __future__ import annotations

import re
from email.message import Message
from pathlib import PurePosixPath
from typing import ClassVar
from urllib.parse import unquote

import httpx
from pydantic import Field

from penstock.builtin.http.exchange import HttpError, HttpTask, headers_of, shown
from penstock.sdk import MetricNote, Output, Property, RunContext

_UNFIT = re.compile(r"[^\w.+=~-]+", re.ASCII)
_LONGEST = 150


class Downloaded(Output):
    """What `Download` gives."""

    uri: str = Field(description="The file in internal storage.")
    code: int = Field(description="The status.")
    length: int = Field(description="The size of the file in bytes.")
    headers: dict[str, list[str]] = Field(description="The headers: names in lower case, each with its values.")


class Download(HttpTask):
    """Call an HTTP address and store the answer, of any size, as a file of internal storage.

    Fetch a file that needs a login:

    ```yaml
    tasks:
      - id: orders
        type: io.kestra.plugin.core.http.Download
        uri: https://example.com/orders.csv
        options:
          auth:
            type: BASIC
            username: importer
            password: "{{ secret('SHOP_PASSWORD') }}"
    ```

    Implements ENG-114, USE-B039.
    """

    type_name = "io.kestra.plugin.core.http.Download"
    type_aliases = ("io.kestra.plugin.fs.http.Download",)
    output_type: ClassVar[type[Output] | None] = Downloaded
    type_metrics = (MetricNote("response.length", "counter", "How many bytes the answer has."),)

    save_as: Property[str] | None = Field(
        None, description="The name of the file; by default the one the server or the address gives."
    )
    fail_on_empty_response: Property[bool] = Field(Property.of(True), description="Fail when the answer is empty.")

    def run(self, context: RunContext) -> Downloaded:
        """Store the answer piece by piece."""
        local = context.resolve("download")
        with self.exchange(context) as response:
            length = 0
            with local.open("wb") as file:
                for piece in response.iter_bytes():
                    length += file.write(piece)
            if not length:
                self._empty(context, response)
            uri = context.put_file(local, context.render(self.save_as) or file_name(response))
            context.counter("response.length", length)
            return Downloaded(uri=uri, code=response.status_code, length=length, headers=headers_of(response))

    def _empty(self, context: RunContext, response: httpx.Response) -> None:
        message = f"{shown(response.url)} answered with nothing"
        if context.render(self.fail_on_empty_response):
            raise HttpError(message, hint="`failOnEmptyResponse: false` accepts that")
        context.logger.warning(message)


def file_name(response: httpx.Response) -> str:
    """Return a name for the file of an answer: the server's, else the last part of the address."""
    header = Message()
    header["Content-Disposition"] = response.headers.get("content-disposition", "")
    given = header.get_filename() or unquote(response.url.path)
    name = _UNFIT.sub("_", PurePosixPath(given.replace("\\", "/")).name).lstrip(".")
    return name[-_LONGEST:] or "download"
