"""One HTTP exchange of a task: the request from its properties, the answer as a stream, errors in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, ClassVar, Literal

import httpx
from pydantic import Field

from penstock.builtin.http.client import make_client
from penstock.builtin.http.forms import Form, form_of
from penstock.builtin.http.options import HttpAuth, HttpOptions
from penstock.sdk import PluginError, PluginModel, Property, RunContext, Task, json_text
from penstock.sdk.http import Cutter

Method = Literal["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"]
_SHOWN = 500
_MOST = 10 * 1024 * 1024
_MULTIPART = "multipart/form-data"


class HttpError(PluginError):
    """The call did not give the answer wanted."""

    code = "HTTP_FAILED"


class HttpCall(PluginModel):
    """What everything that makes a call has in common."""

    uri: Property[str] = Field(description="The address to call.")
    method: Property[Method] = Field(Property.of("GET"), description="The HTTP method.")
    headers: Property[dict[str, Any]] | None = Field(None, description="Headers to send; a list gives one each.")
    params: Property[dict[str, Any]] | None = Field(None, description="Parameters to add to the address.")
    body: Property[str] | None = Field(None, description="What to send.")
    form_data: Property[dict[str, Any]] | None = Field(
        None,
        description="Form fields to send instead of a body. With `contentType: multipart/form-data`, a value that is "
        "an internal-storage URI, or a map of `name`, `content` and `contentType`, sends a file.",
    )
    content_type: Property[str] | None = Field(
        None, description="What the body is; JSON by default, and a URL-encoded form for `formData`."
    )
    options: HttpOptions = Field(HttpOptions.model_validate({}), description="How the call is made.")
    auth: HttpAuth | None = Field(None, description="The same as `options.auth`.")
    ssl_options: dict[str, Any] | None = Field(
        None, json_schema_extra={"deprecated": True}, description="The older form of `options.ssl`."
    )

    _takes_any_status: ClassVar[bool] = False
    """Whether it is for somebody else to say which status is a failure."""

    @contextmanager
    def exchange(self, context: RunContext) -> Iterator[httpx.Response]:
        """Make the call and give its answer, whose body is not read yet; ends at once when the task is killed.

        Raises:
            HttpError: Nobody answers, or the status does not count as success.
        """
        cutter = Cutter()
        context.on_kill(cutter.cut)
        uri = context.render(self.uri).strip()
        method = context.render(self.method)
        with ExitStack() as stack:
            try:
                client = stack.enter_context(make_client(context, self._options(), self.auth))
                form = stack.enter_context(form_of(context, self._fields(context), self._is_multipart(context)))
                request = self._request(context, client, method, uri, form)
                request.extensions = {**request.extensions, "trace": cutter.trace}
                response = client.send(request, stream=True)
                stack.callback(response.close)
                self._check(context, request, response)
                yield response
            except (httpx.HTTPError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
                raise _unanswered(method, uri, error) from None

    def _options(self) -> HttpOptions:
        if self.ssl_options is None or self.options.ssl is not None:
            return self.options
        return HttpOptions.model_validate({**self.options.model_dump(by_alias=True), "ssl": self.ssl_options})

    def _is_multipart(self, context: RunContext) -> bool:
        return context.render(self.content_type, "").lower().startswith(_MULTIPART)

    def _fields(self, context: RunContext) -> dict[str, Any]:
        return context.render(self.form_data, {})

    def _request(
        self, context: RunContext, client: httpx.Client, method: str, uri: str, form: Form | None
    ) -> httpx.Request:
        headers = httpx.Headers(
            [
                (name, text)
                for name, value in context.render(self.headers, {}).items()
                for text in ([json_text(one) for one in value] if isinstance(value, list) else [json_text(value)])
            ]
        )
        address = httpx.URL(uri)
        params = context.render(self.params)
        if params:
            address = address.copy_merge_params({name: _parameter(value) for name, value in params.items()})
        content_type = context.render(self.content_type)
        if form is not None:
            if form.files:
                headers.pop("Content-Type", None)  # the boundary between the parts belongs to it
            elif content_type is not None:
                headers.setdefault("Content-Type", content_type)
            return client.build_request(method, address, headers=headers, data=form.data, files=form.files or None)
        body = context.render(self.body)
        if body is not None:
            headers.setdefault("Content-Type", content_type or "application/json")
        elif content_type is not None:
            headers.setdefault("Content-Type", content_type)
        return client.build_request(method, address, headers=headers, content=body)

    def _check(self, context: RunContext, request: httpx.Request, response: httpx.Response) -> None:
        code = response.status_code
        options = self.options
        if self._takes_any_status or context.render(options.allow_failed):
            return
        allowed = context.render(options.allowed_response_codes)
        is_wanted_redirect = response.is_redirect and not context.render(options.follow_redirects)
        if code in allowed if allowed else response.is_success or is_wanted_redirect:
            return
        said = _beginning(response)
        raise HttpError(
            f"{request.method} {shown(response.url)} answered with status {code} {response.reason_phrase}".rstrip()
            + (f": {said}" if said else ""),
            hint="`options.allowFailed: true` lets the flow deal with it",
        )


class HttpTask(HttpCall, Task):
    """What HTTP tasks have in common."""


def whole(response: httpx.Response) -> bytes:
    """Return an answer's bytes, up to a bound; raises HttpError."""
    data = bytearray()
    for piece in response.iter_bytes():
        data += piece
        if len(data) > _MOST:
            raise HttpError(
                f"{shown(response.url)} answers with more than {_MOST} bytes",
                hint="use io.kestra.plugin.core.http.Download, which stores the answer as a file",
            )
    return bytes(data)


def shown(address: httpx.URL | str) -> str:
    """Return an address as it may stand in messages: without credentials, and without a query, which may hold some."""
    url = httpx.URL(address)
    return str(url.copy_with(username=None, password=None, query=None, fragment=None))


def headers_of(response: httpx.Response) -> dict[str, list[str]]:
    """Return the headers: names in lower case, each with all its values."""
    found: dict[str, list[str]] = {}
    for name, value in response.headers.multi_items():
        found.setdefault(name.lower(), []).append(value)
    return found


def address_of(response: httpx.Response) -> str:
    """Return the address that answered, without credentials."""
    return str(response.url.copy_with(username=None, password=None))


def text_of(response: httpx.Response, data: bytes) -> str:
    """Return an answer's bytes as text; what is no text in its encoding is replaced."""
    try:
        return data.decode(response.encoding or "utf-8", errors="replace")
    except LookupError:  # an encoding nobody knows
        return data.decode("utf-8", errors="replace")


def _parameter(value: Any) -> Any:
    return [json_text(one) for one in value] if isinstance(value, list) else json_text(value)


def _beginning(response: httpx.Response) -> str:
    """Return the first words of an answer, on one line."""
    data = b""
    for piece in response.iter_bytes():
        data += piece[:_SHOWN]
        if len(data) >= _SHOWN:
            break
    text = " ".join(text_of(response, data).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _unanswered(method: str, uri: str, error: Exception) -> HttpError:
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return HttpError(f"`uri` is no address that can be called: {error}", hint="write it as https://host/path")
    why = str(error) or type(error).__name__
    if isinstance(error, httpx.ConnectTimeout):
        why, hint = "no connection in time", "`options.timeout.connectTimeout` gives it more time"
    elif isinstance(error, httpx.TimeoutException):
        why, hint = "no answer in time", "`options.timeout.readIdleTimeout` gives it more time"
    elif "CERTIFICATE_VERIFY_FAILED" in why:
        hint = "let the server's certificate be signed by an authority this machine knows"
    else:
        hint = "see whether the address is right and reachable from this worker"
    return HttpError(f"{method} {shown(uri)} failed: {why}", hint=hint)
