"""Discord and Microsoft Teams: a message, or a report of an execution, in a channel."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from penstock.builtin.notifications.hooks import ExecutionHook, MessageHook, filled
from penstock.builtin.notifications.report import Report
from penstock.sdk import PluginModel, Property, RunContext


class _DiscordLooks(PluginModel):
    content: Property[str] | None = Field(None, description="The message's text.")
    username: Property[str] | None = Field(None, description="Whose message it is shown to be.")
    avatar_url: Property[str] | None = Field(None, description="A picture beside it.")

    def looks(self, context: RunContext) -> dict[str, Any]:
        """Return what of these is set."""
        return filled(
            content=context.render(self.content),
            username=context.render(self.username),
            avatar_url=context.render(self.avatar_url),
        )


class DiscordIncomingWebhook(_DiscordLooks, MessageHook):
    """Send a message to a channel of Discord.

    ```yaml
    - id: tell
      type: io.kestra.plugin.discord.DiscordIncomingWebhook
      url: "{{ secret('DISCORD_WEBHOOK') }}"
      content: "{{ flow.id }} is done."
    ```
    """

    type_name = "io.kestra.plugin.discord.DiscordIncomingWebhook"
    type_aliases = ("io.kestra.plugin.notifications.discord.DiscordIncomingWebhook",)

    def given(self, context: RunContext) -> dict[str, Any]:
        """Return the payload, over the properties."""
        return {**self.looks(context), **super().given(context)}

    def worded(self, text: str) -> dict[str, Any]:
        """Return the message that a text is."""
        return {"content": text}


class DiscordExecution(_DiscordLooks, ExecutionHook):
    """Tell a channel of Discord what came of an execution, with a link to its page.

    ```yaml
    - id: tell
      type: io.kestra.plugin.discord.DiscordExecution
      url: "{{ secret('DISCORD_WEBHOOK') }}"
      executionId: "{{ trigger.executionId }}"
    ```
    """

    type_name = "io.kestra.plugin.discord.DiscordExecution"
    type_aliases = ("io.kestra.plugin.notifications.discord.DiscordExecution",)

    def told(self, context: RunContext, report: Report) -> dict[str, Any]:
        """Return the message: a line, and the facts as an embed."""
        facts = [{"name": name, "value": value, "inline": len(value) < 40} for name, value in report.facts.items()]
        embed = filled(title=report.title, url=report.link, color=int(report.color[1:], 16), fields=facts)
        return {"content": report.title, **self.looks(context), "embeds": [embed]}


class TeamsIncomingWebhook(MessageHook):
    """Send a message to a channel of Microsoft Teams.

    ```yaml
    - id: tell
      type: io.kestra.plugin.teams.TeamsIncomingWebhook
      url: "{{ secret('TEAMS_WEBHOOK') }}"
      messageText: "{{ flow.id }} is done."
    ```
    """

    type_name = "io.kestra.plugin.teams.TeamsIncomingWebhook"
    type_aliases = (
        "io.kestra.plugin.notifications.teams.TeamsIncomingWebhook",
        "io.kestra.plugin.microsoft365.teams.TeamsIncomingWebhook",
    )


class TeamsExecution(ExecutionHook):
    """Tell a channel of Microsoft Teams what came of an execution, with a link to its page.

    ```yaml
    - id: tell
      type: io.kestra.plugin.teams.TeamsExecution
      url: "{{ secret('TEAMS_WEBHOOK') }}"
      executionId: "{{ trigger.executionId }}"
    ```
    """

    type_name = "io.kestra.plugin.teams.TeamsExecution"
    type_aliases = (
        "io.kestra.plugin.notifications.teams.TeamsExecution",
        "io.kestra.plugin.microsoft365.teams.TeamsExecution",
    )

    theme_color: Property[str] | None = Field(None, description="The card's colour; that of the state by default.")

    def told(self, context: RunContext, report: Report) -> dict[str, Any]:
        """Return the message: a card with the facts, and a button that leads to the page."""
        facts = [{"name": name, "value": value} for name, value in report.facts.items()]
        card: dict[str, Any] = {
            "@type": "MessageCard",
            "@context": "https://schema.org/extensions",
            "themeColor": context.render(self.theme_color) or report.color[1:],
            "summary": report.title,
            "title": report.title,
            "sections": [{"facts": facts}],
        }
        if report.link:
            target = {"os": "default", "uri": report.link}
            card["potentialAction"] = [{"@type": "OpenUri", "name": "Open the execution", "targets": [target]}]
        return card
