"""The client's calls about apps and assets."""

from __future__ import annotations

import pytest
from kestrapy.exceptions import NotFoundException

from tests.sdk_client.conftest import TENANT, Sdk


def test_lists_of_apps_are_read(sdk: Sdk) -> None:
    """API-120, API-201."""
    pages = [
        sdk.api.apps.search_apps(TENANT, page=1, size=10),
        sdk.api.apps.search_apps_from_catalog(TENANT, page=1, size=10),
    ]
    assert [(page.results, page.total) for page in pages] == [([], 0)] * len(pages)
    assert sdk.api.apps.list_tags(TENANT).tags == []


ASSET = """id: NAMESPACE.orders
type: TABLE
namespace: NAMESPACE
displayName: Orders
"""


def test_asset_is_kept_found_and_deleted(sdk: Sdk) -> None:
    """API-121, API-201."""
    api, name = sdk.api.assets, f"{sdk.namespace}.orders"
    made = api.create_asset(TENANT, ASSET.replace("NAMESPACE", sdk.namespace))
    assert (made.id, made.type, made.display_name) == (name, "io.kestra.plugin.ee.assets.Table", "Orders")
    assert api.asset(name, TENANT) == made
    assert [one.id for one in api.search_assets(TENANT, page=1, size=5, filters=sdk.here).results] == [name]
    assert [node.id for node in api.asset_dependencies(name, TENANT).nodes] == [name]
    assert api.search_asset_usages(TENANT, page=1, size=5, filters=sdk.here).total == 0
    assert api.search_asset_lineage_events(TENANT, page=1, size=5, filters=sdk.here).total == 0
    assert api.delete_asset_usages_by_query(TENANT, filters=sdk.here).count == 0
    assert api.delete_asset_lineage_events_by_query(TENANT, filters=sdk.here).count == 0
    assert api.delete_assets_by_ids(TENANT, [name]).count == 1
    assert api.asset(name, TENANT, allow_deleted=True).deleted is True
    api.create_asset(TENANT, ASSET.replace("NAMESPACE", sdk.namespace))
    api.delete_asset(name, TENANT)
    assert api.delete_assets_by_query(TENANT, filters=sdk.here, purge=True).count == 1
    with pytest.raises(NotFoundException):
        api.asset(name, TENANT, allow_deleted=True)
