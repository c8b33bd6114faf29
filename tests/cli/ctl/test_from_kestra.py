"""`penstock migrate from-kestra`: from a live server to another, and from one that answers as older ones do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner, Result

from penstock.base.errors import InvalidRequestError, NotFoundError, PenstockError, UnauthorizedError
from penstock.cli.main import app
from tests.cli.conftest import wait_until
from tests.cli.ctl.conftest import Ctl
from tests.support.listening import listening_server
from tests.support.live import USER

FLOW = """\
id: {id}
namespace: {namespace}
tasks:
  - id: hello # a comment
    type: io.kestra.plugin.core.log.Log
    message: "{{ secret('API_KEY') }}"
triggers:
  - {id: nightly, type: io.kestra.plugin.core.trigger.Schedule, cron: "0 3 1 1 *"}
"""
PAIRS = {
    "text": '"42"', "number": "1.5", "flag": "true", "day": "2026-01-31", "at": "2026-01-31T10:00:00Z",
    "for": "PT1H30M", "json": '{"a": [1, null]}',
}  # fmt: skip


@pytest.fixture(scope="module")
def origin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with listening_server(tmp_path_factory.mktemp("origin")) as url:
        yield url


@pytest.fixture
def origin(ctl: Ctl, origin_url: str) -> Ctl:
    """Return the commands of the server to copy from."""
    return Ctl(origin_url, {**ctl.variables, "KESTRACTL_HOST": origin_url}, ctl.namespace)


def carry(ctl: Ctl, url: str, *arguments: str) -> Result:
    """Copy to the server of `ctl` as somebody known to both."""
    login = {"PENSTOCK_SOURCE_PASSWORD": USER.password}
    command = ["migrate", "from-kestra", "--url", url, "--user", USER.username, *arguments]
    return CliRunner().invoke(app, command, env={**ctl.variables, **login})


def steps(ctl: Ctl, url: str, *arguments: str, code: int = 0) -> dict[tuple[str, str], str]:
    """Return what became of each thing, by kind and name."""
    result = carry(ctl, url, "--output", "json", *arguments)
    assert result.exit_code == code, (result.output, result.exception)
    return {(one["kind"], one["name"]): one["action"] for one in json.loads(result.stdout)}


def fill(origin: Ctl, folder: Path) -> None:
    """Give the origin something of everything."""
    namespace = origin.namespace
    for name in ("one", "two"):
        (folder / f"{name}.yaml").write_text(FLOW.replace("{id}", name).replace("{namespace}", namespace))
    origin("flows", "deploy", "one.yaml", "two.yaml")
    (folder / "files" / "deep").mkdir(parents=True)
    (folder / "files" / "deep" / "ä b.bin").write_bytes(b"\x00\xff")
    origin("nsfiles", "upload", f"{namespace}.below", "files")
    with origin.client as client:
        for key, body in PAIRS.items():
            client.put(f"namespaces/{namespace}/kv/{key}", content=body).raise_for_status()
        about = {"ttl": "PT1H", "description": "soon gone"}
        client.put(f"namespaces/{namespace}/kv/text", content=PAIRS["text"], headers=about).raise_for_status()
        settings = {"id": namespace, "description": "Everything", "variables": {"colour": "green"}}
        client.put(f"namespaces/{namespace}", json=settings).raise_for_status()
    wait_until(lambda: len(origin.json("triggers", "list", namespace)) == 2, "the scheduler to meet the triggers")
    origin("triggers", "disable", namespace, "two", "nightly")


def test_server_is_copied_to_another_again_and_again(ctl: Ctl, origin: Ctl, tmp_path: Path) -> None:
    """BEY-040, BEY-047, MIG-010."""
    namespace = ctl.namespace
    fill(origin, tmp_path)
    arguments = ("--namespace", namespace, "--namespace", f"{namespace}.below")
    expected = {
        ("namespace", namespace): "created",
        ("file", f"{namespace}.below:deep/ä b.bin"): "created",
        **{("pair", f"{namespace}:{key}"): "created" for key in PAIRS},
        ("flow", f"{namespace}.one"): "created",
        ("flow", f"{namespace}.two"): "created",
        ("trigger", f"{namespace}.two.nightly"): "updated",
        ("secret", "API_KEY"): "left",
    }
    assert steps(ctl, origin.url, *arguments, "--dry-run") == expected
    assert "no pairs" in ctl("kv", "list", namespace).stderr
    assert steps(ctl, origin.url, *arguments) == expected
    for command in (
        ("flows", "get", namespace, "one", "--source"),
        ("nsfiles", "get", f"{namespace}.below", "deep/ä b.bin"),
        *(("kv", "get", namespace, key, "--raw") for key in PAIRS),
    ):
        assert ctl(*command).stdout_bytes == origin(*command).stdout_bytes
    [text] = [one for one in ctl.json("kv", "list", namespace) if one["key"] == "text"]
    assert text["description"] == "soon gone"
    assert text["expirationDate"]
    with ctl.client as client:
        assert client.get(f"namespaces/{namespace}").json()["variables"] == {"colour": "green"}
    states = {one["triggerContext"]["flowId"]: one["triggerContext"] for one in ctl.json("triggers", "list", namespace)}
    assert states["two"]["disabled"] is True
    again = steps(ctl, origin.url, *arguments)
    assert set(again.values()) == {"unchanged", "left"}
    assert again.keys() == expected.keys()
    assert "there is nothing to copy" in carry(ctl, origin.url, "--namespace", f"{namespace}.nothing").stderr


def test_what_differs_is_replaced_on_purpose_alone(ctl: Ctl, origin: Ctl, tmp_path: Path) -> None:
    """BEY-040, BEY-047."""
    namespace = ctl.namespace
    for one, value in ((origin, "theirs"), (ctl, "ours")):
        (tmp_path / "one.yaml").write_text(
            f"description: {value}\n{FLOW}".replace("{id}", "one").replace("{namespace}", namespace)
        )
        (tmp_path / "a.txt").write_text(value)
        one("flows", "deploy", "one.yaml")
        one("nsfiles", "upload", namespace, "a.txt")
        one("kv", "set", namespace, "k", value)
    things = {("flow", f"{namespace}.one"), ("file", f"{namespace}:a.txt"), ("pair", f"{namespace}:k")}
    done = steps(ctl, origin.url, "--namespace", namespace, code=1)
    assert {thing for thing, action in done.items() if action == "failed"} == things
    assert ctl("kv", "get", namespace, "k", "--raw").stdout == "ours\n"
    done = steps(ctl, origin.url, "--namespace", namespace, "--override", "--hold-triggers")
    assert {thing for thing, action in done.items() if action == "updated"} >= things
    assert ctl("kv", "get", namespace, "k", "--raw").stdout == "theirs\n"
    assert ctl("nsfiles", "get", namespace, "a.txt").stdout == "theirs"
    assert ctl.json("triggers", "list", namespace)[0]["triggerContext"]["disabled"] is True


def test_dashboards_are_copied_with_everything(ctl: Ctl) -> None:
    """BEY-047."""
    chart = "{id: a, type: io.kestra.plugin.core.dashboard.chart.Markdown, source: {type: Text, content: hi}}"
    source = f"title: Numbers\ncharts:\n  - {chart}\n"
    name = f"numbers-{ctl.namespace}"
    known = {
        "/api/v1/main/flows/search": page(),
        "/api/v1/main/dashboards": page({"id": name, "sourceCode": source}),
    }
    broken = page({"id": "broken", "sourceCode": "charts: 1"})
    with older_server({**known, "/api/v1/main/dashboards": broken}) as url:
        for arguments in (("--dry-run",), ()):
            assert steps(ctl, url, *arguments, code=1) == {("dashboard", "broken"): "failed"}
    with older_server(known) as url:
        for action in ("created", "unchanged"):
            assert steps(ctl, url) == {("dashboard", name): action}
    with ctl.client as client:
        assert client.get(f"dashboards/{name}").json()["sourceCode"] == f"id: {name}\n{source}"


def answers(namespace: str) -> dict[str, Any]:
    """Return what an older server answers by path: no tenants, bare states of triggers, durations as seconds."""
    flow = "id: {id}\nnamespace: {namespace}\ntasks:\n  - {id: a, type: {type}}\n"
    source = flow.replace("{namespace}", namespace)
    good = source.replace("{id}", "good").replace("{type}", "io.kestra.core.tasks.debugs.Return, format: a")
    odd = source.replace("{id}", "odd").replace("{type}", "io.kestra.plugin.ee.azure.Unheard")
    trigger = {"namespace": namespace, "flowId": "good", "triggerId": "poll", "date": "2024-01-01T00:00:00Z"}
    kv = f"/api/v1/namespaces/{namespace}/kv"
    return {
        "/api/v1/flows/search": page({"namespace": namespace, "id": "good"}, {"namespace": namespace, "id": "odd"},
                                     {"namespace": f"{namespace}2", "id": "other"},
                                     {"namespace": namespace, "id": "gone", "deleted": True}),
        f"/api/v1/flows/{namespace}/good": {"source": good},
        f"/api/v1/flows/{namespace}/odd": {"source": odd},
        f"/api/v1/namespaces/{namespace}": {"id": namespace, "disabled": False, "secretType": "VAULT"},
        f"/api/v1/namespaces/{namespace}/secrets": {"readOnly": False, **page({"key": "DB_PASSWORD"})},
        kv: page({"key": "wait"}, {"key": "expired"}, {"key": "fraction"}),
        f"{kv}/wait": {"type": "DURATION", "value": 5400.0},
        f"{kv}/fraction": {"type": "DURATION", "value": 0.25},
        "/api/v1/triggers/search": page({**trigger, "backfill": {"start": "2024-01-01T00:00:00Z"}}),
        "/api/v1/apps/search": {"results": [], "total": 12},
    }  # fmt: skip


def page(*results: Any) -> dict[str, Any]:
    return {"results": list(results), "total": len(results)}


@contextmanager
def older_server(known: dict[str, Any]) -> Iterator[str]:
    """Answer as an older server does, and what is not known with 404; gives the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            body = known.get(parts.path)
            if body is not None and parse_qs(parts.query).get("page", ["1"]) != ["1"]:
                body = {**body, "results": []}
            self.send_response(200 if body is not None else 404)
            self.end_headers()
            error = {"message": "Not Found", "_embedded": {"errors": [{"message": "Page Not Found"}]}}
            self.wfile.write(json.dumps(error if body is None else body).encode())

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()


def test_older_server_is_copied_and_what_cannot_be_is_told(ctl: Ctl) -> None:
    """BEY-047, BEY-051, MIG-010, MIG-020."""
    namespace = ctl.namespace
    with older_server(answers(namespace)) as url:
        for wanted in (("--dry-run",), ()):
            assert steps(ctl, url, "--namespace", namespace, *wanted, code=1) == {
                ("setting", f"{namespace}.secretType"): "left",
                ("pair", f"{namespace}:wait"): "created",
                ("pair", f"{namespace}:fraction"): "created",
                ("flow", f"{namespace}.good"): "created",
                ("flow", f"{namespace}.odd"): "failed",
                ("backfill", f"{namespace}.good.poll"): "left",
                ("secret", "DB_PASSWORD"): "left",
                ("app", "12 in all"): "left",
            }
        told = carry(ctl, url, "--namespace", namespace)
    assert "io.kestra.plugin.ee.azure.Unheard" in told.stdout
    assert "SECRET_DB_PASSWORD" in told.stdout
    assert "flows: 1 unchanged, 1 failed" in told.stderr
    assert ctl.json("kv", "get", namespace, "wait")["value"] == "PT1H30M"
    assert ctl.json("kv", "get", namespace, "fraction")["value"] == "PT0.25S"
    assert USER.password not in told.output


def error(ctl: Ctl, url: str, *arguments: str) -> PenstockError:
    found = carry(ctl, url, *arguments).exception
    assert isinstance(found, PenstockError)
    return found


def test_copy_that_cannot_begin_says_why(ctl: Ctl, origin: Ctl) -> None:
    """BEY-047."""
    with older_server({}) as url:
        assert isinstance(error(ctl, url), NotFoundError)
    refused = error(ctl, origin.url, "--password", "Wrong1234")
    assert isinstance(refused, UnauthorizedError)
    assert "PENSTOCK_SOURCE_PASSWORD" in refused.hint
    assert "itself" in str(error(ctl, ctl.url))
    assert isinstance(error(ctl, origin.url, "--token", "t"), InvalidRequestError)
