"""The contract every `ObjectStorage` keeps."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from penstock.base.clock import SECOND, SystemClock
from penstock.base.errors import InvalidRequestError, NotFoundError
from penstock.ports.objects import ObjectStorage, path_of

CONTENT = bytes(range(256)) * 1000


class ObjectStorageContract:
    """What holds for every storage. A subclass gives the fixture `storage`."""

    async def test_put_bytes_can_be_read_back_by_the_uri_returned(self, storage: ObjectStorage) -> None:
        """ENG-331."""
        uri = await storage.put("main", "/company/team/a file é 100%.bin", CONTENT)
        assert uri == "kestra:///company/team/a%20file%20%C3%A9%20100%25.bin"
        assert await storage.read("main", path_of(uri)) == CONTENT

    async def test_put_file_and_stream_store_the_same(self, storage: ObjectStorage, tmp_path: Path) -> None:
        source = tmp_path / "source"
        source.write_bytes(CONTENT)

        async def pieces() -> AsyncIterator[bytes]:
            for start in range(0, len(CONTENT), 1000):
                yield CONTENT[start : start + 1000]

        await storage.put("main", "/from-file", source)
        await storage.put("main", "/from-stream", pieces())
        assert await storage.read("main", "/from-file") == await storage.read("main", "/from-stream") == CONTENT
        assert source.exists()

    async def test_put_again_replaces(self, storage: ObjectStorage) -> None:
        await storage.put("main", "/f", b"a longer first text")
        await storage.put("main", "/f", b"second")
        assert await storage.read("main", "/f") == b"second"

    async def test_put_that_breaks_off_leaves_what_was_there(self, storage: ObjectStorage) -> None:
        await storage.put("main", "/f", b"first")

        async def broken() -> AsyncIterator[bytes]:
            yield b"half"
            raise ConnectionError("the sender is gone")

        with pytest.raises(ConnectionError):
            await storage.put("main", "/f", broken())
        assert await storage.read("main", "/f") == b"first"
        assert [info.path for info in await storage.list("main", "/", recursive=True)] == ["/f"]

    async def test_put_by_many_at_once_leaves_one_of_them_whole(self, storage: ObjectStorage) -> None:
        texts = [bytes([65 + number]) * 50_000 for number in range(10)]
        await asyncio.gather(*(storage.put("main", "/d/f", text) for text in texts))
        assert await storage.read("main", "/d/f") in texts
        assert len(await storage.list("main", "/", recursive=True)) == 2

    async def test_stream_gives_pieces_of_the_size_asked_for(self, storage: ObjectStorage) -> None:
        await storage.put("main", "/f", b"x" * 2500)
        assert [len(piece) async for piece in storage.stream("main", "/f", 1000)] == [1000, 1000, 500]

    async def test_fetch_copies_to_the_disk(self, storage: ObjectStorage, tmp_path: Path) -> None:
        await storage.put("main", "/f", CONTENT)
        await storage.fetch("main", "/f", tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == CONTENT

    async def test_missing_file_is_not_found_by_any_read(self, storage: ObjectStorage, tmp_path: Path) -> None:
        await storage.put("main", "/folder/f", b"x")
        for path in ("/missing", "/folder", "/folder/f/below"):
            with pytest.raises(NotFoundError):
                await storage.read("main", path)
            with pytest.raises(NotFoundError):
                await storage.fetch("main", path, tmp_path / "copy")
            with pytest.raises(NotFoundError):
                [piece async for piece in storage.stream("main", path)]
        assert await storage.info("main", "/missing") is None

    async def test_info_tells_size_time_and_kind(self, storage: ObjectStorage) -> None:
        await storage.put("main", "/folder/f", b"abc")
        file, folder = await storage.info("main", "/folder/f"), await storage.info("main", "/folder")
        assert file is not None
        assert folder is not None
        assert (file.path, file.size, file.is_directory) == ("/folder/f", 3, False)
        assert (folder.path, folder.is_directory) == ("/folder", True)
        assert abs(file.modified - SystemClock().now()) < 60 * SECOND

    async def test_list_shows_one_level_or_all_sorted(self, storage: ObjectStorage) -> None:
        for path in ("/a/2", "/a/1", "/a/b/3", "/c"):
            await storage.put("main", path, b"x")
        assert [info.path for info in await storage.list("main", "/a")] == ["/a/1", "/a/2", "/a/b"]
        assert [info.path for info in await storage.list("main", "/a/", recursive=True)] == [
            "/a/1",
            "/a/2",
            "/a/b",
            "/a/b/3",
        ]
        assert list(await storage.list("main", "/nowhere")) == []
        assert list(await storage.list("main", "/c")) == []

    async def test_delete_removes_a_file_or_a_whole_folder(self, storage: ObjectStorage) -> None:
        for path in ("/a/1", "/a/b/2", "/c"):
            await storage.put("main", path, b"x")
        assert await storage.delete("main", "/c")
        assert await storage.delete("main", "/a")
        assert not await storage.delete("main", "/a")
        assert list(await storage.list("main", "/", recursive=True)) == []

    async def test_tenants_do_not_see_each_other(self, storage: ObjectStorage) -> None:
        await storage.put("one", "/f", b"1")
        await storage.put("two", "/f", b"2")
        assert await storage.read("one", "/f") == b"1"
        await storage.delete("one", "/f")
        assert await storage.read("two", "/f") == b"2"

    @pytest.mark.parametrize(
        "path", ["/../f", "/a/../../f", "relative", "", "..", "/a/..", "/nul\0byte", "kestra:///f"]
    )
    async def test_path_that_is_not_plain_is_refused_by_everything(
        self, storage: ObjectStorage, tmp_path: Path, path: str
    ) -> None:
        calls = (
            storage.put("main", path, b"x"),
            storage.read("main", path),
            storage.info("main", path),
            storage.list("main", path),
            storage.delete("main", path),
            storage.fetch("main", path, tmp_path / "copy"),
        )
        for call in calls:
            with pytest.raises(InvalidRequestError):
                await call
        with pytest.raises(InvalidRequestError):
            [piece async for piece in storage.stream("main", path)]

    @pytest.mark.parametrize("tenant", ["", ".", "..", "a/b", "../main"])
    async def test_tenant_that_is_no_name_is_refused(self, storage: ObjectStorage, tenant: str) -> None:
        with pytest.raises(InvalidRequestError):
            await storage.put(tenant, "/f", b"x")

    async def test_file_in_the_way_of_a_folder_is_refused(self, storage: ObjectStorage) -> None:
        await storage.put("main", "/f", b"x")
        await storage.put("main", "/d/g", b"x")
        with pytest.raises(InvalidRequestError):
            await storage.put("main", "/f/below", b"x")
        with pytest.raises(InvalidRequestError):
            await storage.put("main", "/d", b"x")
        assert await storage.read("main", "/f") == b"x"
