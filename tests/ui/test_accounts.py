"""Accounts of programs, and the API tokens of them and of the reader."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.support.waiting import PATIENCE
from tests.ui.server import Server

pytestmark = pytest.mark.browser


def test_service_account_is_made_its_token_shown_once_and_revoked(page: Page, server: Server) -> None:
    """Implements API-116, ENG-286 in the browser."""
    page.goto("/ui/main/instance/accounts")
    page.get_by_role("button", name="New service account", exact=True).click()
    dialog = page.get_by_role("alertdialog")
    dialog.get_by_label("Name").fill("Deploy!")
    dialog.get_by_role("button", name="New service account", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("small letters, digits and hyphens")
    dialog.get_by_label("Name").fill("deploys-flows")
    dialog.get_by_label("What it is for").fill("Deploys what was merged.")
    dialog.get_by_role("button", name="New service account", exact=True).click()
    account = page.get_by_role("region", name="deploys-flows", exact=True)
    expect(account).to_contain_text("Deploys what was merged.")
    account.get_by_role("button", name="Create token", exact=True).click()
    dialog.get_by_label("Name").fill("pipeline")
    dialog.get_by_role("button", name="Create token", exact=True).click()
    token = dialog.locator("code").inner_text()
    bearer = {"Authorization": f"Bearer {token}"}

    def status() -> int:
        return httpx.get(f"{server.url}/api/v1/main/flows/search", headers=bearer, timeout=PATIENCE).status_code

    assert status() == 200
    dialog.get_by_role("button", name="I have kept it", exact=True).click()
    expect(account).to_contain_text("pipeline")
    expect(page.get_by_text(token)).to_have_count(0)
    account.get_by_role("button", name="Revoke pipeline", exact=True).click()
    dialog.get_by_role("button", name="Revoke", exact=True).click()
    expect(account).to_contain_text("No tokens yet.")
    assert status() == 401
    account.get_by_role("button", name="Switch off", exact=True).click()
    expect(account).to_contain_text("Switched off")
    account.get_by_role("button", name="Delete the account deploys-flows", exact=True).click()
    dialog.get_by_role("button", name="Delete account", exact=True).click()
    expect(account).to_have_count(0)


def test_token_of_ones_own_is_made_in_the_settings(page: Page, server: Server) -> None:
    """Implements API-115 in the browser."""
    page.goto("/ui/main/settings")
    page.get_by_role("button", name="Create token", exact=True).click()
    dialog = page.get_by_role("alertdialog")
    dialog.get_by_label("Name").fill("own-laptop")
    dialog.get_by_label("Good for").select_option("30 days")
    dialog.get_by_role("button", name="Create token", exact=True).click()
    bearer = {"Authorization": f"Bearer {dialog.locator('code').inner_text()}"}
    me = httpx.get(f"{server.url}/api/v1/me", headers=bearer, timeout=PATIENCE)
    assert me.status_code == 200
    dialog.get_by_role("button", name="I have kept it", exact=True).click()
    expect(page.get_by_role("list", name="API tokens")).to_contain_text("own-laptop")
