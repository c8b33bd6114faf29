"""What keeps the secrets of namespaces: the database, AWS Secrets Manager, and either of them behind a cache."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from penstock.base.clock import SECOND, SystemClock
from penstock.base.errors import InvalidRequestError, UnavailableError
from penstock.ports.queries import Filter
from penstock.ports.secrets import SecretManager, SecretName
from penstock.secrets import AwsAccount, AwsSecrets, CachedSecrets, Caching, Selection
from penstock.services.encryption import Encryption
from penstock.services.secrets import SealedSecrets
from penstock.store import open_store
from penstock.testing.secrets import TOKEN, SecretManagerContract
from tests.builtin.aws.conftest import aws_url
from tests.support.live import live_server

__all__ = ["aws_url"]
ACCOUNT = {"region": "eu-west-1", "access_key": "reader", "secret_key": "s3cret-word"}


@pytest.fixture
def account(aws_url: str) -> AwsAccount:
    return AwsAccount(endpoint=aws_url, **ACCOUNT)


@pytest.fixture
def aws(account: AwsAccount) -> AwsSecrets:
    return AwsSecrets(account, f"p{uuid.uuid4().hex}")


@pytest.fixture
def client(aws_url: str) -> Iterator[Any]:
    found = boto3.client("secretsmanager", endpoint_url=aws_url, region_name="eu-west-1",
                         aws_access_key_id="reader", aws_secret_access_key="s3cret-word")  # fmt: skip
    yield found
    found.close()


class Watch:
    """A clock that is moved by hand."""

    instant = 1_000 * SECOND

    def now(self) -> int:
        return self.instant


@pytest.fixture
async def sealed(tmp_path: Path) -> AsyncIterator[SealedSecrets]:
    clock = SystemClock()
    store = await open_store(f"sqlite:///{tmp_path / 'penstock.db'}", clock)
    yield SealedSecrets(store.secrets, Encryption.passing(), clock)
    await store.close()


class TestDatabase(SecretManagerContract):
    """ENG-374, GOV-231."""

    @pytest.fixture
    def manager(self, sealed: SealedSecrets) -> SecretManager:
        return sealed


class TestAws(SecretManagerContract):
    """ENG-374, GOV-227, GOV-232."""

    @pytest.fixture
    def manager(self, aws: AwsSecrets) -> SecretManager:
        return aws


class TestCache(SecretManagerContract):
    """GOV-228."""

    @pytest.fixture
    def manager(self, sealed: SealedSecrets) -> SecretManager:
        return CachedSecrets(sealed, Caching(10, 60 * SECOND), SystemClock())


async def test_cached_value_is_told_until_it_expires_or_there_are_too_many(sealed: SealedSecrets) -> None:
    """GOV-228."""
    clock = Watch()
    cached = CachedSecrets(sealed, Caching(1, 60 * SECOND), clock)
    await sealed.put("main", "company", TOKEN, "old")
    assert await cached.find("main", ["company"], "TOKEN") == "old"
    await sealed.put("main", "company", TOKEN, "new")
    assert await cached.find("main", ["company"], "TOKEN") == "old"
    clock.instant += 60 * SECOND
    assert await cached.find("main", ["company"], "TOKEN") == "new"
    await sealed.put("main", "company", TOKEN, "newest")
    await cached.put("main", "company", SecretName("OTHER", "company"), "hidden")
    assert await cached.find("main", ["company"], "OTHER") == "hidden"  # there is room for one
    assert await cached.find("main", ["company"], "TOKEN") == "newest"


async def test_secret_in_aws_says_by_tags_whose_it_is(aws: AwsSecrets, account: AwsAccount, client: Any) -> None:
    """GOV-230, GOV-234: instances share an account."""
    await aws.put("main", "company.team", SecretName("TOKEN", "company.team", "For us", (("owner", "ops"),)), "hidden")
    [found] = client.list_secrets(Filters=[{"Key": "name", "Values": [aws.prefix]}])["SecretList"]
    tags = {tag["Key"]: tag["Value"] for tag in found["Tags"]}
    assert found["Name"] == f"{aws.prefix}/main/company/team/TOKEN"
    assert tags == {
        "namespace": "company.team", "key": "TOKEN", "prefix": aws.prefix, "tenant": "main", "owner": "ops"
    }  # fmt: skip
    other = AwsSecrets(account, "another")
    assert await other.find("main", ["company.team"], "TOKEN") is None
    by_hand = [{"Key": name, "Value": tags[name]} for name in ("namespace", "prefix")]
    name = f"by-hand-{aws.prefix}"
    client.create_secret(Name=name, SecretBinary=b"bytes", Tags=[*by_hand, {"Key": "key", "Value": "HAND"}])
    assert await aws.find("main", ["company.team"], "HAND") == "bytes"
    assert await aws.delete("main", "company.team", "HAND")


async def test_secrets_of_others_in_aws_are_picked_and_not_written(account: AwsAccount, client: Any) -> None:
    """GOV-248, GOV-249, GOV-250."""
    mark = uuid.uuid4().hex
    marked = [{"Key": "mark", "Value": mark}]
    client.create_secret(Name=f"{mark}-db", SecretString="for all", Tags=marked)
    tags = [{"Key": "namespace", "Value": "company"}, {"Key": "key", "Value": "db"}]
    client.create_secret(Name=f"other-{mark}", SecretString="for one", Tags=[*marked, *tags])
    client.create_secret(Name=f"{mark}-api", SecretString="unmarked")
    by_tags = AwsSecrets(account, selection=Selection(tags={"mark": mark}))
    assert [(one.namespace, one.key) for one in await by_tags.list("main")] == [(None, f"{mark}-db"), ("company", "db")]
    assert await by_tags.find("main", ["company"], "db") == "for one"
    assert await by_tags.find("main", ["company"], f"{mark}-api") is None
    by_name = AwsSecrets(account, selection=Selection(name_prefix=f"{mark}-"))
    within = Filter("namespace", "IN", ["else"])
    assert [one.key for one in await by_name.list("main", [within])] == ["api", "db"]
    assert await by_name.find("main", ["else"], "db") == "for all"
    kept = AwsSecrets(account, selection=Selection(name_prefix=f"{mark}-", keeps_prefix=True))
    assert await kept.find("main", ["else"], f"{mark}-db") == "for all"
    for manager in (by_tags, by_name, kept):
        assert manager.refusal is not None


async def test_aws_that_cannot_answer_says_what_is_wrong(aws: AwsSecrets, account: AwsAccount) -> None:
    broken = AwsSecrets(AwsAccount(endpoint="http://127.0.0.1:1", **ACCOUNT))
    with pytest.raises(UnavailableError, match="AWS Secrets Manager") as caught:
        await broken.find("main", ["company"], "TOKEN")
    assert "s3cret-word" not in str(caught.value)
    for wrong in (Filter("created", "EQUALS", "now"), Filter("id", "REGEX", "x")):
        await aws.put("main", "company", TOKEN, "hidden")
        with pytest.raises(InvalidRequestError):
            await aws.list("main", [wrong])


async def test_server_whose_secrets_aws_keeps_writes_reads_and_names_them(
    aws: AwsSecrets, tmp_path: Path, client: Any
) -> None:
    """ENG-374, GOV-227, GOV-247."""
    flow = """{id: reader, namespace: company.team, tasks: [
      {id: tell, type: io.kestra.plugin.core.debug.Return, format: "{{ secret('TOKEN', subkey='user') | length }}"}]}"""
    place = "/api/v1/main/namespaces/company/secrets"
    async with live_server(tmp_path, secret_manager=aws) as server:
        answer = await server.client.put(place, json={"key": "TOKEN", "value": '{"user": "12345"}'})
        assert answer.json() == [{"key": "TOKEN", "namespace": "company", "tags": []}]
        page = (await server.client.get(place)).json()
        assert (page["readOnly"], [one["key"] for one in page["results"]]) == (False, ["TOKEN"])
        await server.flow(flow)
        answer = await server.client.post("/api/v1/main/executions/company.team/reader", params={"wait": "true"})
        assert answer.json()["taskRunList"][0]["outputs"] == {"value": "5"}
        assert (await server.client.delete(f"{place}/TOKEN")).status_code == 204
    assert client.list_secrets(Filters=[{"Key": "name", "Values": [aws.prefix]}])["SecretList"] == []
