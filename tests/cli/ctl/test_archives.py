"""`penstock migrate export` and `import`: what a server holds in a file, and from there on another."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from penstock.base.errors import InvalidRequestError, NotFoundError
from penstock.cli.migrate import app
from tests.cli.ctl.conftest import Ctl
from tests.support.listening import listening_server

FLOW = "id: kept\nnamespace: NAMESPACE\ntasks:\n  - {id: a, type: io.kestra.plugin.core.log.Log, message: one}\n"


@pytest.fixture(scope="module")
def other_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with listening_server(tmp_path_factory.mktemp("other")) as url:
        yield url


def migrate(ctl: Ctl, *arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env=ctl.variables)


def test_archive_holds_a_server_and_is_copied_to_another(ctl: Ctl, other_url: str, tmp_path: Path) -> None:
    """BEY-047: flows with their revisions, files, pairs, settings, dashboards; of secrets the names."""
    other = Ctl(other_url, {**ctl.variables, "KESTRACTL_HOST": other_url}, ctl.namespace)
    first, second = (FLOW.replace("NAMESPACE", ctl.namespace).replace("one", word) for word in ("one", "two"))
    with ctl.client as client:
        client.post("flows", content=first).raise_for_status()
        client.put(f"flows/{ctl.namespace}/kept", content=second).raise_for_status()
        client.put(f"namespaces/{ctl.namespace}/kv/pair", content='{"a": 1}').raise_for_status()
        settings = {"id": ctl.namespace, "variables": {"colour": "green"}}
        client.put(f"namespaces/{ctl.namespace}", json=settings).raise_for_status()
        secret = {"key": "TOKEN", "value": "never-told"}
        client.put(f"namespaces/{ctl.namespace}/secrets", json=secret).raise_for_status()
    (tmp_path / "ä.txt").write_text("file")
    ctl("nsfiles", "upload", ctl.namespace, "ä.txt", "--path", "deep")

    result = migrate(ctl, "export", "all.zip", "--namespace", ctl.namespace)
    assert result.exit_code == 0, result.exception
    with zipfile.ZipFile("all.zip") as archive:
        assert {f"flows/{ctl.namespace}/kept/{n}.yaml" for n in (1, 2)} <= set(archive.namelist())
        assert json.loads(archive.read("secrets.json"))[ctl.namespace] == ["TOKEN"]
        assert not [name for name in archive.namelist() if b"never-told" in archive.read(name)]
    planned = migrate(other, "import", "all.zip", "--dry-run", "--output", "json")
    assert {one["action"] for one in json.loads(planned.stdout)} == {"created", "left"}
    done = migrate(other, "import", "all.zip")
    assert done.exit_code == 0, done.output
    with other.client as client:
        revisions = client.get(f"flows/{ctl.namespace}/kept/revisions").json()
        assert [one["source"] for one in revisions] == [first, second]
        assert client.get(f"namespaces/{ctl.namespace}/kv/pair").json()["value"] == {"a": 1}
        assert client.get(f"namespaces/{ctl.namespace}").json()["variables"] == {"colour": "green"}
        assert client.get(f"namespaces/{ctl.namespace}/files", params={"path": "deep/ä.txt"}).text == "file"
    again = json.loads(migrate(other, "import", "all.zip", "--output", "json").stdout)
    assert {one["action"] for one in again} == {"unchanged", "left"}


def test_file_that_is_no_archive_is_refused(ctl: Ctl, tmp_path: Path) -> None:
    """BEY-047."""
    assert isinstance(migrate(ctl, "import", "none.zip").exception, NotFoundError)
    (tmp_path / "text.zip").write_text("text")
    assert isinstance(migrate(ctl, "import", "text.zip").exception, InvalidRequestError)
