"""The client's calls about apps and assets."""

from __future__ import annotations

from tests.sdk_client.conftest import TENANT, Sdk


def test_lists_of_apps_and_assets_are_read(sdk: Sdk) -> None:
    """API-120, API-121, API-201."""
    pages = [
        sdk.api.apps.search_apps(TENANT, page=1, size=10),
        sdk.api.apps.search_apps_from_catalog(TENANT, page=1, size=10),
        sdk.api.assets.search_assets(TENANT, page=1, size=10),
        sdk.api.assets.search_asset_usages(TENANT, page=1, size=10),
        sdk.api.assets.search_asset_lineage_events(TENANT, page=1, size=10),
    ]
    assert [(page.results, page.total) for page in pages] == [([], 0)] * len(pages)
    assert sdk.api.apps.list_tags(TENANT).tags == []
