"""The official client's methods for blueprints (API-111)."""

from __future__ import annotations

import pytest
from kestrapy.exceptions import NotFoundException
from kestrapy.models.blueprint_controller_api_blueprint_item_with_source import (
    BlueprintControllerApiBlueprintItemWithSource as WithSource,
)
from kestrapy.models.blueprint_controller_flow_blueprint_create_or_update import (
    BlueprintControllerFlowBlueprintCreateOrUpdate as ToKeep,
)
from kestrapy.models.blueprint_controller_kind import BlueprintControllerKind
from kestrapy.models.blueprint_controller_use_blueprint_template_request import (
    BlueprintControllerUseBlueprintTemplateRequest as UseIt,
)

from tests.sdk_client.conftest import TENANT, Sdk

SOURCE = "id: kept\nnamespace: team\ntasks:\n  - {id: one, type: io.kestra.plugin.core.log.Log, message: x}\n"
FLOW = BlueprintControllerKind.FLOW


def test_search_blueprints_finds_by_text_and_tag(sdk: Sdk) -> None:
    page = sdk.api.blueprints.search_blueprints(FLOW, TENANT, q="first", tags=["Getting started"], page=1, size=5)
    assert [one.id for one in page.results] == ["first-flow"]


def test_blueprint_has_source_and_graph(sdk: Sdk) -> None:
    found = sdk.api.blueprints.blueprint("first-flow", FLOW, TENANT)
    assert found.kind is FLOW
    assert sdk.api.blueprints.blueprint_source("first-flow", FLOW, TENANT) == found.source
    assert "root.greet" in [
        node["uid"] for node in sdk.api.blueprints.blueprint_graph("first-flow", FLOW, TENANT)["nodes"]
    ]
    with pytest.raises(NotFoundException):
        sdk.api.blueprints.blueprint("none", FLOW, TENANT)


def test_own_blueprint_is_kept_used_and_deleted(sdk: Sdk) -> None:
    """API-111, by the present methods and those that are deprecated."""
    api, tag = sdk.api.blueprints, sdk.namespace
    made = api.create_flow_blueprint(TENANT, ToKeep(title="Kept", source=SOURCE, tags=[tag]))
    assert api.flow_blueprint_by_id(made.id, TENANT).source == SOURCE
    assert api.flow_blueprint(made.id, TENANT).included_tasks == ["io.kestra.plugin.core.log.Log"]
    changed = api.update_flow_blueprint(made.id, TENANT, ToKeep(title="Changed", source=SOURCE, tags=[tag]))
    assert (changed.title, changed.published_at) == ("Changed", made.published_at)
    page = api.search_internal_blueprints(TENANT, tags=[tag], page=1, size=5)
    assert [(one.id, one.title) for one in page.results] == [(made.id, "Changed")]
    assert api.use_blueprint_template(made.id, TENANT, UseIt()).generated_flow_source == SOURCE
    older = api.update_internal_blueprints(made.id, TENANT, WithSource(title="Older", source=SOURCE))
    assert (older.title, older.flow) == ("Older", SOURCE)
    assert api.internal_blueprint(made.id, TENANT).title == "Older"
    assert api.internal_blueprint_flow(made.id, TENANT) == SOURCE
    api.delete_flow_blueprints(made.id, TENANT)
    other = api.create_internal_blueprints(TENANT, WithSource(title="Other", source=SOURCE))
    api.delete_internal_blueprints(other.id, TENANT)
    with pytest.raises(NotFoundException):
        api.flow_blueprint(other.id, TENANT)
