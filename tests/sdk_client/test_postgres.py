"""The official client against a server on PostgreSQL: what reads and writes the database in ways of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from kestrapy import KestraClient

from tests.sdk_client.conftest import TENANT, Sdk
from tests.sdk_client.flows import FAILING, HELLO
from tests.support.listening import listening_server
from tests.support.live import USER


@pytest.mark.postgres
def test_client_works_with_a_server_on_postgresql(tmp_path: Path, postgres_url: str, strictly: None) -> None:
    """API-200, OPS-018."""
    with listening_server(tmp_path, database=postgres_url) as address:
        client = KestraClient(host=address, username=USER.username, password=USER.password, timeout=20)
        sdk = Sdk(client, "on.postgres")
        sdk.flow(HELLO)
        sdk.flow(FAILING)
        ended = sdk.run("hello", inputs={"name": "Ada"}, labels=["team:a"])
        assert ended.outputs == {"greeting": "Hello Ada"}
        failed = sdk.run("failing")
        labels = [{"field": "LABELS", "operation": "EQUALS", "value": {"team": "a"}}]
        found = client.executions.search_executions(TENANT, filters=[*sdk.here, *labels])
        assert [one["id"] for one in found["results"]] == [ended.id]
        assert client.flows.disable_flows_by_query(TENANT, sdk.here).count == 2
        client.flows.delete_revisions(sdk.namespace, "hello", TENANT, [1])
        errors = [*sdk.here, {"field": "MIN_LEVEL", "operation": "EQUALS", "value": "ERROR"}]
        assert client.logs.search_logs(TENANT, filters=errors).results[0].execution_id == failed.id
        assert client.executions.delete_executions_by_query(TENANT, sdk.here)["count"] == 2
        client.kv.set_key_value(sdk.namespace, "one", TENANT, "1")
        assert client.kv.list_all_keys(TENANT, filters=sdk.here).total == 1
        client._session.close()
