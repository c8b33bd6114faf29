"""Objects of Cloud Storage, on a server that speaks as it does."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from penstock.builtin.gcp.account import GcpError
from penstock.builtin.gcp.changed_objects import Trigger
from penstock.builtin.gcp.objects import Copy, Delete, DeleteList, Download, Downloads, List, Upload
from penstock.sdk import TriggerEvent
from penstock.testing.run_context import RunContextFactory
from tests.builtin.messages.conftest import Bench
from tests.builtin.polling.conftest import Polled


def put(bucket: Any, *names: str) -> None:
    for name in names:
        bucket.blob(name).upload_from_string(name.encode())


def names(bucket: Any) -> list[str]:
    return [blob.name for blob in bucket.list_blobs()]


def test_upload_then_download_gives_the_file_and_what_is_known_of_it(
    bench: Bench, account: dict[str, Any], bucket: Any
) -> None:
    """ENG-309."""
    context = bench.context()
    uri = context.put_bytes(b"a,b\n", "rows.csv")
    to = f"gs://{bucket.name}/2026/january.csv"
    known = {"contentType": "text/csv", "metadata": {"origin": "shop"}}
    stored = bench.made(Upload, **account, **{"from": uri}, to=to, **known).run(context)
    assert (stored.uri, stored.bucket, stored.name, stored.size) == (to, bucket.name, "2026/january.csv", 4)
    found = bench.made(Download, **account, **{"from": to}).run(context)
    assert bench.contexts.gateway.files[found.uri] == b"a,b\n"
    assert (found.content_type, found.metadata, found.generation) == ("text/csv", {"origin": "shop"}, stored.generation)


def test_copy_and_delete_move_an_object(bench: Bench, account: dict[str, Any], bucket: Any) -> None:
    """ENG-309."""
    put(bucket, "a", "b")
    at = f"gs://{bucket.name}"
    copied = bench.run(Copy, **account, **{"from": f"{at}/a"}, to=f"{at}/old/a", delete=True)
    assert copied.name == "old/a"
    assert bucket.blob("old/a").download_as_bytes() == b"a"
    deleted = [bench.run(Delete, **account, uri=f"{at}/b").deleted for _ in range(2)]
    assert deleted == [True, False]
    assert names(bucket) == ["old/a"]


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({}, ["new/a.csv", "new/b.txt"]),
        ({"listingType": "RECURSIVE"}, ["new/a.csv", "new/b.txt", "new/sub/c.csv"]),
        ({"listingType": "RECURSIVE", "regExp": r".*\.csv"}, ["new/a.csv", "new/sub/c.csv"]),
        ({"maxFiles": 1}, ["new/a.csv"]),
        ({"filter": "DIRECTORY"}, []),
    ],
)
def test_list_gives_the_objects_that_are_meant(
    bench: Bench, account: dict[str, Any], bucket: Any, properties: dict[str, Any], expected: list[str]
) -> None:
    """ENG-309."""
    put(bucket, "new/a.csv", "new/b.txt", "new/sub/c.csv", "old/d.csv")
    found = bench.run(List, **account, **{"from": f"gs://{bucket.name}/new/"}, **properties)
    assert [one.name for one in found.blobs] == expected


def test_downloads_moves_what_it_has_stored(bench: Bench, account: dict[str, Any], bucket: Any) -> None:
    """ENG-309."""
    put(bucket, "new/a", "new/b")
    at = f"gs://{bucket.name}"
    moving = {"from": f"{at}/new/", "action": "MOVE"}
    with pytest.raises(GcpError, match="moved to"):
        bench.run(Downloads, **account, **moving)
    found = bench.run(Downloads, **account, **moving, moveDirectory=f"{at}/old")
    assert [bench.contexts.gateway.files[found.output_files[name]] for name in ("a", "b")] == [b"new/a", b"new/b"]
    assert names(bucket) == ["old/a", "old/b"]
    gone = bench.run(DeleteList, **account, **{"from": f"{at}/old/"})
    assert (gone.count, gone.size) == (2, 10)
    with pytest.raises(GcpError, match="no object to delete"):
        bench.run(DeleteList, **account, **{"from": f"{at}/old/"}, errorOnEmpty=True)


def contents(bench: Bench, event: TriggerEvent | None) -> list[bytes]:
    assert event is not None
    assert event.variables["blobs"] == event.variables["objects"]
    return [bench.contexts.gateway.files[one["uri"]] for one in event.variables["objects"]]


def test_trigger_that_deletes_gives_objects_again_until_it_is_acknowledged(
    bench: Bench, account: dict[str, Any], bucket: Any
) -> None:
    """ENG-270, ENG-307, ENG-309."""
    put(bucket, "new/a", "new/b")
    known = {**account, "from": f"gs://{bucket.name}/new/", "action": "DELETE"}
    lost, found = bench.poll(Trigger, **known), bench.poll(Trigger, **known)
    assert contents(bench, found) == [b"new/a", b"new/b"]
    assert lost is not None
    assert found is not None
    assert lost.key == found.key
    found.acknowledge()
    assert names(bucket) == []
    assert bench.poll(Trigger, **known) is None


def test_trigger_that_leaves_objects_gives_each_content_once(account: dict[str, Any], bucket: Any) -> None:
    """ENG-309."""
    pairs: dict[str, Any] = {}

    def store(key: str, value: Any, **_: Any) -> None:
        pairs[key] = value

    with RunContextFactory({"kv": lambda key, **_: pairs.get(key), "kvSet": store}) as contexts:
        bench = Bench(contexts)
        known = {**account, "from": f"gs://{bucket.name}/", "action": "NONE"}
        put(bucket, "a")
        event = bench.poll(Trigger, **known)
        assert contents(bench, event) == [b"a"]
        assert event is not None
        event.acknowledge()
        assert bench.poll(Trigger, **known) is None
        bucket.blob("a").upload_from_string(b"changed")
        assert contents(bench, bench.poll(Trigger, **known)) == [b"changed"]


def test_storage_wrong_properties_say_what_is_wrong(bench: Bench, account: dict[str, Any], bucket: Any) -> None:
    key = json.loads(account["serviceAccount"])
    nobody = json.dumps({**key, "token_uri": key["token_uri"].replace("/token", "/none")})
    for properties, said in (
        ({"from": f"gs://{bucket.name}/none"}, "no such"),
        ({"from": "s3://b/a"}, "no address"),
        ({"serviceAccount": "s3cret-word"}, "not the key"),
        ({"serviceAccount": json.dumps({**key, "private_key": "s3cret-word"})}, "not the key"),
        ({"serviceAccount": nobody}, "not allowed"),
    ):
        with pytest.raises(GcpError, match=said) as caught:
            bench.run(Download, **{**account, "from": f"gs://{bucket.name}/a", **properties})
        assert caught.value.hint
        assert "s3cret-word" not in str(caught.value)


async def test_trigger_of_a_server_starts_an_execution_with_the_objects(
    polled: Polled, account: dict[str, Any], bucket: Any
) -> None:
    """ENG-309."""
    await asyncio.to_thread(put, bucket, "a")
    await polled.flow(
        f"type: io.kestra.plugin.gcp.gcs.Trigger, interval: PT1S, from: 'gs://{bucket.name}/', action: DELETE, "
        f"endpointOverride: '{account['endpointOverride']}', serviceAccount: {json.dumps(account['serviceAccount'])}"
    )
    [found] = await polled.executions(1)
    assert found.trigger is not None
    assert [one["name"] for one in found.trigger.variables["objects"]] == ["a"]
