from typing import Any

import pytest

from penstock.builtin.http.download import Download
from penstock.builtin.http.exchange import HttpError
from penstock.testing.run_context import RunContextFactory
from tests.builtin.http.conftest import HttpServer


def download(uri: str, **properties: Any) -> Download:
    return Download.model_validate({"id": "t", "type": Download.type_name, "uri": uri, **properties})


def test_download_stores_the_answer_and_counts_it(contexts: RunContextFactory, http_server: HttpServer) -> None:
    """ENG-114, USE-B039."""
    context = contexts.of()
    result = download(f"{http_server.url}/data/3000000").run(context)
    assert (result.code, result.length) == (200, 3_000_000)
    assert result.headers["content-length"] == ["3000000"]
    assert contexts.gateway.files[result.uri] == b"x" * 3_000_000
    assert [(metric.name, metric.value) for metric in context.log.take_metrics()] == [("response.length", 3_000_000.0)]
    assert list(context.working_directory.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "properties", "name"),
    [
        ("/file/report.csv", {}, "report.csv"),
        ("/file/..%2Fodd name;.csv", {}, "odd_name_.csv"),
        ("/data/5", {}, "5"),
        ("/data/5", {"saveAs": "{{ n }}.txt"}, "mine.txt"),
    ],
)
def test_download_file_is_named_by_flow_server_or_address(
    contexts: RunContextFactory, http_server: HttpServer, path: str, properties: dict[str, Any], name: str
) -> None:
    result = download(http_server.url + path, **properties).run(contexts.of({"n": "mine"}))
    assert result.uri.rsplit("/", 1)[1] == name


def test_download_empty_answer_fails_unless_accepted(contexts: RunContextFactory, http_server: HttpServer) -> None:
    with pytest.raises(HttpError, match="answered with nothing"):
        download(f"{http_server.url}/empty").run(contexts.of())
    result = download(f"{http_server.url}/empty", failOnEmptyResponse=False).run(contexts.of())
    assert result.length == 0
    assert contexts.gateway.files[result.uri] == b""


def test_download_error_status_fails(contexts: RunContextFactory, http_server: HttpServer) -> None:
    with pytest.raises(HttpError, match="status 404"):
        download(f"{http_server.url}/status/404").run(contexts.of())
