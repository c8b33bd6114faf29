import base64
import threading
import time
from typing import Any

import pytest
from pydantic import ValidationError

from penstock.builtin.http.client import HttpOptionsError
from penstock.builtin.http.exchange import HttpError
from penstock.builtin.http.request import Answer, Request
from penstock.testing.run_context import RunContextFactory
from tests.builtin.http.conftest import HttpServer
from tests.support.waiting import PATIENCE


def request(uri: str, **properties: Any) -> Request:
    return Request.model_validate({"id": "t", "type": Request.type_name, "uri": uri, **properties})


def test_request_plain_gives_status_headers_and_body(contexts: RunContextFactory, http_server: HttpServer) -> None:
    """ENG-113, USE-B039."""
    answer = request("{{ base }}/hello").run(contexts.of({"base": http_server.url}))
    assert answer.code == 200
    assert answer.body == "grüß Gott"
    assert answer.headers["x-two"] == ["1", "2"]
    assert answer.headers["content-type"] == ["text/plain"]
    assert answer.uri == f"{http_server.url}/hello"
    assert http_server.received[0].method == "GET"


def test_request_answer_in_another_encoding_is_read_in_it(contexts: RunContextFactory, http_server: HttpServer) -> None:
    assert request(f"{http_server.url}/latin").run(contexts.of()).body == "grüß"


def test_request_params_are_added_to_those_of_the_address(contexts: RunContextFactory, http_server: HttpServer) -> None:
    task = request(f"{http_server.url}/hello?a=1", params={"b": ["{{ n }}", 3], "c": "x y"})
    task.run(contexts.of({"n": 2}))
    assert http_server.received[0].query == "a=1&b=2&b=3&c=x+y"


def test_request_with_body_sends_json_unless_told_otherwise(
    contexts: RunContextFactory, http_server: HttpServer
) -> None:
    request(f"{http_server.url}/hello", method="POST", body='{"name": "{{ name }}"}').run(contexts.of({"name": "Ada"}))
    request(f"{http_server.url}/hello", method="PUT", body="ü", contentType="text/plain").run(contexts.of())
    first, second = http_server.received
    assert (first.method, first.headers["content-type"], first.body) == ("POST", "application/json", b'{"name": "Ada"}')
    assert (second.method, second.headers["content-type"], second.body) == ("PUT", "text/plain", "ü".encode())


def test_request_headers_are_rendered_and_may_repeat(contexts: RunContextFactory, http_server: HttpServer) -> None:
    request(f"{http_server.url}/hello", headers={"X-A": "{{ a }}", "X-N": 5, "Content-Type": "a/b"}, body="x").run(
        contexts.of({"a": "yes"})
    )
    headers = http_server.received[0].headers
    assert (headers["x-a"], headers["x-n"], headers["content-type"]) == ("yes", "5", "a/b")


def test_request_form_without_type_is_url_encoded(contexts: RunContextFactory, http_server: HttpServer) -> None:
    request(f"{http_server.url}/hello", method="POST", formData={"a": "{{ a }}", "b": [1, 2]}).run(
        contexts.of({"a": "x&y"})
    )
    received = http_server.received[0]
    assert received.headers["content-type"] == "application/x-www-form-urlencoded"
    assert received.body == b"a=x%26y&b=1&b=2"


def test_request_multipart_form_sends_texts_and_stored_files(
    contexts: RunContextFactory, http_server: HttpServer
) -> None:
    context = contexts.of()
    uri = context.put_bytes(b"id,name\n1,Ada\n", "people.csv")
    task = request(
        f"{http_server.url}/hello",
        method="POST",
        contentType="multipart/form-data",
        headers={"Content-Type": "multipart/form-data"},
        formData={
            "user": "John Doe",
            "file": uri,
            "named": {"name": "n.txt", "content": "inline", "contentType": "text/x-mine"},
        },
    )
    task.run(context)
    received = http_server.received[0]
    assert received.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="user"\r\n\r\nJohn Doe\r\n' in received.body
    assert b'name="file"; filename="people.csv"' in received.body
    assert b"id,name\n1,Ada\n" in received.body
    assert b'name="named"; filename="n.txt"\r\nContent-Type: text/x-mine\r\n\r\ninline' in received.body


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"options": {"auth": {"type": "BASIC", "username": "u", "password": "{{ p }}"}}}, "Basic u:secret"),
        ({"options": {"basicAuthUser": "u", "basicAuthPassword": "{{ p }}"}}, "Basic u:secret"),
        ({"options": {"auth": {"type": "BEARER", "token": "{{ p }}"}}}, "Bearer secret"),
        ({"auth": {"type": "BEARER", "token": "{{ p }}"}}, "Bearer secret"),
    ],
)
def test_request_with_credentials_sends_them(
    contexts: RunContextFactory, http_server: HttpServer, properties: dict[str, Any], expected: str
) -> None:
    request(f"{http_server.url}/whoami", **properties).run(contexts.of({"p": "secret"}))
    given = http_server.received[0].headers["authorization"]
    kind, _, value = given.partition(" ")
    shown = base64.b64decode(value).decode() if kind == "Basic" else value
    assert f"{kind} {shown}" == expected


def test_request_auth_without_what_it_needs_is_refused_when_read() -> None:
    with pytest.raises(ValidationError, match="token"):
        request("http://x", options={"auth": {"type": "BEARER"}})


def test_request_error_status_fails_and_names_address_status_and_answer(
    contexts: RunContextFactory, http_server: HttpServer
) -> None:
    address = http_server.url.replace("http://", "http://user:hunter2@")
    with pytest.raises(HttpError) as failure:
        request(f"{address}/status/503?key=hunter2").run(contexts.of())
    text = str(failure.value)
    assert f"GET {http_server.url}/status/503 answered with status 503 Service Unavailable: so it is" in text
    assert "allowFailed" in text
    assert "hunter2" not in text


def test_request_error_status_allowed_gives_outputs(contexts: RunContextFactory, http_server: HttpServer) -> None:
    """USE-B040."""
    answer = request(f"{http_server.url}/status/404", options={"allowFailed": True}).run(contexts.of())
    assert (answer.code, answer.body) == (404, "so\nit is")


def test_request_allowed_codes_given_are_the_only_ones(contexts: RunContextFactory, http_server: HttpServer) -> None:
    options = {"allowedResponseCodes": [404]}
    assert request(f"{http_server.url}/status/404", options=options).run(contexts.of()).code == 404
    with pytest.raises(HttpError, match="status 200"):
        request(f"{http_server.url}/hello", options=options).run(contexts.of())


def test_request_redirect_is_followed_unless_told_otherwise(
    contexts: RunContextFactory, http_server: HttpServer
) -> None:
    followed = request(f"{http_server.url}/redirect").run(contexts.of())
    assert (followed.code, followed.uri) == (200, f"{http_server.url}/hello")
    kept = request(f"{http_server.url}/redirect", options={"followRedirects": False}).run(contexts.of())
    assert (kept.code, kept.headers["location"]) == (302, ["/hello"])


def test_request_huge_answer_is_refused_with_the_way_out(contexts: RunContextFactory, http_server: HttpServer) -> None:
    with pytest.raises(HttpError, match=r"more than 10485760 bytes .*http\.Download"):
        request(f"{http_server.url}/data/10485761").run(contexts.of())


def test_request_nobody_there_says_so(contexts: RunContextFactory) -> None:
    with pytest.raises(HttpError, match=r"GET http://127\.0\.0\.1:1/x failed: .*refused"):
        request("http://127.0.0.1:1/x?token=1").run(contexts.of())


@pytest.mark.parametrize("uri", ["example.com", "ftp://example.com/x", "http://example.com:port", ""])
def test_request_wrong_address_says_so(contexts: RunContextFactory, uri: str) -> None:
    with pytest.raises(HttpError, match="`uri` is no address"):
        request(uri).run(contexts.of())


def test_request_no_answer_within_the_limit_fails(contexts: RunContextFactory, http_server: HttpServer) -> None:
    with pytest.raises(HttpError, match="no answer in time"):
        request(f"{http_server.url}/hang", options={"timeout": {"readIdleTimeout": "PT0.1S"}}).run(contexts.of())


def test_request_older_limit_still_holds(contexts: RunContextFactory, http_server: HttpServer) -> None:
    with pytest.raises(HttpError, match="no answer in time"):
        request(f"{http_server.url}/hang", options={"readTimeout": "PT0.1S"}).run(contexts.of())


INSECURE = {"ssl": {"insecureTrustAllCertificates": True}}


def test_request_certificate_unknown_is_refused(contexts: RunContextFactory, https_server: HttpServer) -> None:
    with pytest.raises(HttpError, match=r"CERTIFICATE_VERIFY_FAILED.*an authority this machine knows"):
        request(f"{https_server.url}/hello").run(contexts.of())
    assert not https_server.received


@pytest.mark.parametrize("properties", [{"options": INSECURE}, {"sslOptions": INSECURE["ssl"]}])
def test_request_certificate_unknown_is_taken_when_told_so(
    contexts: RunContextFactory, https_server: HttpServer, properties: dict[str, Any]
) -> None:
    assert request(f"{https_server.url}/hello", **properties).run(contexts.of()).code == 200


def killed_while_it_waits(contexts: RunContextFactory, server: HttpServer, route: str) -> None:
    context = contexts.of()
    ends: list[Answer | Exception] = []

    def run() -> None:
        try:
            ends.append(request(f"{server.url}/{route}", options=INSECURE).run(context))
        except HttpError as error:
            ends.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert server.hanging.wait(PATIENCE)
    start = time.monotonic()
    for action in context.interrupt():
        action()
    thread.join(PATIENCE)
    assert time.monotonic() - start < PATIENCE
    assert isinstance(ends[0], HttpError)


@pytest.mark.parametrize("route", ["hang", "trickle"])
def test_request_killed_ends_at_once(contexts: RunContextFactory, http_server: HttpServer, route: str) -> None:
    """BEY-004."""
    killed_while_it_waits(contexts, http_server, route)


@pytest.mark.parametrize("route", ["hang", "trickle"])
def test_request_killed_within_tls_ends_at_once(
    contexts: RunContextFactory, https_server: HttpServer, route: str
) -> None:
    """BEY-004."""
    killed_while_it_waits(contexts, https_server, route)


def test_request_proxy_without_address_is_refused(contexts: RunContextFactory) -> None:
    task = request("http://example.com", options={"proxy": {"type": "HTTP"}})
    with pytest.raises(HttpOptionsError, match="needs `address` and `port`"):
        task.run(contexts.of())


def test_request_by_proxy_asks_the_proxy(contexts: RunContextFactory, http_server: HttpServer) -> None:
    port = int(http_server.url.rsplit(":", 1)[1])
    task = request("http://nowhere.invalid/hello", options={"proxy": {"address": "127.0.0.1", "port": port}})
    assert task.run(contexts.of()).code == 200
    assert http_server.received[0].headers["host"] == "nowhere.invalid"
