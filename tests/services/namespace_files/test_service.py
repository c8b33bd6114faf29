"""Namespace files on local storage."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from penstock.base.errors import ConflictError, InvalidRequestError, NotFoundError
from penstock.ports.objects import ObjectStorage
from penstock.services.namespace_files import NamespaceFileService
from penstock.storage import LocalStorage

NS = "company.team"


@pytest.fixture
def storage(tmp_path: Path) -> ObjectStorage:
    return LocalStorage(tmp_path)


@pytest.fixture
def files(storage: ObjectStorage) -> NamespaceFileService:
    return NamespaceFileService(storage)


async def put(files: NamespaceFileService, *paths: str, content: bytes = b"x") -> None:
    for path in paths:
        await files.put("main", NS, path, content)


async def content(files: NamespaceFileService, path: str, revision: int | None = None) -> bytes:
    _, pieces = await files.read("main", NS, path, revision)
    return b"".join([piece async for piece in pieces])


async def paths(files: NamespaceFileService, namespace: str = NS) -> list[str]:
    return list(await files.paths("main", namespace))


async def test_put_stores_where_expressions_look(files: NamespaceFileService, storage: ObjectStorage) -> None:
    """ENG-347, ENG-393."""
    uri = await files.put("main", NS, "/queries//q.sql", b"select 1")
    assert uri == "kestra:///company/team/_files/queries/q.sql"
    assert await storage.read("main", "/company/team/_files/queries/q.sql") == b"select 1"
    assert await paths(files) == ["/queries/q.sql"]


async def test_put_again_makes_revisions_and_the_path_holds_the_latest(files: NamespaceFileService) -> None:
    """ENG-352."""

    async def third() -> AsyncIterator[bytes]:
        yield b"thi"
        yield b"rd"

    await put(files, "a.txt", content=b"first")
    assert await files.revisions("main", NS, "a.txt") == [0]
    assert await content(files, "a.txt", 0) == b"first"
    await put(files, "a.txt", content=b"second")
    await files.put("main", NS, "a.txt", third())
    assert await files.revisions("main", NS, "a.txt") == [0, 1, 2]
    assert [await content(files, "a.txt", n) for n in (0, 1, 2, None)] == [b"first", b"second", b"third", b"third"]
    assert await paths(files) == ["/a.txt"]
    with pytest.raises(NotFoundError, match="revision 3"):
        await content(files, "a.txt", 3)


async def test_put_by_many_at_once_gives_each_a_revision(files: NamespaceFileService) -> None:
    """ENG-352."""
    await asyncio.gather(*(files.put("main", NS, "a.txt", f"{n}".encode()) for n in range(8)))
    assert await files.revisions("main", NS, "a.txt") == list(range(8))
    assert sorted([await content(files, "a.txt", n) for n in range(8)]) == [f"{n}".encode() for n in range(8)]
    assert await content(files, "a.txt") == await content(files, "a.txt", 7)


async def test_put_that_breaks_off_leaves_the_file_and_its_revisions(files: NamespaceFileService) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionError("the sender is gone")

    await put(files, "a.txt", content=b"first")
    with pytest.raises(ConnectionError):
        await files.put("main", NS, "a.txt", broken())
    assert await content(files, "a.txt") == b"first"
    assert await files.revisions("main", NS, "a.txt") == [0]


async def test_file_named_like_a_revision_is_an_ordinary_file(files: NamespaceFileService) -> None:
    await put(files, "a", "a.v1", "v0", "a.v1", "v0")
    assert await paths(files) == ["/a", "/a.v1", "/v0"]
    assert await files.revisions("main", NS, "a") == [0]
    assert await files.revisions("main", NS, "v0") == [0, 1]


async def test_delete_revisions_removes_one_or_all_older_ones(files: NamespaceFileService) -> None:
    """ENG-352."""
    for number in range(5):
        await put(files, "a.txt", content=b"%d" % number)
    assert await files.delete_revisions("main", NS, "a.txt", 3) == 1
    assert await files.delete_revisions("main", NS, "a.txt", 2, older=True) == 2
    assert await files.revisions("main", NS, "a.txt") == [2, 4]
    assert await content(files, "a.txt") == b"4"
    with pytest.raises(InvalidRequestError, match="revision 4 is what"):
        await files.delete_revisions("main", NS, "a.txt", 4)
    with pytest.raises(NotFoundError, match="revision 3"):
        await files.delete_revisions("main", NS, "a.txt", 3)
    await put(files, "a.txt", content=b"5")
    assert await files.revisions("main", NS, "a.txt") == [2, 4, 5]


async def test_directory_shows_folders_first_and_hides_what_keeps_them(files: NamespaceFileService) -> None:
    """API-106."""
    await put(files, "b.txt", "dir/c.txt", content=b"abc")
    await files.create_directory("main", NS, "empty")
    await files.create_directory("main", NS, "empty")
    shown = await files.directory("main", NS, "/")
    assert [(file.path, file.name, file.is_directory, file.size) for file in shown] == [
        ("/dir", "dir", True, 0),
        ("/empty", "empty", True, 0),
        ("/b.txt", "b.txt", False, 3),
    ]
    assert [file.path for file in await files.directory("main", NS, "dir")] == ["/dir/c.txt"]
    assert list(await files.directory("main", NS, "empty")) == []
    assert list(await files.directory("main", "nobody", "")) == []
    for wrong in ("nowhere", "b.txt"):
        with pytest.raises(NotFoundError):
            await files.directory("main", NS, wrong)


async def test_stats_tell_of_files_folders_and_the_root(files: NamespaceFileService) -> None:
    """API-106."""
    assert (await files.stats("main", NS, "")).is_directory
    await put(files, "dir/c.txt", content=b"abc")
    assert (await files.stats("main", NS, "/dir/c.txt")).size == 3
    assert (await files.stats("main", NS, "dir")).is_directory
    with pytest.raises(NotFoundError, match=r"/no in company\.team"):
        await files.stats("main", NS, "no")


async def test_search_finds_paths_in_any_case(files: NamespaceFileService) -> None:
    """API-106."""
    await put(files, "Queries/a.sql", "b.txt", "notes/queries.md")
    assert await files.search("main", NS, "QUER") == ["/Queries/a.sql", "/notes/queries.md"]
    assert await files.search("main", NS, "zzz") == []


async def test_move_takes_files_folders_and_revisions_along(files: NamespaceFileService) -> None:
    """API-106."""
    await put(files, "dir/a.txt", content=b"old")
    await put(files, "dir/a.txt", content=b"new")
    await files.create_directory("main", NS, "dir/empty")
    await files.move("main", NS, "dir", "other/place")
    assert await paths(files) == ["/other/place/a.txt"]
    assert (await files.stats("main", NS, "other/place/empty")).is_directory
    assert await content(files, "other/place/a.txt", 0) == b"old"
    await files.move("main", NS, "other/place/a.txt", "b.txt")
    assert await files.revisions("main", NS, "b.txt") == [0, 1]
    assert await content(files, "b.txt", 0) == b"old"
    assert await content(files, "b.txt") == b"new"
    await put(files, "dir/a.txt")
    assert await files.revisions("main", NS, "dir/a.txt") == [0]


async def test_move_onto_something_or_into_itself_is_refused(files: NamespaceFileService) -> None:
    await put(files, "dir/a.txt", "b.txt")
    with pytest.raises(ConflictError):
        await files.move("main", NS, "b.txt", "dir")
    with pytest.raises(InvalidRequestError):
        await files.move("main", NS, "dir", "dir/deeper")
    with pytest.raises(NotFoundError):
        await files.move("main", NS, "nowhere", "c.txt")
    assert await paths(files) == ["/b.txt", "/dir/a.txt"]


async def test_delete_removes_file_or_folder_with_revisions(
    files: NamespaceFileService, storage: ObjectStorage
) -> None:
    """API-106."""
    await put(files, "dir/a.txt", "dir/a.txt", "b.txt", "b.txt")
    await files.delete("main", NS, "dir")
    await files.delete("main", NS, "b.txt")
    assert await paths(files) == []
    left = await storage.list("main", "/company/team", recursive=True)
    assert [info.path for info in left if not info.is_directory] == []
    with pytest.raises(NotFoundError):
        await files.delete("main", NS, "b.txt")


async def test_delete_last_file_of_a_folder_may_take_the_folder_along(files: NamespaceFileService) -> None:
    await put(files, "a/b/c.txt", "a/d.txt", "keep/e.txt")
    await files.delete("main", NS, "a/b/c.txt", empty_parents=True)
    assert [file.path for file in await files.directory("main", NS, "a")] == ["/a/d.txt"]
    await files.delete("main", NS, "keep/e.txt")
    assert [file.path for file in await files.directory("main", NS, "")] == ["/a", "/keep"]


async def test_export_gives_all_files_as_an_archive(files: NamespaceFileService) -> None:
    """API-106."""
    await put(files, "dir/a.txt", "ü.txt", content=b"abc")
    await files.create_directory("main", NS, "empty")
    archive = b"".join([piece async for piece in await files.export("main", NS)])
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        assert {name: file.read(name) for name in file.namelist()} == {"dir/a.txt": b"abc", "ü.txt": b"abc"}


async def test_namespaces_and_tenants_do_not_see_each_other(files: NamespaceFileService) -> None:
    await put(files, "a.txt")
    assert await paths(files, "company") == []
    assert list(await files.paths("other", NS)) == []


@pytest.mark.parametrize("path", ["../x", "a/../../x", "", "/", "nul\0byte", "a/.penstock-folder"])
async def test_path_that_leads_away_is_refused_by_everything(files: NamespaceFileService, path: str) -> None:
    await put(files, "a.txt")
    for call in (
        files.put("main", NS, path, b"x"),
        files.read("main", NS, path),
        files.delete("main", NS, path),
        files.revisions("main", NS, path),
        files.move("main", NS, "a.txt", path),
        files.create_directory("main", NS, path),
    ):
        with pytest.raises(InvalidRequestError):
            await call


@pytest.mark.parametrize("namespace", ["", "..", "a..b", "a/b", ".a", "a.b/../c"])
async def test_namespace_that_is_none_is_refused(files: NamespaceFileService, namespace: str) -> None:
    with pytest.raises(InvalidRequestError, match="is no namespace"):
        await files.put("main", namespace, "a.txt", b"x")


async def test_file_in_the_way_of_a_folder_is_refused(files: NamespaceFileService) -> None:
    await put(files, "a", "dir/b")
    with pytest.raises(InvalidRequestError):
        await put(files, "a/below")
    with pytest.raises(InvalidRequestError):
        await put(files, "dir")
    with pytest.raises(InvalidRequestError):
        await files.create_directory("main", NS, "a")


async def test_uploads_at_once_all_become_revisions_and_no_lock_is_kept_afterwards(files: NamespaceFileService) -> None:
    """ENG-352."""
    await asyncio.gather(*(files.put("main", NS, "a.txt", bytes([number])) for number in range(5)))
    assert await files.revisions("main", NS, "a.txt") == list(range(5))
    assert len(files._locks) == 0
