"""Slack: a message, or a report of an execution, in a channel."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from penstock.builtin.notifications.hooks import ExecutionHook, MessageHook, filled
from penstock.builtin.notifications.report import Report
from penstock.sdk import Property, RunContext


class SlackIncomingWebhook(MessageHook):
    """Send a message to Slack, or to what takes messages as Slack does.

    ```yaml
    errors:
      - id: alert
        type: io.kestra.plugin.slack.notifications.SlackIncomingWebhook
        url: "{{ secret('SLACK_WEBHOOK') }}"
        messageText: "Execution {{ execution.id }} of {{ flow.namespace }}.{{ flow.id }} has failed."
    ```

    Implements OPS-155.
    """

    type_name = "io.kestra.plugin.slack.notifications.SlackIncomingWebhook"
    type_aliases = (
        "io.kestra.plugin.slack.SlackIncomingWebhook",
        "io.kestra.plugin.notifications.slack.SlackIncomingWebhook",
    )


class SlackExecution(ExecutionHook):
    """Tell a channel of Slack what came of an execution, with a link to its page.

    ```yaml
    tasks:
      - id: alert
        type: io.kestra.plugin.slack.notifications.SlackExecution
        url: "{{ secret('SLACK_WEBHOOK') }}"
        channel: "#general"
        executionId: "{{ trigger.executionId }}"
    ```

    Implements OPS-155.
    """

    type_name = "io.kestra.plugin.slack.notifications.SlackExecution"
    type_aliases = ("io.kestra.plugin.slack.SlackExecution", "io.kestra.plugin.notifications.slack.SlackExecution")

    channel: Property[str] | None = Field(None, description="The channel; the web hook's own by default.")
    username: Property[str] | None = Field(None, description="Whose message it is shown to be.")
    icon_url: Property[str] | None = Field(None, description="A picture beside it.")
    icon_emoji: Property[str] | None = Field(None, description="An emoji beside it.")
    message_text: Property[str] | None = Field(None, description="The same as `customMessage`.")

    def told(self, context: RunContext, report: Report) -> dict[str, Any]:
        """Return the message: a line, and the facts as an attachment."""
        facts = [{"title": name, "value": value, "short": len(value) < 40} for name, value in report.facts.items()]
        attachment = {"color": report.color, "fallback": report.title, "fields": facts}
        if report.link:
            attachment |= {"title": "Open the execution", "title_link": report.link}
        return filled(
            text=context.render(self.message_text) or report.title,
            channel=context.render(self.channel),
            username=context.render(self.username),
            icon_url=context.render(self.icon_url),
            icon_emoji=context.render(self.icon_emoji),
            attachments=[attachment],
        )
