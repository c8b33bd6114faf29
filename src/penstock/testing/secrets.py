"""The contract every `SecretManager` keeps."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

from penstock.ports.queries import Filter
from penstock.ports.secrets import SecretManager, SecretName

TOKEN = SecretName("TOKEN", "company", "For the shop", (("owner", "ops"), ("tier", "1")))


class SecretManagerContract:
    """What holds for everything that keeps secrets. A subclass gives the fixture `manager`, with an empty place."""

    async def test_secret_of_the_nearest_namespace_is_found(self, manager: SecretManager) -> None:
        await manager.put("main", "company", TOKEN, "far")
        await manager.put("main", "company.team", SecretName("TOKEN", "company.team"), '{"near": "ü"}')
        assert await manager.find("main", ["company.team", "company"], "TOKEN") == '{"near": "ü"}'
        assert await manager.find("main", ["company.other", "company"], "TOKEN") == "far"
        assert await manager.find("main", ["company.team", "company"], "token") is None
        assert await manager.find("main", ["else"], "TOKEN") is None
        assert await manager.find("other", ["company"], "TOKEN") is None
        assert manager.refusal is None

    async def test_secret_replaced_has_the_new_value_and_is_told_of_anew(self, manager: SecretManager) -> None:
        await manager.put("main", "company", TOKEN, "old")
        assert list(await manager.list("main")) == [TOKEN]
        assert await manager.find("main", ["company"], "TOKEN") == "old"
        plain = SecretName("TOKEN", "company", "Otherwise", (("owner", "all"),))
        await manager.put("main", "company", plain, "new")
        assert list(await manager.list("main")) == [plain]
        assert await manager.find("main", ["company"], "TOKEN") == "new"
        assert await manager.describe("main", "company", TOKEN)
        assert list(await manager.list("main")) == [TOKEN]
        assert await manager.find("main", ["company"], "TOKEN") == "new"
        assert not await manager.describe("main", "company", SecretName("NONE", "company"))

    async def test_secrets_are_listed_by_namespace_and_key(self, manager: SecretManager) -> None:
        for namespace, key, description in (
            ("company.team", "TOKEN", None), ("company", "Z", None), ("company", "A", "of the bank"),
        ):  # fmt: skip
            await manager.put("main", namespace, SecretName(key, namespace, description), "hidden")
        listed = [(one.namespace, one.key) for one in await manager.list("main")]
        assert listed == [("company", "A"), ("company", "Z"), ("company.team", "TOKEN")]
        for given, keys in (
            (Filter("namespace", "EQUALS", "company"), ["A", "Z"]),
            (Filter("namespace", "IN", ["company.team", "company"]), ["A", "Z", "TOKEN"]),
            (Filter("namespace", "PREFIX", "company"), ["A", "Z", "TOKEN"]),
            (Filter("q", "EQUALS", "BANK"), ["A"]),
            (Filter("id", "EQUALS", "Z"), ["Z"]),
        ):
            assert [one.key for one in await manager.list("main", [given])] == keys, given
        assert list(await manager.list("other")) == []

    async def test_secret_deleted_is_gone_and_can_be_set_again(self, manager: SecretManager) -> None:
        await manager.put("main", "company", TOKEN, "first")
        assert not await manager.delete("main", "company.team", "TOKEN")
        assert await manager.delete("main", "company", "TOKEN")
        assert not await manager.delete("main", "company", "TOKEN")
        assert await manager.find("main", ["company"], "TOKEN") is None
        assert list(await manager.list("main")) == []
        await manager.put("main", "company", TOKEN, "second")
        assert await manager.find("main", ["company"], "TOKEN") == "second"
