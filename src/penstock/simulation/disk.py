"""The database of a simulation: the product's own SQL on SQLite in memory, with everything that can go wrong around it.

A transaction runs whole, within one step of the loop: nothing comes between its statements, as if the database had put
transactions one after another. What is simulated is the way there and back: it takes time, the process may end before
or after the commit, the answer may get lost.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from penstock.base.clock import SECOND, Micros
from penstock.base.errors import UnavailableError
from penstock.ports.pools import PoolFigures
from penstock.simulation.loop import PROCESS, SimulatedLoop
from penstock.store.database import Work
from penstock.store.schema import prepare_txn
from penstock.store.sqlite import driver_of, matches

T = TypeVar("T")

_HISTORY = """
CREATE TABLE simulated_changes (kind TEXT, id TEXT, execution_id TEXT, before TEXT, after TEXT);
CREATE TRIGGER simulated_e1 AFTER INSERT ON executions BEGIN
  INSERT INTO simulated_changes VALUES ('execution', new.id, new.id, NULL, new.state); END;
CREATE TRIGGER simulated_e2 AFTER UPDATE OF state ON executions WHEN old.state <> new.state BEGIN
  INSERT INTO simulated_changes VALUES ('execution', new.id, new.id, old.state, new.state); END;
CREATE TRIGGER simulated_t1 AFTER INSERT ON task_runs BEGIN
  INSERT INTO simulated_changes VALUES (new.task_id, new.id, new.execution_id, NULL, new.state); END;
CREATE TRIGGER simulated_t2 AFTER UPDATE OF state ON task_runs WHEN old.state <> new.state BEGIN
  INSERT INTO simulated_changes VALUES (new.task_id, new.id, new.execution_id, old.state, new.state); END;
CREATE TABLE simulated_notes (value TEXT);
CREATE TRIGGER simulated_n1 AFTER INSERT ON key_values WHEN new.key LIKE 'noted-%' BEGIN
  INSERT INTO simulated_notes VALUES (new.value); END;
CREATE TRIGGER simulated_n2 AFTER UPDATE ON key_values WHEN new.key LIKE 'noted-%' BEGIN
  INSERT INTO simulated_notes VALUES (new.value); END;
CREATE TABLE simulated_switches (name TEXT, reason TEXT);
CREATE TRIGGER simulated_s1 AFTER INSERT ON switches BEGIN
  INSERT INTO simulated_switches VALUES (rtrim(new.flow_id || '.' || new.trigger_id, '.'), new.reason); END;
CREATE TRIGGER simulated_s2 AFTER UPDATE ON switches BEGIN
  INSERT INTO simulated_switches VALUES (rtrim(new.flow_id || '.' || new.trigger_id, '.'), new.reason); END;
CREATE TRIGGER simulated_s3 AFTER DELETE ON switches BEGIN
  INSERT INTO simulated_switches VALUES (rtrim(old.flow_id || '.' || old.trigger_id, '.'), NULL); END;
"""


@dataclass(frozen=True, slots=True)
class StateChange:
    """A state that a commit has changed, as the database saw it."""

    kind: str
    """`execution`, or the id of the task."""
    id: str
    execution_id: str
    before: str | None
    after: str


class Disk:
    """One database in memory, emptied for each simulation."""

    def __init__(self) -> None:
        self._driver = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._driver.create_function("regexp", 2, matches, deterministic=True)
        engine = create_engine(
            "sqlite://", creator=lambda: self._driver, poolclass=StaticPool, isolation_level="AUTOCOMMIT"
        )
        self.connection = engine.connect()
        assert driver_of(self.connection) is self._driver
        self.transaction(lambda connection: prepare_txn(connection, "simulated"))
        self._driver.executescript(_HISTORY)
        self._empty = sqlite3.connect(":memory:")

    def keep(self) -> None:
        """Have what is stored now be what a simulation finds."""
        self.changes()
        self._driver.backup(self._empty)

    def reset(self) -> None:
        """Go back to what was kept."""
        self._empty.backup(self._driver)

    def transaction(self, work: Work[T]) -> T:
        """Run the work in a transaction: all of it or nothing."""
        self._driver.execute("BEGIN IMMEDIATE")
        try:
            result = work(self.connection)
        except BaseException:
            self._driver.execute("ROLLBACK")
            raise
        self._driver.execute("COMMIT")
        return result

    def changes(self) -> list[StateChange]:
        """Take out the states that changed since the last call."""
        rows = self._driver.execute("SELECT * FROM simulated_changes ORDER BY rowid").fetchall()
        if rows:
            self._driver.execute("DELETE FROM simulated_changes")
        return [StateChange(*row) for row in rows]

    def noted(self) -> list[str]:
        """Take out what tasks have noted since the last call."""
        rows = self._driver.execute("SELECT value FROM simulated_notes ORDER BY rowid").fetchall()
        if rows:
            self._driver.execute("DELETE FROM simulated_notes")
        return [str(row[0]) for row in rows]

    def switched(self) -> dict[str, str | None]:
        """Take out whose switches changed since the last call, with the reason each has now; None for those gone."""
        rows = self._driver.execute("SELECT * FROM simulated_switches ORDER BY rowid").fetchall()
        if rows:
            self._driver.execute("DELETE FROM simulated_switches")
        return dict(rows)

    def rows(self, query: str, *arguments: object) -> list[tuple[object, ...]]:
        """Return the rows of a query."""
        return self._driver.execute(query, arguments).fetchall()


@dataclass(slots=True)
class Line:
    """The line from one machine to the database, and what is wrong with it."""

    cut_until: Micros = 0
    """Nothing gets through before."""
    slow_until: Micros = 0
    """Everything takes seconds before."""
    traps: list[str] = field(default_factory=list)
    """What happens to the next commits, or requests: `end before`, `end after`, `lose the answer`, `refuse`, `stall`.

    A request may also be brought a second time: `repeat`.
    """
    stall: Micros = 0
    """How long a stall lasts."""
    unreadable_until: Micros = 0
    """No file can be read before."""
    unwritable_until: Micros = 0
    """No write of a file succeeds before, as far as the writer knows."""
    files_slow_until: Micros = 0
    """Every file takes seconds before."""

    def mend(self) -> None:
        """Let nothing be wrong any more."""
        self.cut_until = self.slow_until = 0
        self.unreadable_until = self.unwritable_until = self.files_slow_until = 0
        self.traps.clear()


class PlainDatabase:
    """The database without any way to it (`Database`): for what is stored before a simulation."""

    name = "simulated"

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    async def write(self, work: Work[T]) -> T:
        """Run the work in a transaction."""
        return self._disk.transaction(work)

    async def read(self, work: Work[T]) -> T:
        """Run the work on what is stored."""
        return self._disk.transaction(work)

    def figures(self) -> PoolFigures:
        """Return nothing: there are no connections."""
        return PoolFigures()

    async def close(self) -> None:
        """Nothing to let go of."""


class SimulatedDatabase:
    """A machine's way to the database (`Database`).

    Args:
        disk: The database.
        line: What is wrong with the way there.
        loop: The loop.
        chance: Decides how long things take.
        crash: Ends the process.
        committed: Told after every commit whose it was: the name of the executor of the machine.
    """

    name = "simulated"

    def __init__(
        self,
        disk: Disk,
        line: Line,
        loop: SimulatedLoop,
        chance: Random,
        crash: Callable[[str], None],
        committed: Callable[[str], None],
    ) -> None:
        self._disk = disk
        self._line = line
        self._loop = loop
        self._chance = chance
        self._crash = crash
        self._committed = committed
        self.executor = ""
        """The executor that writes this way, if any."""
        self._is_closed = False

    async def write(self, work: Work[T]) -> T:
        """Run the work in a transaction and commit it."""
        await self._travel()
        trap = self._line.traps.pop(0) if self._line.traps else ""
        if trap == "end before":
            await self._die(trap)
        if trap == "stall":
            await self._stand_still()
        if trap == "refuse":
            raise UnavailableError("the database refuses to write")
        result = self._disk.transaction(work)
        self._committed(self.executor)
        if trap == "end after":
            await self._die(trap)
        if trap == "lose the answer":
            raise UnavailableError("the answer of the database got lost")
        await self._travel()
        return result

    async def read(self, work: Work[T]) -> T:
        """Run the work on what is stored now."""
        await self._travel()
        return self._disk.transaction(work)

    def figures(self) -> PoolFigures:
        """Return nothing: there are no connections."""
        return PoolFigures()

    async def close(self) -> None:
        """Let nothing through any more."""
        self._is_closed = True

    async def _travel(self) -> None:
        """Take the way there or back."""
        slow = self._loop.now < self._line.slow_until
        await asyncio.sleep(self._chance.randrange(3 * SECOND if slow else 3_000) / SECOND)
        if self._is_closed or self._loop.now < self._line.cut_until:
            raise UnavailableError("the database does not answer")

    async def _stand_still(self) -> None:
        """Stop the whole process with the commit on its way: it arrives when much else may have happened."""
        process = PROCESS.get()
        if process is not None:
            process.still_until = self._loop.now + self._line.stall
        await asyncio.sleep(0)

    async def _die(self, why: str) -> None:
        self._crash(why)
        await self._loop.create_future()
