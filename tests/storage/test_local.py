import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.base.errors import InvalidRequestError, NotFoundError, UnavailableError
from penstock.storage import LocalStorage
from penstock.testing.storage import ObjectStorageContract


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "storage")


class TestLocalStorage(ObjectStorageContract):
    @pytest.fixture
    def storage(self, tmp_path: Path) -> LocalStorage:
        return LocalStorage(tmp_path / "storage")


async def test_storage_link_out_of_the_root_is_not_followed(storage: LocalStorage, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("private")
    await storage.put("main", "/d/f", b"x")
    (tmp_path / "storage/main/d/file").symlink_to(tmp_path / "secret.txt")
    (tmp_path / "storage/main/d/folder").symlink_to(tmp_path)
    for path in ("/d/file", "/d/folder/secret.txt"):
        with pytest.raises(InvalidRequestError):
            await storage.read("main", path)
    with pytest.raises(InvalidRequestError):
        await storage.put("main", "/d/folder/new.txt", b"x")
    assert [info.path for info in await storage.list("main", "/d", recursive=True)] == ["/d/f"]
    assert await storage.delete("main", "/d")
    assert (tmp_path / "secret.txt").read_text() == "private"


async def test_storage_link_to_another_tenant_is_not_followed(storage: LocalStorage, tmp_path: Path) -> None:
    await storage.put("one", "/f", b"1")
    await storage.put("two", "/g", b"2")
    (tmp_path / "storage/two/link").symlink_to(tmp_path / "storage/one")
    with pytest.raises(InvalidRequestError):
        await storage.read("two", "/link/f")


async def test_storage_root_that_is_a_link_itself_works(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    storage = LocalStorage(tmp_path / "link")
    await storage.put("main", "/f", b"x")
    assert await storage.read("main", "/f") == b"x"


async def test_storage_root_of_a_tenant_cannot_be_deleted(storage: LocalStorage) -> None:
    await storage.put("main", "/f", b"x")
    with pytest.raises(InvalidRequestError):
        await storage.delete("main", "/")
    assert await storage.read("main", "/f") == b"x"


async def test_storage_name_too_long_for_the_disk_is_refused(storage: LocalStorage) -> None:
    with pytest.raises(InvalidRequestError, match="cannot hold"):
        await storage.put("main", "/" + "x" * 300, b"x")


@pytest.fixture
def small_disk() -> Iterator[None]:
    """Let no file grow beyond 100 kB, which fails like a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, ignored)


@pytest.mark.usefixtures("small_disk")
async def test_storage_disk_full_says_so_and_leaves_nothing_behind(storage: LocalStorage, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="full"):
        await storage.put("main", "/large", b"x" * 200_000)
    with pytest.raises(NotFoundError):
        await storage.read("main", "/large")
    assert os.listdir(tmp_path / "storage/.aside") == []
    await storage.put("main", "/small", b"x")
