"""The official client's methods for blueprints (API-111)."""

from __future__ import annotations

import pytest
from kestrapy.exceptions import NotFoundException
from kestrapy.models.blueprint_controller_kind import BlueprintControllerKind

from tests.sdk_client.conftest import TENANT, Sdk

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
