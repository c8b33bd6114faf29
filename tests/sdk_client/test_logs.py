"""The official client's methods for logs (API-103)."""

from __future__ import annotations

import pytest
from kestrapy.exceptions import NotFoundException

from tests.sdk_client.conftest import TENANT, Sdk
from tests.sdk_client.flows import FAILING, HELLO


def test_list_logs_from_execution_selects_them(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    ended = sdk.run("hello")
    lines = sdk.api.logs.list_logs_from_execution(ended.id, TENANT, task_id="said")
    assert [(line.message, line.level.value) for line in lines] == [("Hello World", "INFO")]
    run = ended.task_run_list[1].id
    assert len(sdk.api.logs.list_logs_from_execution(ended.id, TENANT, task_run_id=run, attempt=1)) == 1
    assert sdk.api.logs.list_logs_from_execution(ended.id, TENANT, min_level="ERROR") == []


def test_download_logs_from_execution_is_a_text(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    assert "Hello World" in sdk.api.logs.download_logs_from_execution(sdk.run("hello").id, TENANT, min_level="INFO")


def test_delete_logs_from_execution_leaves_none(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    ended = sdk.run("hello").id
    sdk.api.logs.delete_logs_from_execution(ended, TENANT)
    assert sdk.api.logs.list_logs_from_execution(ended, TENANT) == []
    with pytest.raises(NotFoundException):
        sdk.api.logs.delete_logs_from_execution("none", TENANT)


def test_delete_logs_from_flow_takes_those_of_a_trigger(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    ended = sdk.run("hello").id
    sdk.api.logs.delete_logs_from_flow(sdk.namespace, "hello", "none", TENANT)
    assert sdk.api.logs.list_logs_from_execution(ended, TENANT)


def test_follow_logs_from_execution_ends_with_it(sdk: Sdk) -> None:
    """API-024."""
    sdk.flow(HELLO)
    started = sdk.start("hello").id
    messages = [line.message for line in sdk.api.logs.follow_logs_from_execution(started, TENANT, min_level="INFO")]
    assert "Hello World" in messages


def test_search_logs_filters_and_pages(sdk: Sdk) -> None:
    sdk.flow(FAILING)
    failed = sdk.run("failing").id
    errors = [*sdk.here, {"field": "MIN_LEVEL", "operation": "EQUALS", "value": "ERROR"}]
    page = sdk.api.logs.search_logs(TENANT, page=1, size=5, sort=["timestamp:desc"], filters=errors)
    assert page.total == len(page.results) == 1
    assert page.results[0].execution_id == failed
