"""The database without a server: what the command line does with it while no server is up.

Implements BEY-020 (a purge works with the server down), BEY-021, BEY-071.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from penstock.base.clock import SystemClock
from penstock.ports.counts import WrongCount
from penstock.services.retention import Policy, SizeReport, Sizes, Swept
from penstock.storage import LocalStorage
from penstock.store import Store, open_store
from penstock.store import schema as store_schema
from penstock.wiring.application import TENANT
from penstock.wiring.lock import DatabaseLock
from penstock.wiring.retention import retention_service


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Works on a database and its files.

    Args:
        database: The database's address.
        storage: The folder of internal storage.
        policy: How long records are kept.
    """

    database: str
    storage: Path
    policy: Policy

    async def purge(self) -> Swept:
        """Remove what is older than the policy keeps.

        Raises:
            DatabaseInUse: A server has the embedded database.
        """
        with self._locked():
            async with self._opened() as store:
                files, clock = LocalStorage(self.storage), SystemClock()
                return await retention_service(store, files, clock, self.policy, pause=0).sweep(TENANT)

    async def sizes(self) -> SizeReport:
        """Measure the database; a server may be up."""
        async with self._opened() as store:
            return await Sizes(store.sizes, SystemClock(), self.policy).report(TENANT)

    async def wrong_counts(self, *, mend: bool) -> Sequence[WrongCount]:
        """Return the counts of ended executions that are wrong, and count all anew where wanted.

        Raises:
            DatabaseInUse: A server has the embedded database, and they are to be counted anew.
        """
        with self._locked() if mend else nullcontext():
            async with self._opened() as store:
                wrong = await store.counts.wrong()
                if mend and wrong:
                    await store.counts.recount()
                return wrong

    def rollback(self, version: str | None) -> str:
        """Bring the schema back to an earlier version; returns which.

        Raises:
            DatabaseInUse: A server has the embedded database.
            InvalidRequestError: There is no such version.
        """
        with self._locked():
            return store_schema.rollback(self.database, version)

    def compact(self) -> None:
        """Write the database anew without free room.

        Raises:
            DatabaseInUse: A server has the embedded database.
        """
        with self._locked():
            store_schema.compact(self.database)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = DatabaseLock.of(self.database)
        if lock is not None:
            lock.acquire_existing()
        try:
            yield
        finally:
            if lock is not None:
                lock.release()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Store]:
        store = await open_store(self.database, SystemClock())
        try:
            yield store
        finally:
            await store.close()
