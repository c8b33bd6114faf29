"""Plugins and blueprints."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from penstock.api.schemas.base import Shape


class PluginElement(Shape):
    """One type of a plugin."""

    cls: str
    deprecated: bool | None = None
    title: str | None = None
    description: str | None = None


class Plugin(Shape):
    """A plugin and the types it brings."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow")

    name: str
    title: str | None = None
    description: str | None = None
    long_description: str | None = None
    group: str | None = None
    version: str | None = None
    categories: list[str] = Field(default_factory=list)
    guides: list[str] = Field(default_factory=list)
    tasks: list[PluginElement] = Field(default_factory=list)
    triggers: list[PluginElement] = Field(default_factory=list)
    conditions: list[PluginElement] = Field(default_factory=list)
    task_runners: list[PluginElement] = Field(default_factory=list)


class PluginIcon(Shape):
    """An icon: SVG, in base64."""

    name: str
    icon: str


class PluginVersions(Shape):
    """The installed versions of a type."""

    type: str
    versions: list[str]


class PluginArtifact(Shape):
    """One version of a plugin in an environment of its own."""

    group_id: str
    artifact_id: str
    version: str


class PluginArtifacts(Shape):
    """Some of them."""

    plugins: list[PluginArtifact]


class PagedPluginArtifacts(Shape):
    """All of them."""

    results: list[PluginArtifact]
    total: int


class PluginArtifactVersions(Shape):
    """The versions of one plugin."""

    group_id: str
    artifact_id: str
    versions: list[str]


class PluginList(Shape):
    """Plugins to install or to remove: `name`, `name==1.2`, `group:name:1.2` or `group:name:LATEST`."""

    plugins: list[str]


class Documentation(Shape):
    """The page of a type: text and JSON Schema."""

    markdown: str
    schema_: dict[str, Any] = Field(alias="schema")


class BlueprintItem(Shape):
    """A document to begin with."""

    id: str
    title: str
    description: str
    tags: list[str]
    included_tasks: list[str]


class Blueprint(BlueprintItem):
    """A document to begin with, and its source."""

    source: str
    kind: Literal["FLOW", "DASHBOARD", "APP"]


class PagedBlueprints(Shape):
    """A page of blueprints."""

    results: list[BlueprintItem]
    total: int


class BlueprintTag(Shape):
    """A tag of blueprints."""

    id: str
    name: str


class BlueprintToKeep(Shape):
    """A blueprint of one's own."""

    title: str
    source: str
    description: str | None = None
    tags: list[str] | None = None


class BlueprintTemplate(Shape):
    """What a blueprint with arguments asks of who uses it."""

    source: str
    template_arguments: dict[str, Any] = Field(description="Inputs by id.")


class OwnBlueprintItem(Shape):
    """A blueprint of one's own."""

    id: str
    title: str
    description: str | None = None
    tags: list[str]
    included_tasks: list[str]
    published_at: datetime
    deleted: bool
    template: BlueprintTemplate | None = None


class OwnBlueprint(OwnBlueprintItem):
    """A blueprint of one's own, and its source."""

    source: str
    flow: str = Field(description="The source, under its older name.")
    kind: Literal["FLOW"]


class PagedOwnBlueprints(Shape):
    """A page of one's own blueprints."""

    results: list[OwnBlueprintItem]
    total: int


class TemplateArguments(Shape):
    """The arguments of a blueprint."""

    template_arguments_inputs: dict[str, Any] | None = None


class BlueprintDraft(TemplateArguments):
    """A blueprint that is being written, and arguments to try it with."""

    source: str


class GeneratedFlow(Shape):
    """The flow that a blueprint makes."""

    generated_flow_source: str
