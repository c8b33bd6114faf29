"""Objects in buckets, on a server that speaks as S3 does."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from penstock.builtin.aws.changed_objects import Trigger
from penstock.builtin.aws.connection import AwsError
from penstock.builtin.aws.listing import DeleteList, Downloads, List
from penstock.builtin.aws.objects import Copy, Delete, Download, Upload
from penstock.sdk import TriggerEvent
from penstock.testing.run_context import RunContextFactory
from tests.builtin.messages.conftest import Bench
from tests.builtin.polling.conftest import Polled


@pytest.fixture
def at(account: dict[str, Any], bucket: str) -> dict[str, Any]:
    """Give the properties of the test's own bucket."""
    return {**account, "bucket": bucket}


def put(s3: Any, bucket: str, *keys: str, content: bytes = b"x") -> None:
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"" if key.endswith("/") else content)


def keys(s3: Any, bucket: str) -> list[str]:
    return [one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", ())]


def test_upload_then_download_gives_the_file_and_what_is_known_of_it(bench: Bench, s3: Any, at: dict[str, Any]) -> None:
    """ENG-309."""
    context = bench.context()
    uri = context.put_bytes(b"a,b\n", "orders.csv")
    more = {"contentType": "text/csv", "metadata": {"origin": "shop"}, "tagging": {"team": "sales"}}
    stored = bench.made(Upload, **at, **more, key="in/orders.csv", **{"from": uri}).run(context)
    assert (stored.bucket, stored.key) == (at["bucket"], "in/orders.csv")
    assert s3.get_object_tagging(Bucket=at["bucket"], Key="in/orders.csv")["TagSet"] == [
        {"Key": "team", "Value": "sales"}
    ]
    found = bench.run(Download, **at, key="in/orders.csv")
    assert bench.contexts.gateway.files[found.uri] == b"a,b\n"
    assert found.uri.endswith("/orders.csv")
    assert found.model_dump(exclude={"uri"}, by_alias=True) == {
        "contentLength": 4,
        "contentType": "text/csv",
        "metadata": {"origin": "shop"},
        "eTag": stored.e_tag,
        "versionId": None,
    }


@pytest.mark.parametrize("as_text", [False, True])
def test_upload_several_files_puts_them_below_the_key(bench: Bench, s3: Any, at: dict[str, Any], as_text: bool) -> None:
    """ENG-309: as a map, or as the text that an expression makes of one."""
    context = bench.context()
    files = {name: context.put_bytes(name.encode(), name) for name in ("a.txt", "sub/b.txt")}
    given = json.dumps(files) if as_text else files
    bench.made(Upload, **at, key="in/", **{"from": given}).run(context)
    assert keys(s3, at["bucket"]) == ["in/a.txt", "in/sub/b.txt"]
    bench.made(Upload, **at, key="list", **{"from": list(files.values())[:1]}).run(context)
    assert keys(s3, at["bucket"])[-1] == "list/a.txt"


def test_list_finds_what_is_asked_for(bench: Bench, s3: Any, at: dict[str, Any]) -> None:
    put(s3, at["bucket"], "in/", "in/a.csv", "in/b.txt", "in/c.csv", "out/d.csv")

    def found(**more: Any) -> list[str]:
        return [one.key for one in bench.run(List, **at, **more).objects]

    assert found(prefix="in/", filter="FILES") == ["in/a.csv", "in/b.txt", "in/c.csv"]
    assert found(filter="DIRECTORY") == ["in/"]
    assert found(prefix="in/") == ["in/", "in/a.csv", "in/b.txt", "in/c.csv"]
    assert found(regexp=r".*/[a-c]\.csv") == ["in/a.csv", "in/c.csv"]
    assert found(maxKeys=1, filter="FILES") == ["in/a.csv"]
    assert found(marker="in/c.csv") == ["out/d.csv"]
    with pytest.raises(AwsError, match="regexp"):
        found(regexp="(")


def test_delete_removes_one_object_and_delete_list_many(bench: Bench, s3: Any, at: dict[str, Any]) -> None:
    put(s3, at["bucket"], "a", "b/1", "b/2", "c")
    bench.run(Delete, **at, key="a")
    deleted = bench.run(DeleteList, **at, prefix="b/")
    assert (deleted.count, deleted.size) == (2, 2)
    assert keys(s3, at["bucket"]) == ["c"]
    with pytest.raises(AwsError, match="no object"):
        bench.run(DeleteList, **at, prefix="b/", errorOnEmpty=True)


def test_copy_keeps_the_first_unless_it_is_to_be_deleted(
    bench: Bench, s3: Any, account: dict[str, Any], bucket: str
) -> None:
    put(s3, bucket, "a")
    origin = {"bucket": bucket, "key": "a"}
    copied = bench.run(Copy, **account, to={"key": "b"}, **{"from": origin})
    assert (copied.bucket, copied.key) == (bucket, "b")
    bench.run(Copy, **account, to={"key": "c"}, delete=True, **{"from": origin})
    assert keys(s3, bucket) == ["b", "c"]
    with pytest.raises(AwsError, match="same object"):
        bench.run(Copy, **account, delete=True, **{"from": {"bucket": bucket, "key": "b"}})


def test_downloads_moves_what_it_has_stored(bench: Bench, s3: Any, at: dict[str, Any]) -> None:
    put(s3, at["bucket"], "in/a", "in/b")
    found = bench.run(Downloads, **at, prefix="in/", action="MOVE", moveTo={"key": "done/"})
    assert {name: bench.contexts.gateway.files[uri] for name, uri in found.output_files.items()} == {
        "a": b"x",
        "b": b"x",
    }
    assert keys(s3, at["bucket"]) == ["done/a", "done/b"]
    with pytest.raises(AwsError, match="moved to"):
        bench.run(Downloads, **at, action="MOVE")


def poll(bench: Bench, **properties: Any) -> TriggerEvent | None:
    return bench.poll(Trigger, **properties)


def found_by(event: TriggerEvent | None) -> list[str]:
    return [] if event is None else [one["key"] for one in event.variables["objects"]]


@pytest.mark.parametrize(
    ("action", "left"),
    [({"action": "DELETE"}, ["b"]), ({"action": "MOVE", "moveTo": {"key": "old"}}, ["b", "old/a"])],
    ids=["delete", "move"],
)
def test_trigger_objects_there_are_stored_and_dealt_with_when_that_is_certain(
    bench: Bench, s3: Any, at: dict[str, Any], action: dict[str, Any], left: list[str]
) -> None:
    """ENG-270, ENG-307, ENG-309."""
    assert poll(bench, **at, **action, prefix="in/") is None
    put(s3, at["bucket"], "in/a", "b")
    lost = poll(bench, **at, **action, prefix="in/")
    again = poll(bench, **at, **action, prefix="in/")
    assert lost is not None
    assert again is not None
    assert lost.key == again.key
    (one,) = again.variables["objects"]
    assert one["key"] == "in/a"
    assert one["size"] == 1
    assert bench.contexts.gateway.files[one["uri"]] == b"x"
    again.acknowledge()
    assert keys(s3, at["bucket"]) == left
    assert poll(bench, **at, **action, prefix="in/") is None


@pytest.fixture
def pairs() -> dict[str, Any]:
    """Give the pairs of the namespace."""
    return {}


@pytest.fixture
def remembering(pairs: dict[str, Any]) -> Any:
    """Give a bench whose server keeps pairs."""

    def store(key: str, value: Any, **_: Any) -> None:
        pairs[key] = value

    with RunContextFactory({"kv": lambda key, **_: pairs.get(key), "kvSet": store}) as contexts:
        yield Bench(contexts)


def test_trigger_without_action_gives_each_version_of_an_object_once(
    remembering: Bench, s3: Any, at: dict[str, Any], pairs: dict[str, Any]
) -> None:
    """ENG-307, ENG-309."""
    look = {**at, "action": "NONE", "stateKey": "seen"}
    put(s3, at["bucket"], "a", "b")
    lost = poll(remembering, **look, maxKeys=1)
    assert found_by(lost) == ["a"]
    assert pairs == {}
    for expected in (["a"], ["b"]):
        event = poll(remembering, **look, maxKeys=1)
        assert found_by(event) == expected
        assert event is not None
        event.acknowledge()
    assert poll(remembering, **look) is None
    put(s3, at["bucket"], "b", content=b"changed")
    assert found_by(poll(remembering, **look)) == ["b"]
    assert found_by(poll(remembering, **look, on="UPDATE")) == ["b"]
    assert poll(remembering, **look, on="CREATE") is None
    s3.delete_object(Bucket=at["bucket"], Key="b")
    assert poll(remembering, **look) is None
    assert list(pairs["seen"]) == ["a"]


def test_role_is_taken_first(bench: Bench, s3: Any, at: dict[str, Any], aws_url: str) -> None:
    put(s3, at["bucket"], "a")
    role = {"stsRoleArn": "arn:aws:iam::123456789012:role/reader", "stsEndpointOverride": aws_url}
    assert bench.run(Download, **at, **role, stsRoleExternalId="partner", key="a").content_length == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"bucket": "no-such-bucket"}, "does not exist"),
        ({"key": "no-such-key"}, "does not exist"),
        ({"endpointOverride": "no address"}, "no address"),
        ({"endpointOverride": "http://127.0.0.1:1"}, "cannot be asked"),
    ],
)
def test_download_wrong_properties_says_what_is_wrong(
    bench: Bench, at: dict[str, Any], monkeypatch: pytest.MonkeyPatch, wrong: dict[str, str], said: str
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(AwsError, match=said) as caught:
        bench.run(Download, **{**at, "key": "a", **wrong})
    assert caught.value.hint
    assert "s3cret-word" not in f"{caught.value} {caught.value.hint}"


async def test_trigger_of_a_server_starts_its_flow_with_the_objects(
    polled: Polled, s3: Any, at: dict[str, Any]
) -> None:
    """ENG-309, ENG-270: what has been seen is remembered by the server."""
    await asyncio.to_thread(put, s3, at["bucket"], "a", content=b"hello")
    where = ", ".join(f"{name}: '{value}'" for name, value in at.items())
    await polled.flow(
        f"type: io.kestra.plugin.aws.s3.Trigger, {where}, action: NONE, interval: PT0.1S",
        task='{id: show, type: io.kestra.plugin.core.debug.Return, format: "{{ read(trigger.objects[0].uri) }}"}',
    )
    (execution,) = await polled.executions(1)
    body = await polled.live.until(execution.id, "SUCCESS")
    assert body["taskRunList"][0]["outputs"]["value"] == "hello"
    await asyncio.to_thread(put, s3, at["bucket"], "b")
    found = await polled.executions(2)
    seen = [found_by(TriggerEvent(one.trigger.variables)) for one in found if one.trigger]
    assert seen == [["a"], ["b"]]
