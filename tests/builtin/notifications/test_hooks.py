"""Messages of a whole server to web hooks."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.builtin.notifications.chats import TeamsExecution
from penstock.builtin.notifications.report import Report
from penstock.testing.run_context import RunContextFactory
from tests.builtin.notifications.conftest import Sink
from tests.support.flows import CORE, run_tasks
from tests.support.live import LiveServer

SLACK = "io.kestra.plugin.slack.notifications.Slack"
FAIL = {"id": "boom", "type": f"{CORE}execution.Fail"}


async def test_slack_message_is_text_or_payload(server: LiveServer, sink: Sink) -> None:
    """OPS-155."""
    slack = {"type": f"{SLACK}IncomingWebhook", "url": sink.url}
    payload = '{"channel": "#general", "text": "two\nlines of {{ flow.id }}"}'
    ended = await run_tasks(
        server,
        {**slack, "messageText": "said by {{ flow.id }}"},
        {**slack, "payload": payload},
        {**slack, "payload": {"text": "of {{ flow.namespace }}"}},
        {"type": "io.kestra.plugin.teams.TeamsIncomingWebhook", "url": sink.url, "messageText": "a"},
        {"type": "io.kestra.plugin.discord.DiscordIncomingWebhook", "url": sink.url, "content": "b"},
        {"type": "io.kestra.plugin.notifications.slack.SlackIncomingWebhook", "url": sink.url, "messageText": "c"},
    )
    assert ended.state == "SUCCESS", ended.messages
    assert sink.messages == [
        {"text": "said by flow"},
        {"channel": "#general", "text": "two\nlines of flow"},
        {"text": "of team"},
        {"text": "a"},
        {"content": "b"},
        {"text": "c"},
    ]


async def test_slack_execution_among_errors_tells_of_the_failure(server: LiveServer, sink: Sink) -> None:
    """OPS-155, USE-069."""
    alert = {"id": "alert", "type": f"{SLACK}Execution", "url": sink.url, "channel": "#general"}
    ended = await run_tasks(server, FAIL, errors=[{**alert, "customFields": {"On call": "Ada"}}])
    assert ended.state == "FAILED"
    [message] = sink.messages
    assert message["text"] == f"team.flow: execution {ended.id} is FAILED"
    assert message["channel"] == "#general"
    facts = {one["title"]: one["value"] for one in message["attachments"][0]["fields"]}
    assert facts.pop("Duration").startswith("PT")
    assert facts.pop("Started").endswith("Z")
    assert facts == {
        "Namespace": "team",
        "Flow": "flow",
        "Execution": ended.id,
        "State": "FAILED",
        "Failed tasks": "boom",
        "On call": "Ada",
    }


async def test_slack_execution_after_an_exit_tells_in_which_state_the_execution_ends(
    server: LiveServer, sink: Sink
) -> None:
    alert = {"id": "alert", "type": f"{SLACK}Execution", "url": sink.url}
    leave = {"id": "leave", "type": "io.kestra.plugin.core.execution.Exit", "state": "WARNING"}
    ended = await run_tasks(server, FAIL, errors=[leave], **{"finally": [alert]})
    assert ended.state == "WARNING"
    [message] = sink.messages
    assert message["text"] == f"team.flow: execution {ended.id} is WARNING"


async def test_execution_hook_tells_of_another_execution(server: LiveServer, sink: Sink) -> None:
    """USE-069."""
    watched = await run_tasks(server, {"type": f"{CORE}log.Log", "message": "hello"}, id="watched")
    about = {"url": sink.url, "executionId": watched.id}
    ended = await run_tasks(
        server,
        {"type": f"{SLACK}Execution", **about},
        {"type": "io.kestra.plugin.discord.DiscordExecution", **about, "content": "look"},
        {"type": "io.kestra.plugin.teams.TeamsExecution", **about},
    )
    assert ended.state == "SUCCESS", ended.messages
    slack, discord, teams = sink.messages
    title = f"team.watched: execution {watched.id} is SUCCESS"
    assert (slack["text"], discord["content"], teams["title"]) == (title, "look", title)
    assert slack["attachments"][0]["color"] == "#2EB67D"
    assert discord["embeds"][0]["title"] == title
    assert {"name": "Execution", "value": watched.id} in teams["sections"][0]["facts"]
    refused = await run_tasks(server, {"type": f"{SLACK}Execution", **about, "executionId": "none"})
    assert refused.state == "FAILED"
    assert len(sink.messages) == 3


async def test_message_that_is_not_taken_fails_without_telling_the_address(server: LiveServer, sink: Sink) -> None:
    """OPS-155."""
    sink.status = 404
    slack = {"type": f"{SLACK}IncomingWebhook", "url": sink.url, "messageText": "a"}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "answered with status 404"),
        ({"url": "http://127.0.0.1:1/s3cret-path"}, "does not answer"),
        ({"payload": "{"}, "`payload` is no JSON"),
        ({"payload": "[1]"}, "`payload` is no map"),
        ({"messageText": None}, "nothing to send"),
    ]
    for properties, said in wrong:
        ended = await run_tasks(server, {**slack, **properties})
        assert ended.state == "FAILED"
        assert any(said in message for message in ended.messages), ended.messages
        assert not any("s3cret-path" in message for message in ended.messages)
    allowed = await run_tasks(server, {**slack, "options": {"allowFailed": True}})
    assert allowed.state == "SUCCESS"


@pytest.mark.parametrize(("address", "link"), [("https://flows.example.com/", True), (None, False)])
def test_report_links_to_the_execution_where_the_address_is_known(address: str | None, link: bool) -> None:
    """OPS-056."""
    found = {"id": "e1", "namespace": "team", "flowId": "flow", "state": "WARNING", "startDate": "2030-01-31T08:00:00Z",
             "duration": "PT1S", "failedTasks": [], "error": None}  # fmt: skip
    task = TeamsExecution.model_validate({"id": "tell", "type": TeamsExecution.type_name, "url": "http://host/"})
    with RunContextFactory({"executionReport": lambda **_: found}) as contexts:
        context = contexts.of({"kestra": {"url": address} if address else {}})
        report: Report = task.report(context)
        card = task.told(context, report)
    assert (report.link == "https://flows.example.com/ui/executions/team/flow/e1") is link
    assert ("potentialAction" in card) is link
